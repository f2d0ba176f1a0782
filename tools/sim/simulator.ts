/**
 * A provider to talk to without the internet: an HTTPS origin that speaks the OpenAI,
 * Anthropic and Gemini protocols with deterministic answers, holds a certificate of a test
 * CA for whatever name it is asked by, remembers the requests, and misbehaves on demand.
 *
 * Besides the providers' paths: `GET /bytes/N` sends N patterned bytes, `POST /echo` sends
 * the body back, `POST /discard` counts it. Anything else is 404.
 */
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { TestCa } from '../../test/support/test-ca.js'
import { anthropic } from './anthropic.js'
import { gemini } from './gemini.js'
import type { Knobs } from './knobs.js'
import { openai } from './openai.js'
import { json } from './reply.js'
import type { Asked, Dialect, Reply } from './reply.js'
import { RequestLog, SeenRequest } from './request-log.js'
import { send } from './send.js'

const MAX_CONTEXTS = 256
const MAX_BYTES = 8 * 1024 ** 3
const DIALECTS: readonly Dialect[] = [openai, anthropic, gemini]

export interface SimulatorOptions {
  readonly host?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly ca?: TestCa
  readonly knobs?: Knobs
}

export class Simulator implements AsyncDisposable {
  readonly ca: TestCa
  readonly requests = new RequestLog()
  /** How every answer behaves; `once` comes first. */
  knobs: Knobs
  readonly #queue: Knobs[] = []
  readonly #server: Server
  readonly #host: string
  readonly #connections = new WeakMap<Socket, number>()
  #connectionCount = 0

  private constructor(options: SimulatorOptions) {
    this.ca = options.ca ?? new TestCa('Simulator Root')
    this.knobs = options.knobs ?? {}
    this.#host = options.host ?? '127.0.0.1'
    this.#server = createServer({
      ...this.#certificate('localhost'),
      SNICallback: this.#contexts(),
      keepAliveTimeout: 120_000,
      requestTimeout: 0,
    })
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#connections.set(socket, this.#connectionCount++)
    })
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch((cause: unknown) => {
        response.destroy(cause instanceof Error ? cause : undefined)
      })
    })
  }

  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(options)
    simulator.#server.listen(options.port ?? 0, simulator.#host)
    await once(simulator.#server, 'listening')
    return simulator
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** `ip:port`, as a configuration's `upstream.resolve` wants it. */
  get address(): string {
    return `${this.#host}:${this.port}`
  }

  /** TLS connections that were ever made. */
  get connectionCount(): number {
    return this.#connectionCount
  }

  /** The next answer behaves so, then the one after as the next call says. */
  once(knobs: Knobs): void {
    this.#queue.push(knobs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #certificate(name: string): { cert: string; key: string } {
    const names = name === 'localhost' ? [name, '127.0.0.1', '::1'] : [name]
    const issued = this.ca.issue({ names })
    return { cert: issued.certificatePem, key: issued.keyPem }
  }

  #contexts(): (
    name: string,
    done: (cause: Error | null, context?: SecureContext) => void,
  ) => void {
    const contexts = new Map<string, SecureContext>()
    return (name, done) => {
      const context = contexts.get(name) ?? createSecureContext(this.#certificate(name))
      if (contexts.size >= MAX_CONTEXTS) contexts.clear()
      contexts.set(name, context)
      done(null, context)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const knobs = this.#queue.shift() ?? this.knobs
    const seen = this.#remember(request, response)
    if (knobs.replyBeforeBody === true) {
      await send(response, knobs.status === undefined ? early() : failed(knobs), knobs)
      request.resume()
      return
    }
    const url = new URL(request.url ?? '/', 'https://simulator')
    if (request.method === 'POST' && url.pathname === '/echo') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      await pipeline(request, response)
      return
    }
    if (!(await bodyEnd(request))) return
    const reply =
      knobs.status === undefined ? answerFor(request, url, seen) : failed(knobs)
    await send(response, reply, knobs)
  }

  #remember(request: IncomingMessage, response: ServerResponse): SeenRequest {
    const socket = request.socket as TLSSocket
    const seen = new SeenRequest({
      method: request.method ?? '',
      target: request.url ?? '',
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      serverName: typeof socket.servername === 'string' ? socket.servername : undefined,
      connection: this.#connections.get(socket) ?? -1,
    })
    request.on('data', (chunk: Buffer) => seen.push(chunk))
    request.pause()
    request.once('end', () => {
      seen.complete = true
      seen.trailers = request.trailers
    })
    response.once('close', () => seen.end(!response.writableFinished))
    this.requests.add(seen)
    return seen
  }
}

/** False when the client left before its body's end. */
function bodyEnd(request: IncomingMessage): Promise<boolean> {
  return new Promise((resolve) => {
    request.once('end', () => resolve(true))
    request.once('close', () => resolve(request.complete))
    request.once('error', () => resolve(false))
    request.resume()
  })
}

const early = (): Reply => json(200, { simulated: 'answered before the body' })

const failed = (knobs: Knobs): Reply =>
  json(knobs.status ?? 500, {
    error: { message: 'simulated failure', type: 'simulated' },
  })

function answerFor(request: IncomingMessage, url: URL, seen: SeenRequest): Reply {
  const [, size] = /^\/bytes\/(\d{1,10})$/.exec(url.pathname) ?? []
  if (size !== undefined)
    return { kind: 'bytes', size: Math.min(Number(size), MAX_BYTES) }
  if (url.pathname === '/discard') {
    return json(200, { bytes: seen.bodyBytes, sha256: seen.bodySha256 })
  }
  const asked: Asked = {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    json: parse(seen.body),
  }
  for (const dialect of DIALECTS) {
    const reply = dialect(asked)
    if (reply !== undefined) return reply
  }
  return json(404, { error: { message: `no ${asked.method} ${asked.path} here` } })
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
