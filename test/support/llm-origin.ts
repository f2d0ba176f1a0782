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
  const row = ownRow(url.pathname, parse(body))
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
  return undefined
}

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
