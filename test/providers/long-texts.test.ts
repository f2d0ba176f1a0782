/** What is read of a body with long texts is what is read of the same values without pieces. */
import assert from 'node:assert/strict'
import { LongTexts } from '../../src/core/long-text.js'
import { atOnce } from '../../src/core/resting.js'
import { JSON_LIMITS } from '../../src/json/json-scanner.js'
import { parseInSlices } from '../../src/json/json-slices.js'
import { recognise } from '../../src/providers/index.js'

const MIB = 1024 * 1024
const LIMITS = { ...JSON_LIMITS, maxBytes: 8 * MIB }
const words = (chars: number): string => 'many words, "quoted" and ä\n'.repeat(chars / 27)
const BASE64 = Buffer.alloc(300_001, 'picture').toString('base64')

const BODIES: readonly (readonly [string, string, unknown])[] = [
  [
    'api.openai.com',
    '/v1/chat/completions',
    {
      model: 'm',
      messages: [
        { role: 'system', content: words(400_000) },
        { role: 'user', content: `<context>${words(300_000)}</context>\nmy words` },
        {
          role: 'user',
          content: [
            { type: 'text', text: words(200_000) },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${BASE64}` } },
            { type: 'text', text: 'and the end' },
          ],
        },
        { role: 'tool', tool_call_id: 'a', content: words(300_000) },
      ],
    },
  ],
  [
    'api.anthropic.com',
    '/v1/messages',
    {
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 'a', name: 'w', input: { text: words(300_000) } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: words(300_000) },
            { type: 'text', text: 'thank you' },
          ],
        },
      ],
    },
  ],
  [
    'generativelanguage.googleapis.com',
    '/v1beta/models/g:generateContent',
    {
      contents: [
        { role: 'user', parts: [{ text: words(500_000) }, { text: 'last' }] },
        {
          parts: [
            { functionResponse: { name: 'f', response: { output: words(400_000) } } },
          ],
        },
        { parts: [{ inlineData: { mimeType: 'image/png', data: BASE64 } }] },
      ],
    },
  ],
]

describe('a body with long texts', () => {
  for (const [host, path, body] of BODIES)
    it(`of ${host} says the same in pieces as in one`, () => {
      const recognised = recognise({ host, method: 'POST', path })
      assert.ok(recognised !== undefined)
      const { provider, api } = recognised
      const long = new LongTexts()
      const bytes = Buffer.from(JSON.stringify(body))
      const built = atOnce(parseInSlices(bytes, LIMITS, long))
      assert.ok(built.kind === 'whole')
      const facts = long.during(() => provider.readRequest(built.value, { api, path }))
      const plain = provider.readRequest(body, { api, path })
      assert.deepEqual(facts, plain)
      assert.ok(facts.promptChars > 400_000)
      assert.deepEqual(built.value, body)
    })

  it('has the newest words at its end, without the blocks of a program', () => {
    const [, , body] = BODIES[0] ?? []
    const recognised = recognise({
      host: 'api.openai.com',
      method: 'POST',
      path: '/v1/chat/completions',
    })
    const { messages } = body as { messages: unknown[] }
    const facts = recognised?.provider.readRequest(
      { messages: messages.slice(0, 2) },
      { api: recognised.api, path: '/v1/chat/completions' },
    )
    assert.equal(facts?.newestWords, 'my words')
  })
})
