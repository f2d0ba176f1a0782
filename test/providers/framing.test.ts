/** Answers that are announced as something else than they are. */
import assert from 'node:assert/strict'
import { bedrock } from '../../src/providers/bedrock.js'
import { gemini, vertex } from '../../src/providers/gemini.js'
import { openai } from '../../src/providers/openai.js'
import type {
  Provider,
  ResponseContext,
  ResponseFacts,
} from '../../src/providers/provider.js'
import { bedrockEvent } from '../support/event-stream.js'

const CHAT = { api: 'chat', path: '/v1/chat/completions', status: 200 } as const
const message = { role: 'assistant', content: 'Forty two' }
const usage = { prompt_tokens: 9, completion_tokens: 4 }
const body = { id: 'c', model: 'm', choices: [{ index: 0, message }], usage }
const chunk = { id: 'c', model: 'm', choices: [{ index: 0, delta: message }], usage }

function read(
  provider: Provider,
  context: ResponseContext,
  bytes: Buffer,
): ResponseFacts[] {
  // Whole, and byte by byte.
  return [bytes.length, 1].map((size) => {
    const reader = provider.reader(context)
    for (let at = 0; at < bytes.length; at += size)
      reader.push(bytes.subarray(at, at + size))
    return reader.end()
  })
}

describe('an answer', () => {
  for (const contentType of [
    'application/octet-stream',
    'binary/octet-stream',
    'text/html; charset=utf-8',
    'text/event-stream',
    'text/json',
    undefined,
  ])
    for (const [what, before] of [
      ['', ''],
      [' after blanks', ' \r\n\t'],
      [' after a byte order mark', '\uFEFF'],
    ] as const)
      it(`of JSON${what} is read under ${contentType ?? 'no type'}`, () => {
        const bytes = Buffer.from(`${before}${JSON.stringify(body)}`)
        for (const facts of read(openai, { ...CHAT, contentType }, bytes)) {
          assert.equal(facts.text, 'Forty two')
          assert.equal(facts.usage.inputTokens, 9)
          assert.equal(facts.unread, 0)
        }
      })

  for (const contentType of ['application/octet-stream', 'text/html', 'application/json'])
    it(`of events is read under ${contentType}`, () => {
      const text = `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`
      for (const facts of read(openai, { ...CHAT, contentType }, Buffer.from(text))) {
        assert.equal(facts.text, 'Forty two')
        assert.equal(facts.streamed, true)
        assert.equal(facts.usage.outputTokens, 4)
      }
    })

  for (const contentType of ['application/octet-stream', '', undefined])
    it(`of Bedrock is an event stream by its path under ${contentType ?? 'no type'}`, () => {
      const bytes = Buffer.concat([
        bedrockEvent('contentBlockDelta', { delta: { text: 'Forty two' } }),
        bedrockEvent('messageStop', { stopReason: 'end_turn' }),
        bedrockEvent('metadata', { usage: { inputTokens: 7, outputTokens: 3 } }),
      ])
      const path = '/model/amazon.nova-pro-v1%3A0/converse-stream'
      const context = { api: 'converse', path, status: 200, contentType } as const
      for (const facts of read(bedrock, context, bytes)) {
        assert.equal(facts.text, 'Forty two')
        assert.equal(facts.usage.inputTokens, 7)
      }
      // Its errors are JSON.
      const said = Buffer.from('{"message":"no such model"}')
      const [failed] = read(bedrock, { ...context, status: 404 }, said)
      assert.equal(failed?.error?.message, 'no such model')
    })

  it('that is a page or a sound is neither read nor counted as unread', () => {
    for (const [contentType, bytes] of [
      ['text/html', '<html></html>'],
      ['audio/mpeg', '{"not":"read"}'],
    ] as const)
      for (const facts of read(openai, { ...CHAT, contentType }, Buffer.from(bytes))) {
        assert.equal(facts.text, '')
        assert.equal(facts.unread, 0)
      }
  })

  it('with an empty call calls nothing', () => {
    const call = { name: '', arguments: '' }
    for (const more of [
      { function_call: call },
      { tool_calls: [{ index: 0, function: call }] },
      { function_call: { name: null, arguments: null } },
    ]) {
      const choices = [{ index: 0, message: { ...message, ...more } }]
      const bytes = Buffer.from(JSON.stringify({ ...body, choices }))
      const [facts] = read(openai, { ...CHAT, contentType: 'application/json' }, bytes)
      assert.deepEqual(facts?.toolCalls, [])
      assert.equal(facts.text, 'Forty two')
    }
    const choices = [
      { index: 0, message: { function_call: { name: 'f', arguments: '' } } },
    ]
    const bytes = Buffer.from(JSON.stringify({ ...body, choices }))
    const [facts] = read(openai, { ...CHAT, contentType: 'application/json' }, bytes)
    assert.equal(facts?.toolCalls[0]?.name, 'f')
  })
})

describe("Google's enums as numbers", () => {
  const base = '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro'
  for (const [provider, path, number, name] of [
    [vertex, `${base}:generateContent`, 1, 'STOP'],
    [vertex, `${base}:generateContent`, 2, 'MAX_TOKENS'],
    [vertex, `${base}:generateContent`, 6, 'BLOCKLIST'],
    [vertex, `${base}:generateContent`, 9, 'MALFORMED_FUNCTION_CALL'],
    [gemini, '/v1beta/models/gemini-2.5-pro:generateContent', 6, 'LANGUAGE'],
    [
      gemini,
      '/v1beta/models/gemini-2.5-pro:generateContent',
      10,
      'MALFORMED_FUNCTION_CALL',
    ],
    [gemini, '/v1beta/models/gemini-2.5-pro:generateContent', 99, '99'],
    [gemini, '/v1beta/models/gemini-2.5-pro:generateContent', 0, undefined],
    [gemini, '/v1beta/models/gemini-2.5-pro:generateContent', 'STOP', 'STOP'],
  ] as const)
    it(`are told by name: ${number} of ${provider.name} is ${String(name)}`, () => {
      const context = {
        api: 'generate',
        path,
        status: 200,
        contentType: 'application/json',
      } as const
      const content = { role: 'model', parts: [{ text: 'Hi' }] }
      const said = { candidates: [{ content, finishReason: number }] }
      const [facts] = read(provider, context, Buffer.from(JSON.stringify(said)))
      assert.equal(facts?.finishReason, name)
    })

  it('tell why a prompt was refused', () => {
    const path = '/v1beta/models/gemini-2.5-pro:generateContent'
    const context = {
      api: 'generate',
      path,
      status: 200,
      contentType: 'application/json',
    } as const
    const said = { promptFeedback: { blockReason: 1 } }
    const [facts] = read(gemini, context, Buffer.from(JSON.stringify(said)))
    assert.equal(facts?.refused, 'SAFETY')
  })
})
