import assert from 'node:assert/strict'
import { providerHostForPath } from '../../src/providers/paths.js'

describe('providerHostForPath', () => {
  const cases: readonly [string, string | undefined][] = [
    ['/v1/chat/completions', 'api.openai.com'],
    ['/v1/chat/completions?stream=true', 'api.openai.com'],
    ['/v1/completions', 'api.openai.com'],
    ['/v1/complete', 'api.anthropic.com'],
    ['/v1/models', 'api.openai.com'],
    ['/v1/models/gpt-4o', 'api.openai.com'],
    ['/v1/responses/resp_1/cancel', 'api.openai.com'],
    ['/v1/messages', 'api.anthropic.com'],
    ['/v1/messages/count_tokens?beta=true', 'api.anthropic.com'],
    [
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      'generativelanguage.googleapis.com',
    ],
    ['/v2/chat', 'api.cohere.com'],
    ['/v1/modelsx', undefined],
    ['/v1/chat/completionsx', undefined],
    ['/v1/models/../../health', undefined],
    ['/health', undefined],
    ['/', undefined],
    ['', undefined],
    ['/?x=/v1/messages', undefined],
  ]
  for (const [path, host] of cases) {
    it(`YORI sends ${JSON.stringify(path)} to ${host ?? 'nobody'}`, () => {
      assert.equal(providerHostForPath(path), host)
    })
  }
})
