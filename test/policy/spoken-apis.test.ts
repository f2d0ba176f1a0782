/** Where providers have OpenAI's API, there and back: the base URLs of the vendors' references. */
import assert from 'node:assert/strict'
import type { Door } from '../../src/policy/door.js'
import { apiPathOf, versionedPath } from '../../src/policy/spoken-apis.js'

function door(name: string, speaks = 'openai', prefix = ''): Door {
  const target = { host: 'h', port: 443, plain: false, isWritten: false, prefix }
  return {
    ...{ name, speaks, target, key: undefined, fields: () => [] },
    headTimeoutMs: undefined,
  }
}

describe('the path of an API', () => {
  for (const [name, rest, path] of [
    ['openai', '/v1/chat/completions', '/v1/chat/completions'],
    ['groq', '/openai/v1/chat/completions', '/v1/chat/completions'],
    ['openrouter', '/api/v1/chat/completions?a=b', '/v1/chat/completions?a=b'],
    ['azure', '/openai/v1/responses', '/v1/responses'],
    ['fireworks', '/inference/v1/models', '/v1/models'],
    ['gemini', '/v1beta/openai/chat/completions', '/v1/chat/completions'],
    ['gemini', '/v1beta/models/m:generateContent', '/v1beta/models/m:generateContent'],
    ['cohere', '/compatibility/v1/chat/completions', '/v1/chat/completions'],
    ['cohere', '/v2/chat', '/v2/chat'],
    ['anthropic', '/v1/messages?beta=true', '/v1/messages?beta=true'],
    ['azure', '/openai/deployments/d/chat/completions', undefined],
    ['openai', '/chat/completions', undefined],
  ] as const)
    it(`of ${rest} at ${name} is ${path ?? 'nobody else’s'}`, () =>
      assert.equal(apiPathOf(door(name), rest, false), path))

  it('is found behind a base URL that has its version', () => {
    const own = door('mine', 'openai', '/serve/v1')
    assert.equal(apiPathOf(own, '/chat/completions', false), '/v1/chat/completions')
    assert.equal(apiPathOf(own, '/v1/chat/completions', true), '/v1/chat/completions')
  })

  it('leads back to where each has it', () => {
    for (const name of [
      'openai',
      'groq',
      'openrouter',
      'fireworks',
      'gemini',
      'cohere',
    ]) {
      const there = versionedPath(door(name), '/v1/chat/completions')
      assert.equal(apiPathOf(door(name), there, false), '/v1/chat/completions', name)
    }
  })
})
