/**
 * The end of a JSON text whose middle is not there, cut at every byte: what stands whole behind
 * the cut is what `JSON.parse` of the runtime makes of it in the whole.
 */
import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { JSON_LIMITS } from '../../src/json/json-bounds.js'
import { jsonTail } from '../../src/json/json-tail.js'

const tail = (bytes: Buffer, limits = JSON_LIMITS) => atOnce(jsonTail(bytes, 'x', limits))

/** All strings of a value that are no names, in their order. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(strings)
}

function stringsOf(json: Buffer): string[] | undefined {
  try {
    return strings(JSON.parse(json.toString()))
  } catch {
    return undefined
  }
}

const BODY = {
  model: 'm',
  messages: [
    { role: 'system', content: 'be "kind" \\ and {[,]} brief\\\\' },
    { role: 'user', content: [{ type: 'text', text: 'ä€😀 \n "," ' }, { n: [1, [2]] }] },
    { role: 'assistant', content: null, tool_calls: [] },
    { role: 'user', content: 'the newest, "quoted"' },
  ],
  tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
  stream: true,
}

describe('the end of a JSON text', () => {
  for (const text of [
    JSON.stringify(BODY),
    `${JSON.stringify(BODY, null, 2)} \n`,
    JSON.stringify(BODY).replaceAll('kind', '\\u006bind'),
  ])
    it(`is read from every cut: ${text.slice(0, 24)}`, () => {
      const bytes = Buffer.from(text)
      const all = strings(JSON.parse(text))
      let most = 0
      for (let cut = 1; cut < bytes.length; cut++) {
        const found = tail(bytes.subarray(cut))
        if (found === undefined) continue
        const said = found.json === undefined ? [] : stringsOf(found.json)
        // Behind a backslash that is not there, a quote may be taken for an end.
        if (said === undefined) assert.equal(bytes[cut - 1], 0x5c, `cut at ${cut}`)
        if (said === undefined || bytes[cut - 1] === 0x5c) continue
        // In their order, none that is not there, and all of which nothing was cut.
        assert.deepEqual(said, all.slice(all.length - said.length), `cut at ${cut}`)
        const { text: rest } = found
        if (rest !== undefined) assert.ok(bytes.subarray(cut).indexOf(rest) === 0)
        most = Math.max(most, said.length)
      }
      assert.ok(most >= all.length - 1, `${most} of ${all.length}`)
    })

  it('keeps roles beside contents, and names of fields that stand whole', () => {
    const text = JSON.stringify(BODY)
    const cut = text.indexOf('€')
    const found = tail(Buffer.from(text).subarray(Buffer.byteLength(text.slice(0, cut))))
    assert.equal(found?.text?.toString(), '€😀 \\n \\",\\" ')
    assert.deepEqual(JSON.parse(found?.json?.toString() ?? ''), {
      x: [{ x: [{ n: [1, [2]] }] }, ...BODY.messages.slice(2)],
      tools: BODY.tools,
      stream: true,
    })
  })

  it('is none where it does not end, or is deeper than the limit', () => {
    const bytes = Buffer.from(JSON.stringify(BODY))
    assert.equal(tail(bytes.subarray(20, bytes.length - 30)), undefined)
    assert.equal(tail(Buffer.from('no JSON at all')), undefined)
    assert.equal(tail(Buffer.from(`"a"${'}'.repeat(65)}`)), undefined)
    assert.notEqual(tail(Buffer.from(`"a"${'}'.repeat(64)}`)), undefined)
  })
})
