/** Answers of the kind that each vendor's library reads, after the vendors' references. */
import { bedrockEvent } from './event-stream.js'
import { sse } from './exchanges.js'

export interface Recorded {
  readonly id: string
  readonly url: URL
  readonly model: string
  readonly stream: boolean
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const JSON_TYPE = { 'content-type': 'application/json' }
const SSE_TYPE = { 'content-type': 'text/event-stream' }

function own(id: string, url: string, answer: Partial<Recorded>): Recorded {
  const stream = answer.headers !== undefined && answer.headers !== JSON_TYPE
  return {
    id,
    url: new URL(url),
    model: 'model-1',
    stream,
    status: 200,
    headers: JSON_TYPE,
    body: Buffer.from(''),
    ...answer,
  }
}

function json(value: object): Pick<Recorded, 'body'> {
  return { body: Buffer.from(JSON.stringify(value)) }
}

/** Answers of every library's kind, after the vendors' references. */
export const ownRows: readonly Recorded[] = [
  own(
    'gemini',
    'https://generativelanguage.googleapis.com/v1beta/models/model-1:generateContent',
    json({
      candidates: [
        {
          content: {
            role: 'model',
            parts: [
              { text: 'hm', thought: true },
              { text: 'Hi é' },
              { functionCall: { name: 'f', args: { a: 1 } } },
            ],
          },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: {
        promptTokenCount: 5,
        candidatesTokenCount: 3,
        thoughtsTokenCount: 9,
      },
      modelVersion: 'model-1',
      responseId: 'r',
    }),
  ),
  own(
    'gemini stream',
    'https://generativelanguage.googleapis.com/v1beta/models/model-1:streamGenerateContent?alt=sse',
    {
      headers: SSE_TYPE,
      body: Buffer.from(
        sse(
          {
            candidates: [{ content: { parts: [{ text: 'Hi ' }] } }],
            modelVersion: 'm',
            responseId: 'r',
          },
          {
            candidates: [{ content: { parts: [{ text: 'é' }] }, finishReason: 'STOP' }],
            usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3 },
            modelVersion: 'm',
            responseId: 'r',
          },
        ),
      ),
    },
  ),
  own(
    'mistral',
    'https://api.mistral.ai/v1/chat/completions',
    json({
      id: 'r',
      object: 'chat.completion',
      created: 1,
      model: 'model-1',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
              { type: 'text', text: 'Hi é' },
            ],
            tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
    }),
  ),
  own('ollama stream', 'https://ollama.com/api/chat', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: Buffer.from(
      [
        { model: 'model-1', message: { role: 'assistant', content: 'Hi ' }, done: false },
        {
          model: 'model-1',
          message: { role: 'assistant', content: 'é' },
          done: true,
          done_reason: 'stop',
          prompt_eval_count: 5,
          eval_count: 3,
        },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    ),
  }),
  own('cohere stream', 'https://api.cohere.com/v2/chat', {
    headers: SSE_TYPE,
    body: Buffer.from(
      sse(
        {
          type: 'message-start',
          id: 'r',
          delta: { message: { role: 'assistant', content: [] } },
        },
        {
          type: 'content-start',
          index: 0,
          delta: { message: { content: { type: 'text', text: '' } } },
        },
        {
          type: 'content-delta',
          index: 0,
          delta: { message: { content: { text: 'Hi é' } } },
        },
        { type: 'content-end', index: 0 },
        {
          type: 'tool-call-start',
          index: 0,
          delta: {
            message: {
              tool_calls: {
                id: 'c',
                type: 'function',
                function: { name: 'f', arguments: '' },
              },
            },
          },
        },
        {
          type: 'tool-call-delta',
          index: 0,
          delta: { message: { tool_calls: { function: { arguments: '{"a":1}' } } } },
        },
        { type: 'tool-call-end', index: 0 },
        {
          type: 'message-end',
          delta: {
            finish_reason: 'TOOL_CALL',
            usage: {
              billed_units: { input_tokens: 1, output_tokens: 1 },
              tokens: { input_tokens: 5, output_tokens: 3 },
            },
          },
        },
        '[DONE]',
      ),
    ),
  }),
  own(
    'bedrock converse',
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/model-1/converse',
    json({
      output: {
        message: {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
            { text: 'Hi é' },
            { toolUse: { toolUseId: 'c', name: 'f', input: { a: 1 } } },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: { inputTokens: 5, outputTokens: 3, totalTokens: 8 },
      metrics: { latencyMs: 1 },
    }),
  ),
  own(
    'bedrock converse stream',
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/model-1/converse-stream',
    {
      headers: { 'content-type': 'application/vnd.amazon.eventstream' },
      body: Buffer.concat([
        bedrockEvent('messageStart', { role: 'assistant' }),
        bedrockEvent('contentBlockDelta', {
          contentBlockIndex: 0,
          delta: { text: 'Hi é' },
        }),
        bedrockEvent('contentBlockStop', { contentBlockIndex: 0 }),
        bedrockEvent('contentBlockStart', {
          contentBlockIndex: 1,
          start: { toolUse: { toolUseId: 'c', name: 'f' } },
        }),
        bedrockEvent('contentBlockDelta', {
          contentBlockIndex: 1,
          delta: { toolUse: { input: '{"a":1}' } },
        }),
        bedrockEvent('contentBlockStop', { contentBlockIndex: 1 }),
        bedrockEvent('messageStop', { stopReason: 'tool_use' }),
        bedrockEvent('metadata', {
          usage: { inputTokens: 5, outputTokens: 3, totalTokens: 8 },
          metrics: { latencyMs: 1 },
        }),
      ]),
    },
  ),
]
