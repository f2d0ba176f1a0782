import assert from 'node:assert/strict'
import { recognise } from '../../src/providers/index.js'
import { bedrockEvent, eventStreamMessage } from '../support/event-stream.js'
import { assertFacts, readAnswer, readRequest } from '../support/exchanges.js'

const HOST = 'https://bedrock-runtime.us-east-1.amazonaws.com'
const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1%3A0'
const JSON_TYPE = 'application/json'
const STREAM_TYPE = 'application/vnd.amazon.eventstream'

describe('bedrock converse', () => {
  const url = `${HOST}/model/${MODEL}/converse`

  it('YORI reads blocks, tools and the model in the path', () => {
    const { provider, facts } = readRequest({
      url,
      body: {
        system: [{ text: 'Be brief.' }],
        messages: [
          {
            role: 'user',
            content: [
              { text: 'See' },
              { image: { format: 'png', source: { bytes: 'AAAA' } } },
              { document: { format: 'pdf', name: 'd', source: { bytes: 'AAAAAA==' } } },
            ],
          },
          {
            role: 'assistant',
            content: [{ toolUse: { toolUseId: 't', name: 'f', input: { a: 1 } } }],
          },
          {
            role: 'user',
            content: [
              {
                toolResult: {
                  toolUseId: 't',
                  content: [{ json: { r: 2 } }, { text: 'ok' }],
                },
              },
            ],
          },
        ],
        toolConfig: { tools: [{ toolSpec: { name: 'f' } }] },
        inferenceConfig: { maxTokens: 9 },
      },
    })
    assert.equal(provider, 'bedrock')
    assertFacts(facts, {
      api: 'converse',
      model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      stream: false,
      system: 'Be brief.',
      promptText: 'Be brief.\nSee\n{"a":1}\n{"r":2}\nok',
      attachments: [
        { kind: 'image', mediaType: 'png', bytes: 3 },
        { kind: 'file', mediaType: 'pdf', bytes: 4 },
      ],
      toolsOffered: ['f'],
      toolResults: [{ id: 't', text: '{"r":2}\nok' }],
      maxTokens: 9,
    })
  })

  const usage = {
    inputTokens: 22,
    outputTokens: 13,
    cacheReadInputTokens: 4,
    cacheWriteInputTokens: 5,
    totalTokens: 44,
  }
  const expected = {
    text: 'Hi é',
    toolCalls: [{ name: 'f', id: 't', argumentsText: '{"a":1}' }],
    finishReason: 'tool_use',
    complete: true,
    usage: {
      inputTokens: 31,
      outputTokens: 13,
      cachedTokens: 4,
      cacheWriteTokens: 5,
      inputEstimated: false,
      outputEstimated: false,
    },
  }

  it('YORI reads an answer', () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'hm' } } },
      { text: 'Hi é' },
      { toolUse: { toolUseId: 't', name: 'f', input: { a: 1 } } },
    ]
    const answer = JSON.stringify({
      output: { message: { role: 'assistant', content } },
      stopReason: 'tool_use',
      usage,
    })
    assertFacts(readAnswer({ url, contentType: JSON_TYPE, answer }), expected)
  })

  const stream = [
    bedrockEvent('messageStart', { role: 'assistant' }),
    bedrockEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi ' } }),
    bedrockEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'é' } }),
    bedrockEvent('contentBlockStop', { contentBlockIndex: 0 }),
    bedrockEvent('contentBlockStart', {
      contentBlockIndex: 1,
      start: { toolUse: { toolUseId: 't', name: 'f' } },
    }),
    bedrockEvent('contentBlockDelta', {
      contentBlockIndex: 1,
      delta: { toolUse: { input: '{"a"' } },
    }),
    bedrockEvent('contentBlockDelta', {
      contentBlockIndex: 1,
      delta: { toolUse: { input: ':1}' } },
    }),
    bedrockEvent('messageStop', { stopReason: 'tool_use' }),
    bedrockEvent('metadata', { usage, metrics: { latencyMs: 1 } }),
  ]

  it('YORI reads a stream', () => {
    const answer = Buffer.concat(stream)
    const facts = readAnswer({ url: `${url}-stream`, contentType: STREAM_TYPE, answer })
    assertFacts(facts, { ...expected, events: 9 })
  })

  it('YORI reads an exception inside a stream', () => {
    const exception = eventStreamMessage(
      { ':exception-type': 'throttlingException', ':message-type': 'exception' },
      { message: 'Too many' },
    )
    const answer = Buffer.concat([...stream.slice(0, 2), exception])
    const facts = readAnswer({ url: `${url}-stream`, contentType: STREAM_TYPE, answer })
    assertFacts(facts, { error: { message: 'Too many', type: 'throttlingException' } })
  })

  it('YORI says that a stream broke off', () => {
    const answer = Buffer.concat(stream.slice(0, 3))
    const facts = readAnswer({
      url: `${url}-stream`,
      contentType: STREAM_TYPE,
      answer,
      whole: false,
    })
    assertFacts(facts, { text: 'Hi é', complete: false })
  })
})

describe('bedrock invoke', () => {
  const url = (model: string, stream = false) =>
    `${HOST}/model/${model}/invoke${stream ? '-with-response-stream' : ''}`
  const chunk = (event: object) =>
    bedrockEvent('chunk', {
      bytes: Buffer.from(JSON.stringify(event)).toString('base64'),
    })

  it("YORI reads Anthropic's shape, whole and streamed", () => {
    const body = {
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
    }
    assertFacts(readRequest({ url: url(MODEL, true), body }).facts, {
      api: 'invoke',
      model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      stream: true,
      promptText: 'Hi',
    })
    const answer = Buffer.concat([
      chunk({
        type: 'message_start',
        message: {
          id: 'm',
          model: 'claude',
          content: [],
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      }),
      chunk({
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      }),
      chunk({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: 'Hey' },
      }),
      chunk({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: 4 },
      }),
      chunk({
        type: 'message_stop',
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 9, outputTokenCount: 4 },
      }),
    ])
    const facts = readAnswer({ url: url(MODEL, true), contentType: STREAM_TYPE, answer })
    assertFacts(facts, { text: 'Hey', finishReason: 'end_turn', complete: true })
    assertFacts(facts.usage, {
      inputTokens: 9,
      outputTokens: 4,
      inputEstimated: false,
      outputEstimated: false,
    })
  })

  const shapes: readonly [string, string, object, object, object][] = [
    [
      'Titan',
      'amazon.titan-text-express-v1',
      { inputText: 'Hi', textGenerationConfig: { maxTokenCount: 5 } },
      {
        inputTextTokenCount: 3,
        results: [{ tokenCount: 4, outputText: 'Hey', completionReason: 'FINISH' }],
      },
      { finishReason: 'FINISH' },
    ],
    [
      'Llama',
      'meta.llama3-8b-instruct-v1:0',
      { prompt: 'Hi', max_gen_len: 5 },
      {
        generation: 'Hey',
        prompt_token_count: 3,
        generation_token_count: 4,
        stop_reason: 'stop',
      },
      { finishReason: 'stop' },
    ],
    [
      'Nova',
      'amazon.nova-lite-v1:0',
      {
        schemaVersion: 'messages-v1',
        messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      },
      {
        output: { message: { content: [{ text: 'Hey' }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 3, outputTokens: 4 },
      },
      { finishReason: 'end_turn' },
    ],
    [
      "OpenAI's",
      'openai.gpt-oss-120b-1:0',
      { messages: [{ role: 'user', content: 'Hi' }] },
      {
        choices: [{ index: 0, message: { content: 'Hey' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      },
      { finishReason: 'stop' },
    ],
  ]
  for (const [title, model, body, answer, more] of shapes) {
    it(`YORI reads ${title} shape`, () => {
      assertFacts(readRequest({ url: url(model), body }).facts, {
        model,
        promptText: 'Hi',
      })
      const facts = readAnswer({
        url: url(model),
        contentType: JSON_TYPE,
        answer: JSON.stringify(answer),
      })
      assertFacts(facts, { text: 'Hey', complete: true, ...more })
      assertFacts(facts.usage, {
        inputTokens: 3,
        outputTokens: 4,
        inputEstimated: false,
        outputEstimated: false,
      })
    })
  }

  it('YORI reads the counts that stand in the head alone', () => {
    const path = '/model/cohere.embed-v4%3A0/invoke'
    const found = recognise({ host: new URL(HOST).hostname, method: 'POST', path })
    assert.equal(found?.api, 'embeddings')
    const head = new Map([['x-amzn-bedrock-input-token-count', '7']])
    const reader = found.provider.reader({
      api: found.api,
      path,
      status: 200,
      contentType: JSON_TYPE,
      header: (name) => head.get(name),
    })
    reader.push(Buffer.from('{"embeddings":{"float":[[0.1,0.2]]}}'))
    assertFacts(reader.end().usage, { inputTokens: 7, outputTokens: undefined })
  })

  it('YORI reads the OpenAI paths of bedrock-mantle', () => {
    const mantle = 'https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses'
    const { provider, facts } = readRequest({
      url: mantle,
      body: { model: 'm', input: 'Hi' },
    })
    assert.equal(provider, 'bedrock')
    assertFacts(facts, { api: 'responses', model: 'm', promptText: 'Hi' })
  })
})
