import assert from 'node:assert/strict'
import { recognise, recogniseBody } from '../../src/providers/index.js'

describe('recognise', () => {
  const cases: readonly [string, string | undefined][] = [
    ['https://api.openai.com/v1/chat/completions', 'openai chat'],
    ['https://api.openai.com/v1/responses?x=1', 'openai responses'],
    ['https://api.openai.com/v1/responses/resp_1', 'openai responses'],
    ['https://api.openai.com/v1/responses/input_tokens', 'openai count-tokens'],
    ['https://api.openai.com/v1/completions', 'openai completions'],
    ['https://api.openai.com/v1/audio/transcriptions', 'openai audio'],
    ['https://api.openai.com/v1/realtime?model=gpt-realtime', 'openai session'],
    ['https://api.openai.com/v1/realtime/calls/rtc_1/hangup', 'openai other'],
    ['https://x.openai.azure.com/openai/realtimeapi/sessions', 'azure-openai session'],
    ['https://api.openai.com/v1/threads/t/messages', 'openai assistants'],
    ['https://api.openai.com/dashboard', 'openai other'],
    ['https://api.anthropic.com/v1/messages?beta=true', 'anthropic messages'],
    ['https://api.anthropic.com/v1/messages/count_tokens', 'anthropic count-tokens'],
    ['https://api.anthropic.com/v1/messages/batches', 'anthropic batches'],
    [
      'https://x.openai.azure.com/openai/deployments/d/chat/completions',
      'azure-openai chat',
    ],
    ['https://x.services.ai.azure.com/anthropic/v1/messages', 'azure-openai messages'],
    ['https://api.groq.com/openai/v1/chat/completions', 'groq chat'],
    ['https://openrouter.ai/api/v1/chat/completions', 'openrouter chat'],
    ['https://api.deepseek.com/anthropic/v1/messages', 'deepseek messages'],
    ['https://api.x.ai/v1/responses', 'xai responses'],
    ['https://llm.lan:1234/v1/chat/completions', 'openai chat'],
    ['https://llm.lan/v1/messages', 'anthropic messages'],
    ['https://llm.lan/v1beta/models/g:generateContent', 'gemini generate'],
    ['https://llm.lan/api/chat', 'ollama chat'],
    ['https://llm.lan/index.html', undefined],
    ['https://api.openai.com.evil.test/', undefined],
  ]
  for (const [text, expected] of cases) {
    it(`YORI knows ${text} as ${expected ?? 'nobody'}`, () => {
      const url = new URL(text)
      const path = url.pathname + url.search
      const found = recognise({ host: url.hostname, method: 'POST', path })
      const said = found === undefined ? undefined : `${found.provider.name} ${found.api}`
      assert.equal(said, expected)
    })
  }
})

it('a WebSocket is asked for by GET, and a session by POST', () => {
  const path = '/v1/realtime?model=gpt-realtime'
  const found = recognise({ host: 'api.openai.com', method: 'GET', path })
  assert.equal(found?.api, 'realtime')
})

describe('recognise, for a host that the catalogue tells of', () => {
  const cases: readonly [string, string, string][] = [
    ['/v2/chat', 'cohere', 'cohere chat'],
    ['/v1/messages', 'anthropic', 'anthropic messages'],
    ['/gateway/v1/messages', 'anthropic', 'anthropic messages'],
    ['/whatever', 'mistral', 'mistral other'],
    ['/v1internal:streamGenerateContent?alt=sse', 'gemini', 'gemini generate'],
  ]
  for (const [path, speaks, expected] of cases) {
    it(`YORI reads ${path} of a host that speaks ${speaks} as ${expected}`, () => {
      const found = recognise({ host: 'llm.home.arpa', method: 'POST', path }, speaks)
      assert.ok(found !== undefined)
      assert.equal(`${found.provider.name} ${found.api}`, expected)
    })
  }
})

describe('recogniseBody', () => {
  const cases: readonly [object, string | undefined][] = [
    [{ model: 'm', messages: [] }, 'openai chat'],
    [{ model: 'm', messages: [], max_tokens: 1, system: 's' }, 'anthropic messages'],
    [{ anthropic_version: 'x', messages: [] }, 'anthropic messages'],
    [{ contents: [] }, 'gemini generate'],
    [{ model: 'm', prompt: 'p' }, 'openai completions'],
    [{ model: 'm', input: 'p' }, 'openai responses'],
    [{ prompt: 'p' }, undefined],
    [[], undefined],
  ]
  for (const [body, expected] of cases) {
    it(`YORI knows the body ${JSON.stringify(body)} as ${expected ?? 'nobody'}'s`, () => {
      const found = recogniseBody(body)
      const said = found === undefined ? undefined : `${found.provider.name} ${found.api}`
      assert.equal(said, expected)
    })
  }
})
