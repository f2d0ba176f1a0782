/**
 * One sentence in the words of each provider, whole and streamed. Written from the vendors'
 * references, not from YORI's readers, which the matrix holds to account.
 */
import { bedrockEvent } from '../support/event-stream.js'
import { encoded } from '../support/llm-protos.js'

/** What the model always says. Beyond ASCII, so that a broken encoding shows. */
export const ANSWER = 'Forty-two — 四十二, said the model.'
export const INPUT_TOKENS = 1234
export const OUTPUT_TOKENS = 56

export interface Asked {
  readonly host: string
  readonly serverName: string
  readonly method: string
  readonly path: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface Answer {
  readonly type: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly pieces: readonly (string | Buffer)[]
  readonly trailers?: Readonly<Record<string, string>>
}

type Json = Record<string, unknown>
type Dialect = (asked: Asked, body: Json) => Answer | undefined

export function answerTo(asked: Asked): Answer {
  const body = jsonOf(asked.body)
  for (const dialect of DIALECTS) {
    const answer = dialect(asked, body)
    if (answer !== undefined) return answer
  }
  return json({ error: { message: `nothing at ${asked.path}` } }, 404)
}

const PIECES = ANSWER.split(/(?= )/)

function jsonOf(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString()) as Json
  } catch {
    return {}
  }
}

function json(value: unknown, status = 200): Answer {
  return { type: 'application/json', status, pieces: [JSON.stringify(value)] }
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (value: Json): string => `event: ${String(value.type)}\n${data(value)}`
const events = (pieces: readonly string[]): Answer => ({
  type: 'text/event-stream; charset=utf-8',
  pieces,
})

/** developers.openai.com: chat completions; Mistral, Groq and others speak it as well. */
const chat: Dialect = ({ method, url }, body) => {
  if (method !== 'POST' || !url.pathname.endsWith('/chat/completions')) return undefined
  const common = { id: 'chatcmpl-1', created: 1_767_225_600, model: body.model }
  const usage = {
    prompt_tokens: INPUT_TOKENS,
    completion_tokens: OUTPUT_TOKENS,
    total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
  }
  if (body.stream !== true)
    return json({
      ...common,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: ANSWER, refusal: null },
        },
      ],
      usage,
    })
  const chunk = { ...common, object: 'chat.completion.chunk' }
  const choice = (delta: Json, finish: string | null = null): string =>
    data({ ...chunk, choices: [{ index: 0, delta, finish_reason: finish }] })
  return events([
    choice({ role: 'assistant', content: '' }),
    ...PIECES.map((content) => choice({ content })),
    choice({}, 'stop'),
    data({ ...chunk, choices: [], usage }),
    'data: [DONE]\n\n',
  ])
}

/** platform.openai.com/docs/api-reference/responses and /responses-streaming. */
export function responseEvents(model: unknown, id = 'resp_1'): Json[] {
  const response = (status: string, rest: Json = {}): Json => ({
    ...{ id, object: 'response', created_at: 1_767_225_600, status, model },
    ...{ error: null, incomplete_details: null, instructions: null, output: [] },
    ...{ parallel_tool_calls: true, tool_choice: 'auto', tools: [], metadata: {} },
    ...{ temperature: 1, top_p: 1, usage: null },
    ...rest,
  })
  const part = (text: string): Json => ({
    ...{ type: 'output_text', text, annotations: [], logprobs: [] },
  })
  const item = (status: string, content: readonly Json[]): Json => ({
    ...{ id: 'msg_1', type: 'message', status, role: 'assistant', content },
  })
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  const done = item('completed', [part(ANSWER)])
  const usage = {
    input_tokens: INPUT_TOKENS,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: OUTPUT_TOKENS,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
  }
  const all: Json[] = [
    { type: 'response.created', response: response('in_progress') },
    { type: 'response.in_progress', response: response('in_progress') },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: item('in_progress', []),
    },
    { type: 'response.content_part.added', ...at, part: part('') },
    ...PIECES.map((delta) => ({
      ...{ type: 'response.output_text.delta', ...at, delta, logprobs: [] },
    })),
    { type: 'response.output_text.done', ...at, text: ANSWER, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: part(ANSWER) },
    { type: 'response.output_item.done', output_index: 0, item: done },
    {
      type: 'response.completed',
      response: response('completed', { output: [done], usage }),
    },
  ]
  return all.map((event, index) => ({ ...event, sequence_number: index }))
}

const responses: Dialect = ({ method, url }, body) => {
  if (method !== 'POST' || !url.pathname.endsWith('/responses')) return undefined
  const all = responseEvents(body.model)
  return body.stream === true ? events(all.map(named)) : json(all.at(-1)?.response)
}

/** docs.anthropic.com/en/api/messages and /messages-streaming. */
const messages: Dialect = ({ method, url }, body) => {
  if (method !== 'POST') return undefined
  if (url.pathname.endsWith('/messages/count_tokens'))
    return json({ input_tokens: INPUT_TOKENS })
  if (!url.pathname.endsWith('/messages')) return undefined
  const usage = { input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS }
  const message = {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: body.model },
    ...{ stop_reason: 'end_turn', stop_sequence: null },
  }
  if (body.stream !== true)
    return json({ ...message, content: [{ type: 'text', text: ANSWER }], usage })
  const opening = { ...message, content: [], stop_reason: null }
  return events(
    [
      {
        type: 'message_start',
        message: { ...opening, usage: { ...usage, output_tokens: 1 } },
      },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      },
      { type: 'ping' },
      ...PIECES.map((text) => ({
        ...{ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
      })),
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: OUTPUT_TOKENS },
      },
      { type: 'message_stop' },
    ].map(named),
  )
}

/** ai.google.dev/api/generate-content. */
const generate: Dialect = ({ method, url }, body) => {
  const [, model, call] = /\/models\/([^:]+):(\w+)$/.exec(url.pathname) ?? []
  if (method !== 'POST' || call === undefined) return undefined
  if (call === 'countTokens') return json({ totalTokens: INPUT_TOKENS })
  const usageMetadata = {
    promptTokenCount: INPUT_TOKENS,
    candidatesTokenCount: OUTPUT_TOKENS,
    totalTokenCount: INPUT_TOKENS + OUTPUT_TOKENS,
  }
  const said = (text: string, finishReason?: string): Json => ({
    candidates: [
      { content: { role: 'model', parts: [{ text }] }, finishReason, index: 0 },
    ],
    usageMetadata,
    modelVersion: model,
    responseId: 'r1',
  })
  const wantsJson =
    (body.generationConfig as Json | undefined)?.responseMimeType === 'application/json'
  if (call === 'generateContent')
    return json(
      said(
        wantsJson
          ? '{"complexity_score":1,"complexity_reasoning":"short","reasoning":"short","model_choice":"flash","next_speaker":"user"}'
          : ANSWER,
        'STOP',
      ),
    )
  const pieces = PIECES.map((text, at) =>
    said(text, at === PIECES.length - 1 ? 'STOP' : undefined),
  )
  return url.searchParams.get('alt') === 'sse' ? events(pieces.map(data)) : json(pieces)
}

/** docs.cohere.com/reference/chat and /chat-stream. */
const cohere: Dialect = ({ method, url }, body) => {
  if (method !== 'POST' || url.pathname !== '/v2/chat') return undefined
  const counts = { input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS }
  const usage = { billed_units: counts, tokens: counts }
  const end = { finish_reason: 'COMPLETE', usage }
  if (body.stream !== true)
    return json({
      id: 'c1',
      message: { role: 'assistant', content: [{ type: 'text', text: ANSWER }] },
      ...end,
    })
  return events(
    [
      { type: 'message-start', id: 'c1', delta: { message: { role: 'assistant' } } },
      {
        type: 'content-start',
        index: 0,
        delta: { message: { content: { type: 'text', text: '' } } },
      },
      ...PIECES.map((text) => ({
        ...{ type: 'content-delta', index: 0, delta: { message: { content: { text } } } },
      })),
      { type: 'content-end', index: 0 },
      { type: 'message-end', delta: end },
    ].map(named),
  )
}

/** github.com/ollama/ollama/blob/main/docs/api.md. */
const ollama: Dialect = ({ method, url }, body) => {
  if (method !== 'POST' || url.pathname !== '/api/chat') return undefined
  const common = { model: body.model, created_at: '2026-01-01T00:00:00Z' }
  const message = (content: string): Json => ({ message: { role: 'assistant', content } })
  const end = {
    ...{ done: true, done_reason: 'stop' },
    ...{ prompt_eval_count: INPUT_TOKENS, eval_count: OUTPUT_TOKENS },
  }
  if (body.stream === false) return json({ ...common, ...message(ANSWER), ...end })
  const lines = [
    ...PIECES.map((piece) => ({ ...common, ...message(piece), done: false })),
    { ...common, ...message(''), ...end },
  ]
  const pieces = lines.map((line) => `${JSON.stringify(line)}\n`)
  return { type: 'application/x-ndjson', pieces }
}

/** docs.aws.amazon.com/bedrock/latest/APIReference: Converse and ConverseStream. */
const bedrock: Dialect = ({ method, url }) => {
  const [, call] = /^\/model\/[^/]+\/(converse|converse-stream)$/.exec(url.pathname) ?? []
  if (method !== 'POST' || call === undefined) return undefined
  const usage = {
    ...{ inputTokens: INPUT_TOKENS, outputTokens: OUTPUT_TOKENS },
    ...{ totalTokens: INPUT_TOKENS + OUTPUT_TOKENS },
  }
  if (call === 'converse')
    return json({
      output: { message: { role: 'assistant', content: [{ text: ANSWER }] } },
      stopReason: 'end_turn',
      usage,
      metrics: { latencyMs: 7 },
    })
  const pieces = [
    bedrockEvent('messageStart', { role: 'assistant' }),
    ...PIECES.map((text) =>
      bedrockEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
    ),
    bedrockEvent('contentBlockStop', { contentBlockIndex: 0 }),
    bedrockEvent('messageStop', { stopReason: 'end_turn' }),
    bedrockEvent('metadata', { usage, metrics: { latencyMs: 7 } }),
  ]
  return { type: 'application/vnd.amazon.eventstream', pieces }
}

/** Gemini and xAI over gRPC: messages in their frames, and the outcome in the trailers. */
const grpc: Dialect = ({ headers, path }) => {
  if (!String(headers['content-type']).startsWith('application/grpc')) return undefined
  const messages = path.startsWith('/xai_api.') ? grokChunks() : [geminiAnswer()]
  const trailers = { 'grpc-status': '0' }
  return { type: 'application/grpc', pieces: messages.map(frameOf), trailers }
}

/** doc/PROTOCOL-HTTP2.md of gRPC: not compressed, and how long it is. */
function frameOf(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function geminiAnswer(): Buffer {
  return encoded('gemini.Answer', {
    candidates: [
      { content: { role: 'model', parts: [{ text: ANSWER }] }, finishReason: 1 },
    ],
    usageMetadata: {
      promptTokenCount: INPUT_TOKENS,
      candidatesTokenCount: OUTPUT_TOKENS,
    },
    modelVersion: 'gemini-2.5-flash',
  })
}

function grokChunks(): Buffer[] {
  return PIECES.map((content, i) =>
    encoded('xai.Chunk', {
      ...{ id: 'x1', model: 'grok-4' },
      outputs: [{ delta: { content }, finishReason: i === PIECES.length - 1 ? 3 : 0 }],
      usage: { promptTokens: INPUT_TOKENS, completionTokens: OUTPUT_TOKENS },
    }),
  )
}

/** modelcontextprotocol.io: Streamable HTTP, answered without sessions. */
const mcp: Dialect = ({ method, url, headers }, body) => {
  if (url.pathname !== '/mcp') return undefined
  if (method !== 'POST') return { type: 'text/plain', status: 405, pieces: [] }
  if (body.id === undefined) return { type: 'application/json', status: 202, pieces: [] }
  const tools = [
    {
      name: 'ask',
      description: 'Answers.',
      inputSchema: { type: 'object', properties: { question: { type: 'string' } } },
    },
  ]
  const params = (body.params ?? {}) as Json
  const named = [params.protocolVersion, headers['mcp-protocol-version']]
  const wanted = named.find((one) => typeof one === 'string') ?? ''
  const info = { name: 'origin', version: '1.0.0' }
  const results: Record<string, Json> = {
    initialize: {
      protocolVersion: wanted,
      capabilities: { tools: {} },
      serverInfo: info,
    },
    'tools/list': { tools },
    'tools/call': { content: [{ type: 'text', text: ANSWER }] },
  }
  const result = results[String(body.method)]
  return json(
    result === undefined
      ? {
          jsonrpc: '2.0',
          id: body.id,
          error: { code: -32601, message: 'no such method' },
        }
      : { jsonrpc: '2.0', id: body.id, result },
  )
}

const models: Dialect = ({ method, url }) =>
  method === 'GET' && /\/models(?:\/[\w.-]+)?$/.test(url.pathname)
    ? json({ object: 'list', data: [], models: [] })
    : undefined

const DIALECTS: readonly Dialect[] = [
  ...[grpc, mcp, chat, responses, messages, generate, cohere, ollama, bedrock, models],
]
