/** Where libraries put their key, and what is left of it when another takes its place. */
import assert from 'node:assert/strict'
import { credentialIn, withCredential } from '../../src/providers/credentials.js'

describe('the key of a request', () => {
  for (const [what, fields, path, expected] of [
    ['OpenAI', ['Authorization', 'Bearer one'], '/v1', 'one'],
    ['Anthropic', ['X-Api-Key', 'one'], '/v1', 'one'],
    ['Azure', ['api-key', 'one'], '/openai', 'one'],
    ['Gemini', ['x-goog-api-key', 'one'], '/v1beta', 'one'],
    ['Gemini, in the query', [], '/v1beta/models?alt=sse&key=one', 'one'],
    ['nobody', ['Accept', '*/*'], '/v1?monkey=one', undefined],
    ['who sends an empty one', ['Authorization', 'Bearer '], '/v1', undefined],
  ] as const)
    it(`of ${what}`, () => assert.equal(credentialIn({ fields, path }), expected))

  for (const [speaks, field, value] of [
    ['openai', 'authorization', 'Bearer two'],
    ['groq', 'authorization', 'Bearer two'],
    ['anthropic', 'x-api-key', 'two'],
    ['gemini', 'x-goog-api-key', 'two'],
    ['azure-openai', 'api-key', 'two'],
  ] as const)
    it(`gives way to one for ${speaks}, wherever it stood`, () => {
      const sent = withCredential(
        {
          fields: ['Accept', '*/*', 'AUTHORIZATION', 'Bearer one', 'x-api-key', 'one'],
          path: '/v1?key=one&a=b',
        },
        speaks,
        'two',
      )
      assert.deepEqual(sent, { fields: ['Accept', '*/*', field, value], path: '/v1?a=b' })
    })
})
