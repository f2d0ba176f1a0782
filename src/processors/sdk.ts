/**
 * The other side, as the package gives it to whoever writes a processor (`yori/processor`): the
 * agent protocol over a Unix socket, one event after the other on each connection.
 */
import { lstatSync, unlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { FRAME, frame, FrameReader } from './uds-frames.js'
import type { Frame } from './uds-frames.js'
import { readTold } from './sdk-told.js'
import type { Headers, Told } from './sdk-told.js'

/** Of one event: a chunk of a body is a third longer in base64. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024
/** Events that wait for those before, of one connection. */
const MAX_WAITING = 64

export interface RequestHead {
  readonly id: string
  readonly method: string
  readonly uri: string
  readonly headers: Headers
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface BodyChunk {
  readonly id: string
  readonly bytes: Buffer
  readonly isLast: boolean
  readonly index: number
}

export interface ResponseHead {
  readonly id: string
  readonly status: number
  readonly headers: Headers
}

export interface Answer {
  readonly block?: { readonly status?: number; readonly text?: string }
  readonly redirect?: { readonly url: string; readonly status?: number }
  readonly challenge?: string
  readonly requestHeaders?: Readonly<Record<string, string | null>>
  readonly responseHeaders?: Readonly<Record<string, string | null>>
  readonly body?: Buffer | string
  readonly tags?: readonly string[]
  readonly ruleIds?: readonly string[]
  readonly reasons?: readonly string[]
  readonly confidence?: number
}

/** A handler may say nothing. */
type Said = Answer | undefined | void | Promise<Answer | undefined | void>

export interface ProcessorHandlers {
  readonly name: string
  readonly version?: string
  /** Why it cannot look, in a sentence: said in the place of an introduction. */
  readonly unable?: string | undefined
  requestHead?(head: RequestHead): Said
  requestBody?(chunk: BodyChunk): Said
  responseHead?(head: ResponseHead): Said
  responseBody?(chunk: BodyChunk): Said
  complete?(event: Readonly<Record<string, unknown>>): Said
  websocket?(event: Readonly<Record<string, unknown>>): Said
}

export interface ServedProcessor extends AsyncDisposable {
  readonly path: string
  close(): Promise<void>
}

/** @throws of node:net where nothing can listen there */
export async function serveProcessor(
  path: string,
  handlers: ProcessorHandlers,
): Promise<ServedProcessor> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    serve(socket, handlers)
  })
  makeWay(path)
  await listening(server, path)
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((done) => server.close(done))
  }
  return { path, close, [Symbol.asyncDispose]: close }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

/** What stands there is removed where it is a socket, and nothing else. */
function makeWay(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path)
}

function serve(socket: Socket, handlers: ProcessorHandlers): void {
  const reader = new FrameReader(MAX_EVENT_BYTES)
  let waiting = 0
  let last = Promise.resolve()
  socket.on('data', (chunk) => {
    try {
      for (const one of reader.push(chunk)) {
        if (++waiting > MAX_WAITING) throw new Error('too many events at once')
        last = last.then(async () => {
          const answer = await answerTo(one, handlers)
          waiting--
          if (answer !== undefined && !socket.destroyed) socket.write(answer)
        })
        last.catch(() => socket.destroy())
      }
    } catch {
      socket.destroy()
    }
  })
}

const NUMBERS = {
  requestHead: 1,
  requestBody: 2,
  responseHead: 3,
  responseBody: 4,
  complete: 5,
  websocket: 6,
} as const

async function answerTo(
  { type, payload }: Frame,
  handlers: ProcessorHandlers,
): Promise<Buffer | undefined> {
  if (type === FRAME.ping) return frame(FRAME.pong, payload)
  if (type === FRAME.cancel) return undefined
  if (type === FRAME.handshake)
    return frame(FRAME.introduction, JSON.stringify(introductionOf(handlers)))
  const told = readTold(payload)
  const answer = await said(type, told, handlers)
  return frame(FRAME.answer, JSON.stringify(messageOf(answer ?? {}, told)))
}

function said(type: number, told: Told, handlers: ProcessorHandlers): Said {
  const { event, id, method, uri, headers, metadata, status } = told
  const { bytes, isLast, index } = told
  switch (type) {
    case FRAME.requestHead:
      return handlers.requestHead?.({ id, method, uri, headers, metadata })
    case FRAME.requestBody:
      return handlers.requestBody?.({ id, bytes, isLast, index })
    case FRAME.responseHead:
      return handlers.responseHead?.({ id, status, headers })
    case FRAME.responseBody:
      return handlers.responseBody?.({ id, bytes, isLast, index })
    case FRAME.complete:
      return handlers.complete?.({ ...event })
    case FRAME.websocket:
      return handlers.websocket?.({ ...event })
    default:
      return undefined
  }
}

function introductionOf(handlers: ProcessorHandlers): object {
  const { name, version = '0' } = handlers
  const events = Object.entries(NUMBERS).flatMap(([handler, number]) =>
    handlers[handler as keyof typeof NUMBERS] === undefined ? [] : [number],
  )
  return {
    protocol_version: 2,
    capabilities: {
      ...{ agent_id: name, name, version, supported_events: events },
      features: {},
      limits: { max_body_size: 0, max_concurrency: 0, preferred_chunk_size: 0 },
    },
    success: handlers.unable === undefined,
    error: handlers.unable ?? null,
    encoding: 'json',
  }
}

function messageOf(answer: Answer, { id, index }: Told): object {
  const { body, tags = [], ruleIds = [], reasons = [], confidence = null } = answer
  const data = body === undefined ? null : Buffer.from(body).toString('base64')
  return {
    version: 2,
    decision: decisionOf(answer),
    request_headers: changesOf(answer.requestHeaders),
    response_headers: changesOf(answer.responseHeaders),
    routing_metadata: {},
    audit: {
      ...{ tags, rule_ids: ruleIds, reason_codes: reasons, confidence },
      custom: { correlation_id: id },
    },
    needs_more: false,
    request_body_mutation: data === null ? null : { data, chunk_index: index },
    response_body_mutation: null,
    websocket_decision: null,
  }
}

function decisionOf({ block, redirect, challenge }: Answer): unknown {
  if (block !== undefined) {
    const { status = 403, text = null } = block
    return { block: { status, body: text, headers: null } }
  }
  if (redirect !== undefined) return { redirect: { status: 302, ...redirect } }
  if (challenge !== undefined)
    return { challenge: { challenge_type: challenge, params: {} } }
  return 'allow'
}

function changesOf(fields: Answer['requestHeaders'] = {}): object[] {
  return Object.entries(fields).map(([name, value]) =>
    value === null ? { remove: { name } } : { set: { name, value } },
  )
}
