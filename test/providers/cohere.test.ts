import assert from 'node:assert/strict'
import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'

const V2 = 'https://api.cohere.com/v2/chat'
const V1 = 'https://api.cohere.com/v1/chat'
const JSON_TYPE = 'application/json'

const usage = {
  billed_units: { input_tokens: 33, output_tokens: 22 },
  tokens: { input_tokens: 1452, output_tokens: 33 },
  cached_tokens: 144,
}
const expectedUsage = {
  inputTokens: 1452,
  outputTokens: 33,
  cachedTokens: 144,
  billedInputTokens: 33,
  billedOutputTokens: 22,
  inputEstimated: false,
  outputEstimated: false,
}

describe('cohere version 2', () => {
  it('YORI reads a chat', () => {
    const { provider, facts } = readRequest({
      url: V2,
      body: { model: 'command-a-03-2025', messages: [{ role: 'user', content: 'Hi' }] },
    })
    assert.equal(provider, 'cohere')
    assertFacts(facts, { api: 'chat', model: 'command-a-03-2025', promptText: 'Hi' })
    const answer = JSON.stringify({
      id: 'i',
      finish_reason: 'TOOL_CALL',
      message: {
        role: 'assistant',
        content: [{ type: 'text', text: 'Hey' }],
        tool_plan: 'I will look',
        tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      usage,
    })
    assertFacts(readAnswer({ url: V2, contentType: JSON_TYPE, answer }), {
      responseId: 'i',
      text: 'Hey',
      toolCalls: [{ name: 'f', id: 't', argumentsText: '{"a":1}' }],
      finishReason: 'TOOL_CALL',
      usage: expectedUsage,
    })
  })

  it('YORI reads its stream', () => {
    const call = (piece: object) => ({ message: { tool_calls: piece } })
    const answer = sse(
      { type: 'message-start', id: 'i', delta: { message: { role: 'assistant' } } },
      { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I will' } } },
      {
        type: 'content-start',
        index: 0,
        delta: { message: { content: { type: 'text', text: '' } } },
      },
      {
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { text: 'He' } } },
      },
      {
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { text: 'y é' } } },
      },
      { type: 'content-end', index: 0 },
      {
        type: 'tool-call-start',
        index: 0,
        delta: call({ id: 't', function: { name: 'f', arguments: '' } }),
      },
      {
        type: 'tool-call-delta',
        index: 0,
        delta: call({ function: { arguments: '{"a"' } }),
      },
      {
        type: 'tool-call-delta',
        index: 0,
        delta: call({ function: { arguments: ':1}' } }),
      },
      { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage } },
    )
    assertFacts(readAnswer({ url: V2, contentType: 'text/event-stream', answer }), {
      responseId: 'i',
      text: 'Hey é',
      toolCalls: [{ name: 'f', id: 't', argumentsText: '{"a":1}' }],
      finishReason: 'TOOL_CALL',
      complete: true,
      usage: expectedUsage,
    })
  })
})

describe('cohere version 1', () => {
  it('YORI reads message, history and documents', () => {
    const { facts } = readRequest({
      url: V1,
      body: {
        model: 'command-r',
        preamble: 'Be brief.',
        chat_history: [{ role: 'CHATBOT', message: 'Yes?' }],
        message: 'Hi',
        documents: [{ text: 'A fact.' }],
      },
    })
    assertFacts(facts, {
      system: 'Be brief.',
      messages: [
        { role: 'assistant', text: 'Yes?' },
        { role: 'user', text: 'Hi' },
        { role: 'document', text: 'A fact.' },
      ],
    })
  })

  it('YORI reads its stream of JSON lines, drafts not counted twice', () => {
    const response = {
      response_id: 'r',
      text: 'Hey',
      tool_calls: [{ name: 'f', parameters: { a: 1 } }],
      meta: { tokens: usage.tokens, billed_units: usage.billed_units },
    }
    const answer = [
      { event_type: 'stream-start', generation_id: 'g' },
      { event_type: 'text-generation', text: 'He' },
      { event_type: 'text-generation', text: 'y' },
      { event_type: 'stream-end', finish_reason: 'COMPLETE', response },
    ]
      .map((event) => `${JSON.stringify(event)}\n`)
      .join('')
    assertFacts(readAnswer({ url: V1, contentType: 'application/stream+json', answer }), {
      responseId: 'r',
      text: 'Hey',
      toolCalls: [{ name: 'f', argumentsText: '{"a":1}' }],
      finishReason: 'COMPLETE',
      complete: true,
      events: 4,
    })
  })
})
