/**
 * One origin for every provider's library: OpenAI's dialect for all who speak it, whatever stands
 * before `/v1`, Anthropic's and Gemini's as the simulator has them, and Cohere's and Ollama's in
 * the shapes of their references. It remembers what it was asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { anthropic } from '../../tools/sim/anthropic.js'
import { gemini } from '../../tools/sim/gemini.js'
import { openai } from '../../tools/sim/openai.js'
import { json } from '../../tools/sim/reply.js'
import type { Asked, Reply } from '../../tools/sim/reply.js'
import { send } from '../../tools/sim/send.js'
import { startOrigin } from './origins.js'
import type { Origin } from './origins.js'
import { ownRows } from './sdk-rows.js'
import type { TestCa } from './test-ca.js'

/** A request as it arrived. */
export interface ArrivedThere {
  readonly method: string
  /** With its query. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface LlmOrigin extends Origin {
  readonly arrived: ArrivedThere[]
}

/** In the clear, or with a certificate of `tls.ca` for `tls.names`. */
export async function startLlmOrigin(tls?: {
  readonly ca: TestCa
  readonly names: readonly string[]
}): Promise<LlmOrigin> {
  const arrived: ArrivedThere[] = []
  const origin = await startOrigin({
    ...(tls === undefined
      ? {}
      : { certificate: tls.ca.issue({ names: [...tls.names] }) }),
    handler: (request, response) => {
      void serveLlm(request, response, arrived)
    },
  })
  return Object.assign(origin, { arrived })
}

/** Answers one request, and remembers it once it has come whole. */
export async function serveLlm(
  request: IncomingMessage,
  response: ServerResponse,
  arrived: ArrivedThere[],
): Promise<void> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece as Buffer)
  } catch {
    return
  }
  const body = Buffer.concat(pieces)
  const { method = '', url: target = '/', headers, rawHeaders } = request
  arrived.push({ method, target, headers, rawHeaders, body })
  const url = new URL(target, 'http://origin')
  const row =
    uploadRow(request, url, body) ??
    fileRow(method, url.pathname, body) ??
    ownRow(url.pathname, parse(body))
  if (row !== undefined) {
    response.writeHead(row.status, row.headers)
    response.end(row.body)
    return
  }
  const asked: Asked = {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers,
    json: parse(body),
  }
  await send(response, answerTo(asked), {})
}

function answerTo(asked: Asked): Reply {
  const version = asked.path.search(/\/v1\/(?!.*\/v1\/)/)
  const plain = version < 0 ? asked : { ...asked, path: asked.path.slice(version) }
  const found = anthropic(asked) ?? gemini(asked) ?? openai(plain)
  return found ?? json(200, { path: asked.path, seen: true })
}

/** Cohere and Ollama: the streams of `sdk-rows.ts`, and the same whole. */
function ownRow(
  path: string,
  body: unknown,
):
  | { status: number; headers: Readonly<Record<string, string>>; body: Buffer }
  | undefined {
  const isStream = (body as { stream?: boolean } | undefined)?.stream === true
  if (path.endsWith('/v2/chat')) {
    return isStream ? recorded('cohere stream') : whole(COHERE)
  }
  if (path.endsWith('/api/chat')) {
    return isStream ? recorded('ollama stream') : whole(OLLAMA)
  }
  const { model } = (body ?? {}) as { model?: string }
  if (path.endsWith('/v1/embeddings') && model === 'mistral-embed')
    return whole({ ...EMBEDDED, id: 'e', model })
  const found = EMBEDDINGS.find(([end]) => path.endsWith(end))
  return found && whole(found[1])
}

/** Gemini's: where the content goes is told first, by the name of the host. */
function uploadRow(
  { headers, socket }: IncomingMessage,
  url: URL,
  body: Buffer,
): ReturnType<typeof ownRow> {
  if (!url.pathname.endsWith('/upload/v1beta/files')) return undefined
  if (headers['x-goog-upload-command'] === 'start') {
    const scheme = 'encrypted' in socket ? 'https' : 'http'
    const there = `${scheme}://${headers.host ?? ''}${url.pathname}?upload_id=1`
    return { status: 200, headers: { 'x-goog-upload-url': there }, body: Buffer.alloc(0) }
  }
  const file = { name: 'files/1', sizeBytes: String(body.length), state: 'ACTIVE' }
  const made = whole({ file })
  return (
    made && { ...made, headers: { ...made.headers, 'x-goog-upload-status': 'final' } }
  )
}

/** Files as OpenAI, Anthropic and Mistral keep them. */
function fileRow(method: string, path: string, body: Buffer): ReturnType<typeof ownRow> {
  const [isFiles, rest = ''] = /\/v1\/files(?:$|\/(.*))/.exec(path) ?? []
  if (isFiles === undefined) return undefined
  if (method === 'POST') return whole({ ...FILE, bytes: fileIn(body).length })
  if (method === 'DELETE') return whole({ id: FILE.id, object: 'file', deleted: true })
  if (rest === '') return whole({ object: 'list', data: [FILE] })
  if (rest !== `${FILE.id}/content`) return whole(FILE)
  const headers = { 'content-type': 'application/octet-stream' }
  return { status: 200, headers, body: Buffer.from('\0\x01\xff of a file', 'latin1') }
}

/** The part of a form that is called `file`. */
function fileIn(form: Buffer): string {
  const [, part = ''] = form.toString('latin1').split('name="file"')
  return part.slice(part.indexOf('\r\n\r\n') + 4).split('\r\n--', 1)[0] as string
}

const FILE = {
  id: 'file-1',
  object: 'file',
  type: 'file',
  bytes: 18,
  size_bytes: 18,
  created_at: 1700000000,
  filename: 'batch.jsonl',
  mime_type: 'text/plain',
  purpose: 'batch',
  sample_type: 'batch_request',
  source: 'upload',
  status: 'processed',
}

const EMBEDDED = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
  usage: { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 },
}

/** Cohere's, Gemini's and Ollama's. */
const EMBEDDINGS: readonly (readonly [string, object])[] = [
  [
    '/v2/embed',
    {
      id: 'e',
      response_type: 'embeddings_by_type',
      embeddings: { float: [[0.5, -0.25]] },
      texts: ['words'],
      meta: { billed_units: { input_tokens: 1 } },
    },
  ],
  [':batchEmbedContents', { embeddings: [{ values: [0.5, -0.25] }] }],
  [
    '/api/embed',
    { model: 'all-minilm', embeddings: [[0.5, -0.25]], prompt_eval_count: 1 },
  ],
]

function recorded(id: string): ReturnType<typeof ownRow> {
  return ownRows.find((row) => row.id === id)
}

function whole(value: object): ReturnType<typeof ownRow> {
  const headers = { 'content-type': 'application/json' }
  return { status: 200, headers, body: Buffer.from(JSON.stringify(value)) }
}

const COHERE = {
  id: 'r',
  message: {
    role: 'assistant',
    content: [{ type: 'text', text: 'Hi é' }],
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
  },
  finish_reason: 'TOOL_CALL',
  usage: { tokens: { input_tokens: 5, output_tokens: 3 } },
}

const OLLAMA = {
  model: 'model-1',
  created_at: '2025-01-01T00:00:00Z',
  message: {
    role: 'assistant',
    content: 'Hi é',
    tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }],
  },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 5,
  eval_count: 3,
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
