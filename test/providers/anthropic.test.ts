import assert from 'node:assert/strict'
import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'

const url = 'https://api.anthropic.com/v1/messages'
const JSON_TYPE = 'application/json'
const SSE_TYPE = 'text/event-stream; charset=utf-8'

describe('anthropic request', () => {
  it('YORI reads system, parts, tool results and MCP servers', () => {
    const { provider, facts } = readRequest({
      url: `${url}?beta=true`,
      body: {
        model: 'claude-sonnet-4-5',
        max_tokens: 99,
        system: [{ type: 'text', text: 'Be brief.' }],
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'image',
                source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' },
              },
              {
                type: 'document',
                source: { type: 'text', media_type: 'text/plain', data: 'A letter.' },
              },
              { type: 'text', text: 'Read it.' },
            ],
          },
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } }],
          },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 't1',
                content: [{ type: 'text', text: 'found' }],
              },
            ],
          },
        ],
        tools: [
          { name: 'f', input_schema: {} },
          { type: 'web_search_20250305', name: 'web_search' },
        ],
        mcp_servers: [
          { type: 'url', name: 'wiki', url: 'https://mcp.test/x?token=secret' },
        ],
      },
    })
    assert.equal(provider, 'anthropic')
    assertFacts(facts, {
      api: 'messages',
      model: 'claude-sonnet-4-5',
      maxTokens: 99,
      system: 'Be brief.',
      messages: [
        { role: 'user', text: 'A letter.\nRead it.' },
        { role: 'assistant', text: '{"a":1}' },
        { role: 'user', text: 'found' },
      ],
      promptText: 'Be brief.\nA letter.\nRead it.\n{"a":1}\nfound',
      attachments: [{ kind: 'image', mediaType: 'image/jpeg', bytes: 3 }],
      toolsOffered: ['f', 'web_search'],
      toolResults: [{ id: 't1', text: 'found' }],
      mcpServers: ['wiki mcp.test'],
    })
  })
})

const opening = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    model: 'claude-sonnet-4-5-20250929',
    content: [],
    stop_reason: null,
    usage: {
      input_tokens: 25,
      output_tokens: 1,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 40,
    },
  },
}
const start = (index: number, content_block: object) => ({
  type: 'content_block_start',
  index,
  content_block,
})
const delta = (index: number, piece: object) => ({
  type: 'content_block_delta',
  index,
  delta: piece,
})
const blocks = [
  start(0, { type: 'text', text: '' }),
  { type: 'ping' },
  delta(0, { type: 'text_delta', text: 'Hello é' }),
  delta(0, { type: 'text_delta', text: ' there' }),
  { type: 'content_block_stop', index: 0 },
  start(1, { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }),
  delta(1, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
  start(2, { type: 'tool_use', id: 't1', name: 'f', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '' }),
  delta(2, { type: 'input_json_delta', partial_json: '{"a"' }),
  delta(2, { type: 'input_json_delta', partial_json: ':1}' }),
]
const closing = [
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 15 },
  },
  { type: 'message_stop' },
]
const expected = {
  model: 'claude-sonnet-4-5-20250929',
  responseId: 'msg_1',
  text: 'Hello é there',
  toolCalls: [{ name: 'f', id: 't1', argumentsText: '{"a":1}' }],
  serverTools: ['web_search'],
  finishReason: 'tool_use',
  complete: true,
  usage: {
    inputTokens: 165,
    outputTokens: 15,
    cachedTokens: 100,
    cacheWriteTokens: 40,
    inputEstimated: false,
    outputEstimated: false,
  },
}

describe('anthropic answer', () => {
  it('YORI reads a whole message', () => {
    const answer = JSON.stringify({
      ...opening.message,
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'Hello é there' },
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
        { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: { ...opening.message.usage, output_tokens: 15 },
    })
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), expected)
  })

  it('YORI reads a stream', () => {
    const answer = sse(opening, ...blocks, ...closing)
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer })
    assertFacts(facts, { ...expected, events: 14 })
  })

  it('YORI keeps the exact input and estimates the output of a stream that breaks off', () => {
    const answer = sse(opening, ...blocks)
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer, whole: false })
    assertFacts(facts, { text: 'Hello é there', complete: false })
    // 13 characters of text, 1 of a tool's name, 7 of its arguments.
    assertFacts(facts.usage, {
      inputTokens: 165,
      outputTokens: 6,
      inputEstimated: false,
      outputEstimated: true,
    })
  })

  it('YORI reads an error event', () => {
    const answer = sse(opening, {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
    })
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer })
    assertFacts(facts, { error: { type: 'overloaded_error', message: 'Overloaded' } })
  })

  it('YORI reads an error body', () => {
    const answer = JSON.stringify({
      type: 'error',
      error: { type: 'not_found_error', message: 'model: x' },
    })
    const facts = readAnswer({ url, contentType: JSON_TYPE, status: 404, answer })
    assertFacts(facts, {
      error: { type: 'not_found_error', message: 'model: x' },
      text: '',
    })
  })

  it('YORI reads a legacy text completion', () => {
    const legacy = 'https://api.anthropic.com/v1/complete'
    const request = { model: 'claude-2.1', prompt: '\n\nHuman: hi\n\nAssistant:' }
    assertFacts(readRequest({ url: legacy, body: request }).facts, {
      api: 'completions',
      model: 'claude-2.1',
      promptText: request.prompt,
    })
    const piece = (completion: string, stop_reason: string | null) => ({
      type: 'completion',
      id: 'compl_1',
      model: 'claude-2.1',
      completion,
      stop_reason,
    })
    const answer = sse(
      piece(' He', null),
      { type: 'ping' },
      piece('llo', 'stop_sequence'),
    )
    assertFacts(readAnswer({ url: legacy, contentType: SSE_TYPE, answer }), {
      text: ' Hello',
      finishReason: 'stop_sequence',
      complete: true,
    })
  })

  it('YORI reads no tokens from a count of tokens: nothing was used', () => {
    const counting = `${url}/count_tokens`
    const facts = readAnswer({
      url: counting,
      contentType: JSON_TYPE,
      answer: '{"input_tokens":14}',
      promptChars: 50,
    })
    assertFacts(facts.usage, {
      inputTokens: undefined,
      inputEstimated: false,
      outputEstimated: false,
    })
  })
})
