import assert from 'node:assert/strict'
import { recognise } from '../../src/providers/index.js'
import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'

const CHAT = 'https://api.openai.com/v1/chat/completions'
const JSON_TYPE = 'application/json'
const SSE_TYPE = 'text/event-stream; charset=utf-8'

function chunk(delta: object, finish: string | null = null, index = 0): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-4o-2024-08-06',
    choices: [{ index, delta, finish_reason: finish }],
  }
}

describe('openai chat request', () => {
  it('YORI reads who is asked what, with which tools and attachments', () => {
    const { provider, facts } = readRequest({
      url: CHAT,
      body: {
        model: 'gpt-4o',
        stream: true,
        max_completion_tokens: 50,
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
              { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
              { type: 'input_audio', input_audio: { data: 'AAAAAA==', format: 'wav' } },
            ],
          },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                id: 'c1',
                type: 'function',
                function: { name: 'look', arguments: '{"a":1}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
        ],
        tools: [
          { type: 'function', function: { name: 'look', parameters: {} } },
          { type: 'custom', custom: { name: 'shell' } },
        ],
      },
    })
    assert.equal(provider, 'openai')
    assertFacts(facts, {
      api: 'chat',
      model: 'gpt-4o',
      stream: true,
      maxTokens: 50,
      system: 'Be brief.',
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'What is this?' },
        { role: 'assistant', text: '{"a":1}' },
        { role: 'tool', text: 'a cat' },
      ],
      promptText: 'Be brief.\nWhat is this?\n{"a":1}\na cat',
      lastUserText: 'What is this?',
      attachments: [
        { kind: 'image', mediaType: 'image/png', bytes: 3 },
        { kind: 'image' },
        { kind: 'audio', mediaType: 'audio/wav', bytes: 4 },
      ],
      toolsOffered: ['look', 'shell'],
      toolResults: [{ id: 'c1', text: 'a cat' }],
      cut: false,
    })
  })

  it('YORI keeps its bounds and says so', () => {
    const messages = Array.from({ length: 2_001 }, () => ({ role: 'user', content: 'x' }))
    const { facts } = readRequest({ url: CHAT, body: { messages } })
    assert.equal(facts.messages.length, 2_000)
    assert.equal(facts.cut, true)
    const long = { messages: [{ role: 'user', content: 'x'.repeat(300_000) }] }
    const read = readRequest({ url: CHAT, body: long }).facts
    assert.equal(read.promptText.length, 256 * 1024)
    assert.equal(read.messages[0]?.text.length, 32 * 1024)
    assert.equal(read.promptChars, 300_000)
    assert.equal(read.cut, true)
  })

  for (const body of [undefined, null, 1, 'x', [], {}, { messages: 3, model: {} }]) {
    it(`YORI reads nothing from ${JSON.stringify(body)}`, () => {
      const { facts } = readRequest({ url: CHAT, body })
      assertFacts(facts, { api: 'chat', messages: [], promptText: '', model: undefined })
    })
  }
})

describe('openai chat answer', () => {
  it('YORI reads a whole answer', () => {
    const facts = readAnswer({
      url: CHAT,
      contentType: JSON_TYPE,
      answer: JSON.stringify({
        id: 'chatcmpl-1',
        model: 'gpt-4o-2024-08-06',
        choices: [
          {
            index: 0,
            message: {
              content: 'Hi é',
              tool_calls: [
                { id: 'c1', function: { name: 'look', arguments: '{"a":1}' } },
              ],
            },
            finish_reason: 'tool_calls',
          },
          { index: 1, message: { content: 'Other' }, finish_reason: 'stop' },
        ],
        usage: {
          prompt_tokens: 20,
          completion_tokens: 9,
          prompt_tokens_details: { cached_tokens: 16 },
          completion_tokens_details: { reasoning_tokens: 4 },
        },
      }),
    })
    assertFacts(facts, {
      model: 'gpt-4o-2024-08-06',
      responseId: 'chatcmpl-1',
      text: 'Hi é',
      toolCalls: [{ name: 'look', id: 'c1', argumentsText: '{"a":1}' }],
      finishReason: 'tool_calls',
      events: 0,
      complete: true,
      usage: {
        inputTokens: 20,
        outputTokens: 9,
        cachedTokens: 16,
        reasoningTokens: 4,
        inputEstimated: false,
        outputEstimated: false,
      },
    })
  })

  it('YORI reads a stream with a closing usage chunk', () => {
    const facts = readAnswer({
      url: CHAT,
      contentType: SSE_TYPE,
      answer: sse(
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'He' }),
        chunk({ content: 'y 😀' }),
        chunk({}, 'stop'),
        {
          id: 'chatcmpl-1',
          model: 'gpt-4o-2024-08-06',
          choices: [],
          usage: { prompt_tokens: 7, completion_tokens: 3 },
        },
        '[DONE]',
      ),
    })
    assertFacts(facts, {
      text: 'Hey 😀',
      finishReason: 'stop',
      events: 6,
      complete: true,
    })
    assertFacts(facts.usage, {
      inputTokens: 7,
      outputTokens: 3,
      inputEstimated: false,
      outputEstimated: false,
    })
  })

  it('YORI joins the pieces of parallel tool calls', () => {
    const piece = (index: number, call: object) =>
      chunk({ tool_calls: [{ index, ...call }] })
    const facts = readAnswer({
      url: CHAT,
      contentType: SSE_TYPE,
      answer: sse(
        piece(0, { id: 'a', function: { name: 'one', arguments: '' } }),
        piece(0, { function: { arguments: '{"x"' } }),
        piece(1, { id: 'b', function: { name: 'two', arguments: '{}' } }),
        piece(0, { function: { arguments: ':1}' } }),
        chunk({}, 'tool_calls'),
        '[DONE]',
      ),
    })
    assert.deepEqual(facts.toolCalls, [
      { name: 'one', id: 'a', argumentsText: '{"x":1}' },
      { name: 'two', id: 'b', argumentsText: '{}' },
    ])
  })

  it('YORI estimates what no usage says, and marks it', () => {
    const facts = readAnswer({
      url: CHAT,
      contentType: SSE_TYPE,
      promptChars: 41,
      answer: sse(chunk({ content: '12345678' }), chunk({}, 'stop'), '[DONE]'),
    })
    assertFacts(facts.usage, {
      inputTokens: 11,
      outputTokens: 2,
      inputEstimated: true,
      outputEstimated: true,
    })
  })

  it('YORI estimates nothing of a call that failed, or that asked nothing', () => {
    const failed = readAnswer({
      url: CHAT,
      contentType: 'text/html',
      status: 502,
      promptChars: 100,
      answer: '<html>bad gateway</html>',
    })
    assertFacts(failed.usage, {
      inputTokens: undefined,
      inputEstimated: false,
      outputEstimated: false,
    })
    const queued = '{"id":"resp_1","object":"response","status":"queued","usage":null}'
    const polled = readAnswer({
      url: 'https://api.openai.com/v1/responses/resp_1',
      contentType: JSON_TYPE,
      answer: queued,
    })
    assertFacts(polled, { finishReason: undefined })
    assertFacts(polled.usage, {
      inputTokens: undefined,
      inputEstimated: false,
      outputEstimated: false,
    })
  })

  it('YORI records a stream that breaks off as incomplete', () => {
    const answer = sse(chunk({ content: '12345678' })) + 'data: {"id":"chatc'
    const facts = readAnswer({ url: CHAT, contentType: SSE_TYPE, answer, whole: false })
    assertFacts(facts, { text: '12345678', complete: false, events: 2, unread: 1 })
    assertFacts(facts.usage, {
      outputTokens: 2,
      inputEstimated: false,
      outputEstimated: true,
    })
  })

  it('YORI calls a stream without a closing word incomplete even when it ended well', () => {
    const answer = sse(chunk({ content: 'a' }))
    assert.equal(readAnswer({ url: CHAT, contentType: SSE_TYPE, answer }).complete, false)
  })

  it('YORI reads an error inside a stream', () => {
    const answer = sse(chunk({ content: 'a' }), {
      error: { message: 'overloaded', type: 'server_error', code: null },
    })
    const facts = readAnswer({ url: CHAT, contentType: SSE_TYPE, answer })
    assertFacts(facts, { error: { message: 'overloaded', type: 'server_error' } })
    assert.equal(facts.complete, true)
  })

  const errors: readonly [string, object][] = [
    [
      '{"error":{"message":"no","type":"t","code":"c"}}',
      { message: 'no', type: 't', code: 'c' },
    ],
    ['{"error":"no"}', { message: 'no' }],
    ['{"message":"no"}', { message: 'no' }],
    ['{"detail":"no"}', { message: 'no' }],
  ]
  for (const [answer, error] of errors) {
    it(`YORI reads the error ${answer}`, () => {
      const facts = readAnswer({ url: CHAT, contentType: JSON_TYPE, status: 400, answer })
      assertFacts(facts, { error, text: '' })
    })
  }

  for (const answer of ['null', '3', '{"a":', '[', '<html>', '{"choices":{"0":1}}']) {
    it(`YORI survives ${answer}`, () => {
      const facts = readAnswer({ url: CHAT, contentType: JSON_TYPE, answer })
      assertFacts(facts, { text: '', toolCalls: [] })
    })
  }

  it('YORI leaves a body over its limits unread and counts it', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const facts = readAnswer2(deep)
    assertFacts(facts, { text: '', unread: 1, complete: true })
    const many = JSON.stringify({ choices: Array.from({ length: 200_000 }, () => ({})) })
    assertFacts(readAnswer2(many), { unread: 1 })
  })

  it('YORI reads the family under its own names and prefixes', () => {
    const { facts } = readRequest({
      url: 'https://api.openai.com/v1/completions',
      body: { model: 'davinci-002', prompt: ['a', 'b'] },
    })
    assertFacts(facts, { api: 'completions', model: 'davinci-002', promptText: 'a\nb' })
    const answer = sse(
      {
        id: 'cmpl-1',
        model: 'm',
        choices: [{ text: 'x', index: 0, finish_reason: null }],
      },
      {
        id: 'cmpl-1',
        model: 'm',
        choices: [{ text: 'y', index: 0, finish_reason: 'length' }],
      },
      '[DONE]',
    )
    const read = readAnswer({
      url: 'https://api.openai.com/v1/completions',
      contentType: SSE_TYPE,
      answer,
    })
    assertFacts(read, { text: 'xy', finishReason: 'length', model: 'm' })
  })
})

describe('openai embeddings and images', () => {
  const read = (path: string, answer: string) => {
    const found = recognise({ host: 'api.openai.com', method: 'POST', path })
    assert.ok(found)
    const context = { api: found.api, path, status: 200, contentType: JSON_TYPE }
    const reader = found.provider.reader(context)
    const bytes = Buffer.from(answer)
    for (let at = 0; at < bytes.length; at += 10_000)
      reader.push(bytes.subarray(at, at + 10_000))
    return reader.end()
  }

  it('YORI reads the usage behind megabytes of numbers', () => {
    const embedding = Array.from({ length: 1536 }, (_, i) => Math.sin(i))
    const data = Array.from({ length: 200 }, (_, index) => ({ index, embedding }))
    const answer = JSON.stringify({
      data,
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: 800, total_tokens: 800 },
    })
    assert.ok(answer.length > 5_000_000)
    const facts = read('/v1/embeddings', answer)
    assertFacts(facts, { model: 'text-embedding-3-small', unread: 0, complete: true })
    assertFacts(facts.usage, {
      inputTokens: 800,
      inputEstimated: false,
      outputEstimated: false,
    })
  })

  it('YORI reads a stream with an image in its closing event', () => {
    const image = { type: 'image_generation_call', result: 'A'.repeat(3_000_000) }
    const response = {
      id: 'r',
      model: 'm',
      status: 'completed',
      output: [image],
      usage: { input_tokens: 9, output_tokens: 60 },
    }
    const partial = {
      type: 'response.image_generation_call.partial_image',
      partial_image_b64: 'A'.repeat(1_500_000),
    }
    const path = '/v1/responses'
    const found = recognise({ host: 'api.openai.com', method: 'POST', path })
    assert.ok(found)
    const context = { api: found.api, path, status: 200, contentType: SSE_TYPE }
    const reader = found.provider.reader(context)
    const bytes = Buffer.from(sse(partial, { type: 'response.completed', response }))
    for (let at = 0; at < bytes.length; at += 16_384)
      reader.push(bytes.subarray(at, at + 16_384))
    const facts = reader.end()
    assertFacts(facts, {
      events: 2,
      unread: 0,
      complete: true,
      finishReason: 'completed',
    })
    assert.deepEqual(facts.serverTools, ['image_generation'])
    assertFacts(facts.usage, {
      inputTokens: 9,
      outputTokens: 60,
      inputEstimated: false,
      outputEstimated: false,
    })
  })

  it('YORI reads the usage behind images', () => {
    const answer = JSON.stringify({
      data: [{ b64_json: 'A'.repeat(2_000_000) }, { b64_json: 'B'.repeat(2_000_000) }],
      usage: { input_tokens: 9, output_tokens: 4160 },
    })
    const facts = read('/v1/images/generations', answer)
    assertFacts(facts.usage, { inputTokens: 9, outputTokens: 4160 })
  })
})

/** One piece only: large bodies are not split at every offset. */
function readAnswer2(answer: string) {
  const found = recognise({
    host: 'api.openai.com',
    method: 'POST',
    path: '/v1/chat/completions',
  })
  assert.ok(found)
  const reader = found.provider.reader({
    api: found.api,
    path: '/v1/chat/completions',
    status: 200,
    contentType: JSON_TYPE,
  })
  reader.push(Buffer.from(answer))
  return reader.end()
}

describe('openai responses', () => {
  const url = 'https://api.openai.com/v1/responses'

  it('YORI reads input items, instructions and MCP servers of a request', () => {
    const { facts } = readRequest({
      url,
      body: {
        model: 'gpt-5',
        instructions: 'Be kind.',
        previous_response_id: 'resp_0',
        conversation: { id: 'conv_1' },
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
          { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"q":2}' },
          { type: 'function_call_output', call_id: 'c', output: 'done' },
          { type: 'message', role: 'user', content: 'More' },
        ],
        tools: [
          { type: 'function', name: 'f' },
          { type: 'web_search' },
          {
            type: 'mcp',
            server_label: 'wiki',
            server_url: 'https://mcp.test/sse?key=secret',
          },
        ],
      },
    })
    assertFacts(facts, {
      api: 'responses',
      system: 'Be kind.',
      promptText: 'Be kind.\nHello\n{"q":2}\ndone\nMore',
      lastUserText: 'More',
      toolsOffered: ['f', 'web_search', 'wiki'],
      toolResults: [{ id: 'c', text: 'done' }],
      mcpServers: ['wiki mcp.test'],
      previousResponseId: 'resp_0',
      conversationId: 'conv_1',
    })
  })

  const usage = {
    input_tokens: 30,
    output_tokens: 12,
    input_tokens_details: { cached_tokens: 8, cache_write_tokens: 2 },
    output_tokens_details: { reasoning_tokens: 5 },
  }
  const output = [
    { type: 'reasoning', summary: [] },
    { type: 'web_search_call', status: 'completed' },
    {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi there' }],
    },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"q":2}' },
  ]
  const response = { id: 'resp_1', model: 'gpt-5-x', status: 'completed', output, usage }
  const expected = {
    model: 'gpt-5-x',
    responseId: 'resp_1',
    text: 'Hi there',
    toolCalls: [{ name: 'f', id: 'c', argumentsText: '{"q":2}' }],
    serverTools: ['web_search'],
    finishReason: 'completed',
    complete: true,
    usage: {
      inputTokens: 30,
      outputTokens: 12,
      cachedTokens: 8,
      cacheWriteTokens: 2,
      reasoningTokens: 5,
      inputEstimated: false,
      outputEstimated: false,
    },
  }

  it('YORI reads a whole answer', () => {
    const answer = JSON.stringify(response)
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), expected)
  })

  const opening = {
    type: 'response.created',
    response: { id: 'resp_1', model: 'gpt-5-x', status: 'in_progress', output: [] },
  }
  const draft = [
    opening,
    { type: 'response.in_progress', response: opening.response },
    { type: 'response.output_text.delta', output_index: 2, delta: 'Hi ' },
    { type: 'response.output_text.delta', output_index: 2, delta: 'there' },
    {
      type: 'response.output_item.added',
      output_index: 3,
      item: { type: 'function_call', call_id: 'c', name: 'f', arguments: '' },
    },
    { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{"q"' },
  ]

  it('YORI reads a stream by its closing event, drafts not counted twice', () => {
    const closing = { type: 'response.completed', response }
    const answer = sse(...draft, closing)
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer })
    assertFacts(facts, { ...expected, events: 7 })
  })

  it('YORI reads the drafts of a stream that breaks off', () => {
    const answer = sse(...draft)
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer, whole: false })
    assertFacts(facts, {
      model: 'gpt-5-x',
      text: 'Hi there',
      toolCalls: [{ name: 'f', id: 'c', argumentsText: '{"q"' }],
      complete: false,
    })
    assert.equal(facts.usage.outputEstimated, true)
  })

  it('YORI reads a failed response', () => {
    const failed = {
      ...response,
      status: 'failed',
      output: [],
      error: { code: 'server_error', message: 'sorry' },
    }
    const answer = sse(opening, { type: 'response.failed', response: failed })
    const facts = readAnswer({ url, contentType: SSE_TYPE, answer })
    assertFacts(facts, {
      finishReason: 'failed',
      error: { message: 'sorry', code: 'server_error' },
      complete: true,
    })
  })
})
