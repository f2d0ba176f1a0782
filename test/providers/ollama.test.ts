import assert from 'node:assert/strict'
import { recognise } from '../../src/providers/index.js'
import { assertFacts, readAnswer, readRequest } from '../support/exchanges.js'

const CHAT = 'http://ollama.lan:11434/api/chat'
const LINES = 'application/x-ndjson'

function lines(...events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('')
}

describe('ollama', () => {
  it('YORI reads a chat of a server in the house, streaming unless told not to', () => {
    const { provider, facts } = readRequest({
      url: CHAT,
      body: {
        model: 'llama3.2',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'See', images: ['AAAA'] },
          { role: 'tool', tool_name: 'f', content: '42' },
        ],
        tools: [{ type: 'function', function: { name: 'f' } }],
        options: { num_predict: 9 },
      },
    })
    assert.equal(provider, 'ollama')
    assertFacts(facts, {
      model: 'llama3.2',
      stream: true,
      maxTokens: 9,
      system: 'Be brief.',
      promptText: 'Be brief.\nSee\n42',
      attachments: [{ kind: 'image', bytes: 3 }],
      toolsOffered: ['f'],
      toolResults: [{ id: 'f', text: '42' }],
    })
    const told = readRequest({ url: CHAT, body: { stream: false } }).facts
    assert.equal(told.stream, false)
  })

  it('YORI reads the lines of a chat', () => {
    const answer = lines(
      { model: 'llama3.2', message: { content: 'He' }, done: false },
      { model: 'llama3.2', message: { content: 'y é' }, done: false },
      {
        model: 'llama3.2',
        message: {
          content: '',
          tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }],
        },
        done: false,
      },
      {
        model: 'llama3.2',
        done: true,
        done_reason: 'stop',
        prompt_eval_count: 26,
        eval_count: 9,
      },
    )
    assertFacts(readAnswer({ url: CHAT, contentType: LINES, answer }), {
      model: 'llama3.2',
      text: 'Hey é',
      toolCalls: [{ name: 'f', argumentsText: '{"a":1}' }],
      finishReason: 'stop',
      events: 4,
      complete: true,
    })
  })

  it('YORI says that lines without the last are incomplete, and estimates', () => {
    const answer = lines({ model: 'm', message: { content: '12345678' }, done: false })
    const facts = readAnswer({ url: CHAT, contentType: LINES, answer, whole: false })
    assertFacts(facts, { complete: false })
    assertFacts(facts.usage, { outputTokens: 2, outputEstimated: true })
  })

  it('YORI reads a generation and its error', () => {
    const url = 'http://ollama.lan/api/generate'
    assertFacts(
      readRequest({ url, body: { model: 'm', prompt: 'Why?', system: 'S' } }).facts,
      {
        api: 'completions',
        promptText: 'S\nWhy?',
      },
    )
    const answer = lines(
      { model: 'm', response: 'Be', done: false },
      { model: 'm', response: 'cause', done: true, done_reason: 'stop', eval_count: 2 },
    )
    assertFacts(readAnswer({ url, contentType: LINES, answer }), { text: 'Because' })
    const failed = readAnswer({
      url,
      contentType: 'application/json; charset=utf-8',
      status: 404,
      answer: '{"error":"model \\"x\\" not found"}',
    })
    assertFacts(failed, { error: { message: 'model "x" not found' } })
  })

  it("YORI knows Ollama's OpenAI paths", () => {
    const head = { host: 'ollama.com', method: 'POST', path: '/v1/chat/completions' }
    assert.equal(recognise(head)?.provider.name, 'ollama')
    assert.equal(recognise(head)?.api, 'chat')
  })
})
