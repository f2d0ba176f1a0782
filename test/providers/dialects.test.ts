/**
 * Small differences between those who speak the same API, after their public references: who
 * says usage where, how errors look, what comes beside the answer.
 */
import { assertFacts, readAnswer, readRequest, sse } from '../support/exchanges.js'
import type { Answered } from '../support/exchanges.js'

const SSE_TYPE = 'text/event-stream'
const JSON_TYPE = 'application/json'

interface Case {
  readonly title: string
  readonly url: string
  readonly status?: number
  readonly contentType?: string
  readonly answer: string | object
  readonly expected: object
}

function run({ title, answer, expected, ...rest }: Case): void {
  it(`YORI reads ${title}`, () => {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    const stream = /^(?:data|event|:)/.test(text)
    const contentType = rest.contentType ?? (stream ? SSE_TYPE : JSON_TYPE)
    const asked: Answered = { ...rest, contentType, answer: text }
    assertFacts(readAnswer(asked), expected)
  })
}

function named(events: readonly (readonly [string, object])[]): string {
  return events
    .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('')
}

function chunk(delta: object, more: object = {}, choice: object = {}): object {
  return { id: 'c', model: 'm', choices: [{ index: 0, delta, ...choice }], ...more }
}

const uncounted = { inputEstimated: false, outputEstimated: false }
const counted = { ...uncounted, inputTokens: 5, outputTokens: 3 }

function call(id: string, name: string, args: string): object {
  return { index: 0, id, function: { name, arguments: args } }
}

function usage(more: object): object {
  return { completion_tokens: 3, prompt_tokens: 5, ...more }
}

const chats: readonly Case[] = [
  {
    title: "OpenRouter's comments, its cost, and an error that comes with the usage",
    url: 'https://openrouter.ai/api/v1/chat/completions',
    answer: `: OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n${sse(
      chunk({ content: 'Hi', reasoning: null, reasoning_details: [] }),
      chunk({ content: '' }, {}, { finish_reason: 'length' }),
      chunk(
        {},
        { error: { code: 400, message: 'limit' }, usage: usage({ cost: 0.000012 }) },
        { finish_reason: null },
      ),
      '[DONE]',
    )}`,
    expected: {
      text: 'Hi',
      finishReason: 'length',
      error: { message: 'limit', code: '400' },
      usage: { ...counted, costMicroUsd: 12 },
      events: 4,
      complete: true,
    },
  },
  {
    title: "an error of OpenRouter's in a choice",
    url: 'https://openrouter.ai/api/v1/chat/completions',
    answer: {
      id: 'c',
      model: 'm',
      choices: [
        {
          message: { content: '' },
          finish_reason: 'error',
          error: { code: 502, message: 'provider is down' },
        },
      ],
    },
    expected: {
      finishReason: 'error',
      error: { message: 'provider is down', code: '502' },
    },
  },
  {
    title: "Groq's usage beside the chunk, and the tools that it ran itself",
    url: 'https://api.groq.com/openai/v1/chat/completions',
    answer: sse(
      chunk({ reasoning: 'hm', channel: 'analysis' }),
      chunk({ executed_tools: [{ index: 0, type: 'search', arguments: '{}' }] }),
      chunk({ content: 'Hi' }, { x_groq: { id: 'r' } }),
      chunk({}, { x_groq: { id: 'r', usage: usage({}) } }, { finish_reason: 'stop' }),
      '[DONE]',
    ),
    expected: { text: 'Hi', serverTools: ['search'], usage: counted },
  },
  {
    title: 'a call that failed at Groq, as an event of its own name',
    url: 'https://api.groq.com/openai/v1/chat/completions',
    answer: `${sse(chunk({ content: '' }))}event: error\ndata: {"error":{"message":"bad","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"x"}}\n\n`,
    expected: {
      error: { message: 'bad', type: 'invalid_request_error', code: 'tool_use_failed' },
      complete: true,
    },
  },
  {
    title: "DeepSeek's thoughts and cache hits",
    url: 'https://api.deepseek.com/chat/completions',
    answer: sse(
      chunk({ content: null, reasoning_content: 'thinking' }),
      chunk({ content: 'Hi', reasoning_content: null }),
      chunk(
        { content: '' },
        {
          usage: usage({
            prompt_cache_hit_tokens: 4,
            prompt_cache_miss_tokens: 1,
            completion_tokens_details: { reasoning_tokens: 2 },
          }),
        },
        { finish_reason: 'stop' },
      ),
      '[DONE]',
    ),
    expected: {
      text: 'Hi',
      usage: { ...counted, cachedTokens: 4, reasoningTokens: 2 },
    },
  },
  {
    title: "xAI's output, which is without its reasoning",
    url: 'https://api.x.ai/v1/chat/completions',
    answer: {
      model: 'grok-4',
      choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }],
      usage: usage({
        total_tokens: 108,
        completion_tokens_details: { reasoning_tokens: 100 },
      }),
    },
    expected: {
      usage: { ...counted, outputTokens: 103, reasoningTokens: 100 },
    },
  },
  {
    title: "Moonshot's usage inside the last choice",
    url: 'https://api.moonshot.ai/v1/chat/completions',
    answer: sse(
      chunk({ content: 'Hi' }),
      chunk({}, {}, { finish_reason: 'stop', usage: usage({ cached_tokens: 1 }) }),
      '[DONE]',
    ),
    expected: { text: 'Hi', usage: { ...counted, cachedTokens: 1 } },
  },
  {
    title: "the timings of llama.cpp's server where it gives no usage",
    url: 'http://127.0.0.1:8080/v1/chat/completions',
    answer: sse(
      chunk({ content: 'Hi' }),
      chunk(
        {},
        { timings: { cache_n: 2, prompt_n: 3, predicted_n: 3 } },
        {
          finish_reason: 'stop',
        },
      ),
      '[DONE]',
    ),
    expected: { text: 'Hi', usage: { ...counted, cachedTokens: 2 } },
  },
  {
    title: "vLLM's usage in every chunk, of which the last counts",
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    answer: sse(
      chunk({ content: 'H' }, { usage: usage({ completion_tokens: 1 }) }),
      chunk({ content: 'i' }, { usage: usage({ completion_tokens: 2 }) }),
      chunk({}, { usage: usage({}) }, { finish_reason: 'stop', stop_reason: null }),
      '[DONE]',
    ),
    expected: { text: 'Hi', usage: counted },
  },
  {
    title: "Perplexity's chunks, which repeat the whole message, and what it costs",
    url: 'https://api.perplexity.ai/chat/completions',
    answer: sse(
      chunk({ content: 'H' }, {}, { message: { content: 'H' } }),
      chunk(
        { content: 'i' },
        {
          citations: ['https://x.test'],
          usage: usage({ cost: { total_cost: 0.005, request_cost: 0.004 } }),
        },
        { message: { content: 'Hi' }, finish_reason: 'stop' },
      ),
    ),
    expected: {
      text: 'Hi',
      usage: { ...counted, costMicroUsd: 5000 },
      complete: true,
    },
  },
  {
    title: 'calls that a server gives one place in the list',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    answer: sse(
      chunk({ tool_calls: [call('a', 'first', '{"x":1}')] }),
      chunk({ tool_calls: [call('b', 'second', '{"y"')] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ':2}' } }] }),
      '[DONE]',
    ),
    expected: {
      toolCalls: [
        { name: 'first', id: 'a', argumentsText: '{"x":1}' },
        { name: 'second', id: 'b', argumentsText: '{"y":2}' },
      ],
    },
  },
  {
    title: 'a call whose id comes anew with each piece',
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    answer: sse(
      chunk({ tool_calls: [call('a', 'first', '')] }),
      chunk({ tool_calls: [{ index: 0, id: 'b', function: { arguments: '{}' } }] }),
      '[DONE]',
    ),
    expected: { toolCalls: [{ name: 'first', id: 'b', argumentsText: '{}' }] },
  },
  {
    title: 'a stream that was announced as JSON',
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    contentType: JSON_TYPE,
    answer: sse(chunk({ content: 'Hi' }, {}, { finish_reason: 'stop' }), '[DONE]'),
    expected: { text: 'Hi', streamed: true, complete: true },
  },
  {
    title: 'a spoken answer, of which the words are no content',
    url: 'https://api.openai.com/v1/chat/completions',
    answer: {
      model: 'gpt-audio',
      choices: [
        {
          message: { content: null, audio: { id: 'a', data: 'AA', transcript: 'Hello' } },
        },
      ],
    },
    expected: {
      text: '',
      usage: { ...uncounted, outputTokens: 2, outputEstimated: true },
    },
  },
]

const errors: readonly Case[] = [
  {
    title: 'what a framework found wrong',
    url: 'https://api.mistral.ai/v1/chat/completions',
    status: 422,
    answer: { detail: [{ loc: ['body', 'model'], msg: 'field required', type: 'x' }] },
    expected: { error: { message: 'field required' } },
  },
  {
    title: "Mistral's own error",
    url: 'https://api.mistral.ai/v1/chat/completions',
    status: 400,
    answer: {
      object: 'error',
      message: 'Invalid model',
      type: 'invalid_model',
      code: '1500',
    },
    expected: {
      error: { message: 'Invalid model', type: 'invalid_model', code: '1500' },
    },
  },
  {
    title: 'an error within a stream, without an `error`',
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    answer: sse({ object: 'error', message: 'too long', code: 400 }, '[DONE]'),
    expected: { error: { message: 'too long', code: '400' } },
  },
  {
    title: "Hugging Face's texts",
    url: 'https://router.huggingface.co/v1/chat/completions',
    status: 503,
    answer: { error: ['Model is loading', 'wait'], estimated_time: 20 },
    expected: { error: { message: 'Model is loading; wait' } },
  },
  {
    title: "xAI's text with a code",
    url: 'https://api.x.ai/v1/chat/completions',
    status: 400,
    answer: { code: 'Client specified an invalid argument', error: 'Incorrect key' },
    expected: {
      error: { message: 'Incorrect key', code: 'Client specified an invalid argument' },
    },
  },
  {
    title: "Google's error as the one item of an array",
    url: 'https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent',
    status: 400,
    answer: JSON.stringify([
      { error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } },
    ]),
    expected: { error: { message: 'bad', type: 'INVALID_ARGUMENT', code: '400' } },
  },
  {
    title: "Azure's filter, which has no type",
    url: 'https://x.openai.azure.com/openai/deployments/d/chat/completions',
    status: 400,
    answer: {
      error: {
        message: 'filtered',
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
      },
    },
    expected: { error: { message: 'filtered', code: 'content_filter' } },
  },
]

const others: readonly Case[] = [
  {
    title: "a run of an assistant's",
    url: 'https://api.openai.com/v1/threads/t/runs',
    answer: `${named([
      ['thread.run.created', { id: 'run', object: 'thread.run', status: 'queued' }],
      [
        'thread.message.delta',
        { delta: { content: [{ index: 0, type: 'text', text: { value: 'Hi ' } }] } },
      ],
      ['thread.run.step.delta', { delta: {} }],
      [
        'thread.message.delta',
        { delta: { content: [{ index: 0, type: 'text', text: { value: 'é' } }] } },
      ],
      [
        'thread.run.completed',
        { id: 'run', model: 'gpt-4o', status: 'completed', usage: usage({}) },
      ],
    ])}event: done\ndata: [DONE]\n\n`,
    expected: {
      model: 'gpt-4o',
      responseId: 'run',
      text: 'Hi é',
      finishReason: 'completed',
      usage: counted,
      complete: true,
    },
  },
  {
    title: "what an assistant's run wants done",
    url: 'https://api.openai.com/v1/threads/t/runs/r',
    answer: {
      object: 'thread.run',
      status: 'requires_action',
      required_action: {
        submit_tool_outputs: {
          tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }],
        },
      },
    },
    expected: {
      finishReason: 'requires_action',
      toolCalls: [{ name: 'f', id: 'a', argumentsText: '{}' }],
    },
  },
  {
    title: 'tools of the provider once, where a stream of a response breaks off',
    url: 'https://api.openai.com/v1/responses',
    answer: sse(
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'web_search_call' },
      },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'web_search_call' },
      },
    ),
    expected: { serverTools: ['web_search'], complete: false },
  },
  {
    title: "Anthropic's thinking tokens, and a compaction that is paid for",
    url: 'https://api.anthropic.com/v1/messages',
    answer: {
      type: 'message',
      model: 'claude',
      content: [
        { type: 'compaction', content: 'what was said' },
        { type: 'text', text: 'Hi' },
      ],
      stop_reason: 'end_turn',
      usage: {
        input_tokens: 5,
        output_tokens: 3,
        output_tokens_details: { thinking_tokens: 1 },
        iterations: [
          { type: 'compaction', input_tokens: 100, output_tokens: 10 },
          { type: 'message', input_tokens: 5, output_tokens: 3 },
        ],
      },
    },
    expected: {
      text: 'Hi',
      usage: {
        ...uncounted,
        inputTokens: 105,
        outputTokens: 13,
        reasoningTokens: 1,
        cachedTokens: 0,
        cacheWriteTokens: 0,
      },
    },
  },
  {
    title: "Google's own tools in an answer, and what they brought in",
    url: 'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/g:generateContent',
    answer: {
      candidates: [
        {
          content: {
            parts: [
              { toolCall: { toolType: 'GOOGLE_SEARCH_WEB', args: {} } },
              { text: 'x', thought: true },
              { text: 'Hi' },
            ],
          },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: {
        promptTokenCount: 5,
        candidatesTokenCount: 3,
        toolUsePromptTokenCount: 90,
      },
    },
    expected: {
      text: 'Hi',
      serverTools: ['GOOGLE_SEARCH_WEB'],
      usage: { ...counted, inputTokens: 95 },
    },
  },
  {
    title: "Vertex's embeddings by what each text counts",
    url: 'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/text-embedding-005:predict',
    answer: {
      predictions: [
        { embeddings: { values: [0], statistics: { token_count: 2 } } },
        { embeddings: { values: [0], statistics: { token_count: 3 } } },
      ],
    },
    expected: { usage: { ...uncounted, inputTokens: 5 } },
  },
  {
    title: 'an invoked DeepSeek',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.deepseek.r1-v1%3A0/invoke',
    answer: { choices: [{ text: 'Hi', stop_reason: 'stop' }] },
    expected: { text: 'Hi', finishReason: 'stop' },
  },
  {
    title: 'an invoked Jurassic',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/ai21.j2-mid-v1/invoke',
    answer: {
      id: 1,
      prompt: { text: 'x', tokens: [] },
      completions: [
        { data: { text: 'Hi', tokens: [] }, finishReason: { reason: 'endoftext' } },
      ],
    },
    expected: { text: 'Hi', finishReason: 'endoftext' },
  },
  {
    title: 'a cited answer of Converse',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
    answer: {
      output: {
        message: {
          content: [{ citationsContent: { content: [{ text: 'Hi' }], citations: [] } }],
        },
      },
      stopReason: 'guardrail_intervened',
      usage: {
        inputTokens: 5,
        outputTokens: 3,
        cacheWriteInputTokens: 9,
        cacheDetails: [{ ttl: '1h', inputTokens: 9 }],
      },
    },
    expected: {
      text: 'Hi',
      finishReason: 'guardrail_intervened',
      usage: {
        ...counted,
        inputTokens: 14,
        cacheWriteTokens: 9,
        cacheWriteHourTokens: 9,
      },
    },
  },
  {
    title: 'lines of JSON that nobody announced',
    url: 'http://127.0.0.1:11434/api/chat',
    contentType: JSON_TYPE,
    answer: [
      { model: 'm', message: { content: 'H' }, done: false },
      {
        model: 'm',
        message: { content: 'i' },
        done: true,
        done_reason: 'stop',
        eval_count: 3,
      },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
    expected: { text: 'Hi', streamed: true, finishReason: 'stop', complete: true },
  },
]

describe('dialects of the chat API', () => {
  for (const each of chats) run(each)
})

describe('dialects of failing', () => {
  for (const each of errors) run(each)
})

describe('dialects of the other APIs', () => {
  for (const each of others) run(each)
})

describe('dialects of asking', () => {
  const cases: readonly [string, string, object, object][] = [
    [
      "Code Assist's wrapped request",
      'https://generativelanguage.googleapis.com/v1internal:generateContent',
      { model: 'gemini-2.5-pro', request: { contents: [{ parts: [{ text: 'x' }] }] } },
      { api: 'generate', model: 'gemini-2.5-pro', promptText: 'x' },
    ],
    [
      'a prompt that the provider keeps',
      'https://api.openai.com/v1/responses',
      {
        prompt: {
          id: 'p',
          variables: {
            name: 'Ada',
            photo: { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
          },
        },
      },
      {
        promptText: 'Ada',
        attachments: [{ kind: 'image', mediaType: 'image/png', bytes: 3 }],
      },
    ],
    [
      'what a tool of the provider printed, and what was compacted',
      'https://api.anthropic.com/v1/messages',
      {
        messages: [
          {
            role: 'assistant',
            content: [
              { type: 'compaction', content: 'before' },
              {
                type: 'bash_code_execution_tool_result',
                content: { type: 'result', stdout: 'out', stderr: '' },
              },
            ],
          },
        ],
      },
      { promptText: 'before\nout' },
    ],
    [
      'guarded text and search results of Converse',
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
      {
        messages: [
          {
            role: 'user',
            content: [
              { guardContent: { text: { text: 'guarded' } } },
              { searchResult: { title: 't', content: [{ text: 'found' }] } },
            ],
          },
        ],
      },
      { promptText: 'guarded\nfound' },
    ],
    [
      'a run with its thread',
      'https://api.openai.com/v1/threads/runs',
      {
        assistant_id: 'a',
        model: 'gpt-4o',
        instructions: 'Be brief.',
        stream: true,
        thread: { messages: [{ role: 'user', content: 'x' }] },
      },
      { model: 'gpt-4o', stream: true, system: 'Be brief.', lastUserText: 'x' },
    ],
    [
      'the requests of a batch',
      'https://api.anthropic.com/v1/messages/batches',
      {
        requests: ['one', 'two'].map((content) => ({
          custom_id: content,
          params: { model: 'claude', messages: [{ role: 'user', content }] },
        })),
      },
      { api: 'batches', model: 'claude', promptText: 'one\ntwo' },
    ],
    [
      "the requests of Google's batch",
      'https://generativelanguage.googleapis.com/v1beta/models/g:batchGenerateContent',
      {
        batch: {
          input_config: {
            requests: {
              requests: [{ request: { contents: [{ parts: [{ text: 'one' }] }] } }],
            },
          },
        },
      },
      { api: 'batches', model: 'g', promptText: 'one' },
    ],
    [
      "an image of Imagen's",
      'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/imagen-4.0-generate-001:predict',
      { instances: [{ prompt: 'a cat' }], parameters: { sampleCount: 1 } },
      { api: 'images', model: 'imagen-4.0-generate-001', promptText: 'a cat' },
    ],
  ]
  for (const [title, url, body, expected] of cases) {
    it(`YORI reads ${title}`, () => {
      assertFacts(readRequest({ url, body }).facts, expected)
    })
  }
})
