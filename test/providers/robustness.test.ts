import assert from 'node:assert/strict'
import fc from 'fast-check'
import { providers } from '../../src/providers/index.js'
import type { Api } from '../../src/providers/provider.js'
import { holds } from '../support/property.js'

const APIS: readonly Api[] = [
  'chat',
  'responses',
  'completions',
  'messages',
  'generate',
  'interactions',
  'converse',
  'invoke',
  'embeddings',
  'images',
  'audio',
  'count-tokens',
  'models',
  'other',
]
const PATHS = ['/v1/x', '/api/chat', '/model/a%3/invoke', '/v1beta/models/m:streamX', '']
const TYPES = ['application/json', 'text/event-stream', 'application/x-ndjson', undefined]

/** Keys and texts that the readers look for, so that random values get past their doors. */
const WORDS = [
  ...[
    'model',
    'messages',
    'content',
    'role',
    'type',
    'text',
    'choices',
    'delta',
    'message',
  ],
  ...['tool_calls', 'function', 'name', 'arguments', 'usage', 'error', 'output', 'item'],
  ...[
    'response',
    'candidates',
    'parts',
    'contents',
    'input',
    'system',
    'tools',
    'source',
  ],
  ...['data', 'url', 'image_url', 'content_block', 'index', 'event_type', 'functionCall'],
  ...[
    'toolUse',
    'contentBlockDelta',
    'bytes',
    'finish_reason',
    '__proto__',
    'constructor',
  ],
]
const TEXTS = [
  ...[
    'text',
    'tool_use',
    'tool_result',
    'image',
    'document',
    'response.completed',
    'error',
  ],
  ...['content_block_start', 'content_block_delta', 'message_start', 'function_call'],
  ...[
    'step.delta',
    'stream-end',
    'content-delta',
    '\ud800',
    'data:,x',
    'data:a;base64,AA',
  ],
]

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...TEXTS),
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300, 7),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie('value'), { maxKeys: 6 }),
  ),
})).value

describe('the readers', () => {
  holds(
    'YORI reads no request and no answer so strange that a reader throws',
    fc.property(
      fc.constantFrom(...providers),
      fc.constantFrom(...APIS),
      fc.constantFrom(...PATHS),
      fc.array(anyValue, { minLength: 1, maxLength: 4 }),
      (provider, api, path, values) => {
        const facts = provider.readRequest(values[0], { api, path })
        assert.equal(typeof facts.promptText, 'string')
        for (const contentType of TYPES) {
          const reader = provider.reader({ api, path, status: 200, contentType })
          for (const value of values) {
            const text = JSON.stringify(value)
            const framed =
              contentType === 'text/event-stream' ? `data: ${text}\n\n` : text
            reader.push(Buffer.from(`${framed}\n`))
          }
          const answer = reader.end()
          assert.equal(typeof answer.text, 'string')
          assert.ok(
            answer.usage.inputTokens === undefined || answer.usage.inputTokens >= 0,
          )
        }
      },
    ),
    { runs: 1_000 },
  )

  holds(
    'YORI reads any bytes without throwing',
    fc.property(
      fc.constantFrom(...providers),
      fc.constantFrom(...APIS),
      fc.uint8Array({ maxLength: 200 }),
      (provider, api, bytes) => {
        for (const contentType of [...TYPES, 'application/vnd.amazon.eventstream']) {
          const reader = provider.reader({ api, path: '/', status: 500, contentType })
          reader.push(bytes)
          assert.equal(typeof reader.end().complete, 'boolean')
        }
      },
    ),
    { runs: 500 },
  )

  it('YORI keeps no more than its limits of an endless answer', () => {
    const delta = { choices: [{ index: 0, delta: { content: 'x'.repeat(1_000) } }] }
    const call = {
      choices: [
        {
          index: 0,
          delta: {
            tool_calls: [
              { index: 0, function: { name: 'f', arguments: 'y'.repeat(1_000) } },
            ],
          },
        },
      ],
    }
    const [openai] = providers
    assert.ok(openai)
    const context = {
      api: 'chat',
      path: '/',
      status: 200,
      contentType: 'text/event-stream',
    } as const
    const reader = openai.reader(context)
    const chunk = Buffer.from(
      `data: ${JSON.stringify(delta)}\n\ndata: ${JSON.stringify(call)}\n\n`,
    )
    for (let i = 0; i < 200; i++) reader.push(chunk)
    for (let i = 1; i < 200; i++) {
      const more = { index: i, function: { name: `f${i}`, arguments: '{}' } }
      const value = { choices: [{ index: 0, delta: { tool_calls: [more] } }] }
      reader.push(Buffer.from(`data: ${JSON.stringify(value)}\n\n`))
    }
    const facts = reader.end(false)
    assert.equal(facts.text.length, 64 * 1024)
    assert.equal(facts.textChars, 200_000)
    assert.equal(facts.toolCalls.length, 128)
    assert.equal(facts.toolCalls[0]?.argumentsText.length, 16 * 1024)
    assert.equal(facts.complete, false)
  })
})
