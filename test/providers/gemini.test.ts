import assert from 'node:assert/strict'
import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'

const BASE = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash'
const JSON_TYPE = 'application/json; charset=UTF-8'
const SSE_TYPE = 'text/event-stream'

const pieces = [
  {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [{ text: 'Let me think', thought: true }, { text: 'Hello ' }],
        },
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 8,
      candidatesTokenCount: 1,
      thoughtsTokenCount: 7,
    },
    modelVersion: 'gemini-2.5-flash-001',
    responseId: 'r1',
  },
  {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { text: 'wörld' },
            { functionCall: { id: 'c1', name: 'f', args: { a: 1 } } },
          ],
        },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 8,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 7,
      cachedContentTokenCount: 3,
    },
    modelVersion: 'gemini-2.5-flash-001',
    responseId: 'r1',
  },
]
const expected = {
  model: 'gemini-2.5-flash-001',
  responseId: 'r1',
  text: 'Hello wörld',
  toolCalls: [{ name: 'f', id: 'c1', argumentsText: '{"a":1}' }],
  finishReason: 'STOP',
  complete: true,
  usage: {
    inputTokens: 8,
    outputTokens: 12,
    cachedTokens: 3,
    reasoningTokens: 7,
    inputEstimated: false,
    outputEstimated: false,
  },
}

describe('gemini', () => {
  it('YORI reads contents, system, tools and attachments of a request', () => {
    const { provider, facts } = readRequest({
      url: `${BASE}:streamGenerateContent?alt=sse`,
      body: {
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'See:' },
              { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
              { file_data: { mime_type: 'video/mp4', file_uri: 'x' } },
            ],
          },
          { role: 'model', parts: [{ functionCall: { name: 'f', args: { a: 1 } } }] },
          {
            role: 'user',
            parts: [{ functionResponse: { name: 'f', response: { r: 2 } } }],
          },
        ],
        tools: [{ functionDeclarations: [{ name: 'f' }] }, { googleSearch: {} }],
        generationConfig: { maxOutputTokens: 9 },
      },
    })
    assert.equal(provider, 'gemini')
    assertFacts(facts, {
      api: 'generate',
      model: 'gemini-2.5-flash',
      stream: true,
      maxTokens: 9,
      system: 'Be brief.',
      messages: [
        { role: 'user', text: 'See:' },
        { role: 'assistant', text: '{"a":1}' },
        { role: 'user', text: '{"r":2}' },
      ],
      attachments: [
        { kind: 'image', mediaType: 'image/png', bytes: 3 },
        { kind: 'video', mediaType: 'video/mp4' },
      ],
      toolsOffered: ['f', 'googleSearch'],
      toolResults: [{ id: 'f', text: '{"r":2}' }],
    })
  })

  it('YORI reads a stream of events', () => {
    const url = `${BASE}:streamGenerateContent?alt=sse`
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer: sse(...pieces) })
    assertFacts(facts, { ...expected, events: 2 })
  })

  it('YORI reads a stream that is one JSON array', () => {
    const url = `${BASE}:streamGenerateContent`
    const answer = JSON.stringify(pieces, null, 1)
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), expected)
  })

  it('YORI reads an error, and a prompt that was refused', () => {
    const url = `${BASE}:generateContent`
    const error = { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' }
    const failed = readAnswer({
      url,
      contentType: JSON_TYPE,
      status: 400,
      answer: JSON.stringify({ error }),
    })
    assertFacts(failed, {
      error: { message: 'bad', type: 'INVALID_ARGUMENT', code: '400' },
    })
    const refused = readAnswer({
      url,
      contentType: JSON_TYPE,
      answer: JSON.stringify({ promptFeedback: { blockReason: 'SAFETY' } }),
    })
    assertFacts(refused, { refused: 'SAFETY', text: '' })
  })

  it('YORI tells the calls of Google by path', () => {
    const api = (url: string) => readRequest({ url, body: {} }).facts.api
    assert.equal(api(`${BASE}:countTokens`), 'count-tokens')
    assert.equal(api(`${BASE}:batchEmbedContents`), 'embeddings')
    const host = 'https://generativelanguage.googleapis.com'
    assert.equal(api(`${host}/v1beta/models`), 'models')
    assert.equal(api(`${host}/upload/v1beta/files`), 'files')
    assert.equal(api(`${host}/v1beta/openai/chat/completions`), 'chat')
    assert.equal(
      api(`${host}/ws/google.ai.GenerativeService.BidiGenerateContent`),
      'realtime',
    )
  })

  it('YORI reads OpenAI chats through Google', () => {
    const url = 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'
    const body = { model: 'gemini-2.5-pro', messages: [{ role: 'user', content: 'Hi' }] }
    assertFacts(readRequest({ url, body }).facts, {
      model: 'gemini-2.5-pro',
      promptText: 'Hi',
    })
    const choice = { index: 0, message: { content: 'Hey' }, finish_reason: 'stop' }
    const answer = JSON.stringify({ choices: [choice] })
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), { text: 'Hey' })
  })

  it('YORI reads Anthropic messages on Vertex', () => {
    const url =
      'https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/' +
      'publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict'
    const { provider, facts } = readRequest({
      url,
      body: {
        anthropic_version: 'vertex-2023-10-16',
        messages: [{ role: 'user', content: 'Hi' }],
      },
    })
    assert.equal(provider, 'vertex')
    assertFacts(facts, {
      api: 'messages',
      model: 'claude-sonnet-4@20250514',
      stream: true,
      promptText: 'Hi',
    })
    const message = { type: 'message', content: [{ type: 'text', text: 'Hey' }] }
    const answer = JSON.stringify(message)
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), { text: 'Hey' })
  })
})
