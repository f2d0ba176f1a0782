/**
 * A short request is read in one go, and says what it says when it is read in slices: requests
 * of every provider's shape, and bodies that are not what they seem.
 */
import assert from 'node:assert/strict'
import { LongTexts } from '../../../src/core/long-text.js'
import { atOnce } from '../../../src/core/resting.js'
import { JSON_LIMITS } from '../../../src/json/json-scanner.js'
import { recognise, UNKNOWN } from '../../../src/providers/index.js'
import {
  readRequest,
  readShortRequest,
} from '../../../src/proxy/reading/request-reading.js'
import { fixtureRows } from '../../support/fixtures.js'

interface Row {
  readonly request?: { readonly url: string; readonly body: string | null }
}

const OPTIONS = { json: JSON_LIMITS, wantsText: false, mindsStructure: false }
const CHAT = 'https://api.openai.com/v1/chat/completions'

/** Gives how it was read. */
function readBoth(
  url: string,
  body: Buffer,
  type = 'application/json',
): 'short' | 'long' {
  const { hostname: host, pathname, search } = new URL(url)
  const path = pathname + search
  const recognised = recognise({ host, method: 'POST', path }) ?? UNKNOWN
  const head = { contentType: type, contentEncoding: undefined }
  const copy = { bytes: body, whole: true, head, path }
  const short = readShortRequest(recognised, copy, OPTIONS)
  if (short === undefined) return 'long'
  const { facts, content, unread, shaped } = atOnce(
    readRequest(recognised, copy, OPTIONS),
  )
  assert.deepEqual(short.facts, facts)
  assert.equal(short.unread, unread)
  assert.deepEqual(short.shaped, shaped)
  assert.ok(short.content.long instanceof LongTexts)
  assert.deepEqual({ ...short.content, long: 0 }, { ...content, long: 0 })
  return 'short'
}

describe('a short request', () => {
  it('says the same in one go and in slices, whatever it is a request of', () => {
    const rows = fixtureRows<Row>('llm', 'exchanges.jsonl')
    const ways = rows.flatMap(({ request }) =>
      request === undefined
        ? []
        : [readBoth(request.url, Buffer.from(request.body ?? ''))],
    )
    assert.ok(ways.length > 0)
    assert.ok(ways.filter((way) => way === 'short').length > ways.length / 2)
  })

  const ODD: readonly [string, string, string?][] = [
    ['two models', '{"model":"a","Model":"b","messages":[]}'],
    [
      'a key twice',
      '{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}',
    ],
    ['tools of many kinds', toolsOfKinds()],
    ['a call of MCP', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"ls"}}'],
    [
      'fallbacks',
      '{"model":"a","fallbacks":[{"model":"b"}],"models":["c","c","\uff44"]}',
    ],
    ['no messages', '{}'],
    ['names that objects have', '{"__proto__":{"model":"x"},"constructor":1}'],
    ['another shape than its path says', '{"contents":[{"parts":[{"text":"x"}]}]}'],
    ['JSON under another name', '{"messages":[{"role":"user","content":"x"}]}', ''],
  ]
  for (const [name, body, type] of ODD)
    it(`says the same in one go and in slices: ${name}`, () => {
      assert.equal(readBoth(CHAT, Buffer.from(body), type), 'short')
    })

  const LONG: readonly [string, Buffer, string?][] = [
    ['no JSON', Buffer.from('{"a":')],
    ['a list', Buffer.from('[1]')],
    ['UTF-16', Buffer.from('{"model":"a"}', 'utf16le')],
    ['a byte order mark', Buffer.from('\ufeff{"model":"a"}')],
    ['a charset that nobody reads', Buffer.from('{}'), 'application/json; charset=x'],
    ['messages with heads', Buffer.from('{}'), 'application/connect+json'],
    ['parts', Buffer.from('{}'), 'multipart/form-data; boundary=x'],
    ['a long text', Buffer.from(`{"model":"${'a'.repeat(20_000)}"}`)],
  ]
  it('is left to who reads in slices: one that opens a live conversation', () => {
    const url = 'https://api.openai.com/v1/realtime/client_secrets'
    assert.equal(readBoth(url, Buffer.from('{"session":{"model":"m"}}')), 'long')
  })

  for (const [name, body, type] of LONG)
    it(`is left to who reads in slices: ${name}`, () => {
      assert.equal(readBoth(CHAT, body, type), 'long')
    })
})

function toolsOfKinds(): string {
  return JSON.stringify({
    model: 'a',
    tool_choice: { type: 'function', function: { name: 'chosen' } },
    tools: [{ type: 'function', function: { name: 'f' } }, { type: 'web_search' }],
    functions: [{ name: 'g' }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
  })
}
