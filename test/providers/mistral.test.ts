import assert from 'node:assert/strict'
import { assertFacts, readAnswer, readRequest } from '../support/exchanges.js'

const HOST = 'https://api.mistral.ai'

describe('mistral', () => {
  it('YORI reads a chat whose answer comes in parts', () => {
    const url = `${HOST}/v1/chat/completions`
    const { provider, facts } = readRequest({
      url,
      body: {
        model: 'magistral-small-latest',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Read' },
              { type: 'document_url', document_url: 'https://x.test/a.pdf' },
            ],
          },
        ],
      },
    })
    assert.equal(provider, 'mistral')
    assertFacts(facts, { promptText: 'Read', attachments: [{ kind: 'file' }] })
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Four' },
    ]
    const answer = JSON.stringify({
      model: 'magistral-small-latest',
      choices: [{ index: 0, message: { content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 4, completion_tokens: 2 },
    })
    assertFacts(readAnswer({ url, contentType: 'application/json', answer }), {
      text: 'Four',
      finishReason: 'stop',
    })
  })

  it('YORI reads what is to be filled in the middle', () => {
    const url = `${HOST}/v1/fim/completions`
    const body = { model: 'codestral-latest', prompt: 'def f(', suffix: 'return x' }
    assertFacts(readRequest({ url, body }).facts, {
      api: 'chat',
      model: 'codestral-latest',
      promptText: 'def f(\nreturn x',
    })
  })
})
