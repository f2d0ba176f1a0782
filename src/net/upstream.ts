/**
 * Requests to providers over pooled, verified HTTP/1.1 connections. This is the narrow
 * interface behind which the HTTP client library stands (undici); nothing else knows it.
 *
 * One library client is one connection. Our own small pool per name knows which of them has
 * served before, so that only a *reused* connection that died unused is worth a second try.
 */
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import Client from 'undici/lib/dispatcher/client.js'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import type { Dialer, Target } from './dial.js'
import { upstreamFailure } from './tls-failure.js'

/** Idle connections kept for one name; the oldest beyond that are closed. */
const MAX_IDLE_PER_NAME = 32
/** TLS sessions kept for resumption, one a name. */
const MAX_SESSIONS = 256

export interface UpstreamOptions {
  readonly dialer: Dialer
  /** Public roots plus `upstream.extra_ca`; sessions verify against the name always. */
  readonly secureContext: SecureContext
  readonly tlsTimeoutMs: number
  readonly responseHeadTimeoutMs: number
  readonly responseSilenceTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxHeadBytes: number
}

export interface UpstreamRequest {
  readonly target: Target
  /** Where the client had dialled, if a firewall redirected it. */
  readonly known?: SocketAddress
  readonly method: string
  /** Origin-form request target, as received. */
  readonly path: string
  /** The authority to name in `Host`. */
  readonly host: string
  /** End-to-end fields, flat; no framing fields. */
  readonly fields: readonly string[]
  readonly body: UpstreamBody
  /** Never take a connection that has served before. */
  readonly fresh?: boolean
  /** Ask to switch protocols; the value of `Upgrade`. */
  readonly upgrade?: string
}

export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | {
      readonly kind: 'stream'
      readonly stream: Readable
      readonly length: number | undefined
    }

/** Called in this order; after `onEnd` or `onError` never again. */
export interface UpstreamHandler {
  onInformation(status: number, rawHeaders: readonly Buffer[]): void
  onHead(status: number, message: string, rawHeaders: readonly Buffer[]): void
  /** False pauses the response until `resume()`. */
  onData(chunk: Buffer): boolean
  onEnd(rawTrailers: readonly Buffer[]): void
  /** Instead of `onHead`: the provider switched protocols and the socket is the caller's. */
  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void
  onError(error: YoriError, stale: boolean): void
}

export interface UpstreamExchange {
  resume(): void
  abort(): void
}

interface Connection {
  readonly client: InstanceType<typeof Client>
  known: SocketAddress | undefined
  /** Responses that this TCP connection has carried. */
  served: number
}

export class Upstream {
  readonly #options: UpstreamOptions
  readonly #idle = new Map<string, Connection[]>()
  readonly #all = new Set<Connection>()
  readonly #sessions = new Map<string, Buffer>()
  #closing = false

  constructor(options: UpstreamOptions) {
    this.#options = options
  }

  /** Open or opening connections, for metrics. */
  get connections(): number {
    return this.#all.size
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const connection = this.#take(request)
    const relay = new Relay(
      request.target.host,
      handler,
      connection.served > 0,
      (reusable) => this.#release(request.target, connection, reusable),
    )
    try {
      connection.client.dispatch(dispatchOptions(request), relay)
    } catch (error) {
      relay.onResponseError(undefined, error as Error)
    }
    return relay
  }

  /** Ends idle connections now and busy ones with their exchange. */
  async close(): Promise<void> {
    this.#closing = true
    this.#idle.clear()
    await Promise.all([...this.#all].map((connection) => connection.client.close()))
  }

  /** Ends everything now. */
  async destroy(): Promise<void> {
    this.#closing = true
    this.#idle.clear()
    await Promise.all([...this.#all].map((connection) => connection.client.destroy()))
  }

  #take(request: UpstreamRequest): Connection {
    const key = poolKey(request.target)
    const idle = this.#idle.get(key)
    const found = request.fresh === true ? undefined : idle?.pop()
    if (found !== undefined) {
      found.known = request.known
      return found
    }
    return this.#open(request.target, request.known)
  }

  #open(target: Target, known: SocketAddress | undefined): Connection {
    const options = this.#options
    const client = new Client(originOf(target), {
      connect: (_unused, callback) => {
        connection.served = 0
        this.#connect(target, connection.known).then(
          (socket) => callback(null, socket),
          (error: unknown) => callback(upstreamFailure(error, target.host), null),
        )
      },
      pipelining: 1,
      headersTimeout: options.responseHeadTimeoutMs,
      bodyTimeout: options.responseSilenceTimeoutMs,
      keepAliveTimeout: options.idleTimeoutMs,
      keepAliveMaxTimeout: options.idleTimeoutMs,
      maxHeaderSize: options.maxHeadBytes,
    })
    const connection: Connection = { client, known, served: 0 }
    this.#all.add(connection)
    // An idle connection that the provider closed is of no further use.
    client.on('disconnect', () => {
      const idle = this.#idle.get(poolKey(target))
      const at = idle?.indexOf(connection) ?? -1
      if (idle === undefined || at < 0) return
      idle.splice(at, 1)
      if (idle.length === 0) this.#idle.delete(poolKey(target))
      this.#discard(connection)
    })
    return connection
  }

  #release(target: Target, connection: Connection, reusable: boolean): void {
    if (!reusable || this.#closing || connection.client.destroyed) {
      this.#discard(connection)
      return
    }
    connection.served += 1
    const key = poolKey(target)
    const idle = this.#idle.get(key)
    if (idle === undefined) this.#idle.set(key, [connection])
    else if (idle.push(connection) > MAX_IDLE_PER_NAME) {
      this.#discard(idle.shift() as Connection)
    }
  }

  #discard(connection: Connection): void {
    this.#all.delete(connection)
    void connection.client.close().catch(() => undefined)
  }

  async #connect(target: Target, known: SocketAddress | undefined): Promise<Socket> {
    const raw = await this.#options.dialer.dial(
      target,
      known === undefined ? {} : { known },
    )
    return target.plain === true ? raw : this.#secure(target, raw)
  }

  #secure(target: Target, raw: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const session = this.#sessions.get(target.host)
      const socket = tlsConnect({
        socket: raw,
        servername: target.host,
        secureContext: this.#options.secureContext,
        ALPNProtocols: ['http/1.1'],
        ...(session === undefined ? {} : { session }),
      })
      const timer = setTimeout(() => {
        fail(
          new YoriError(
            'YORI_UPSTREAM_CONNECT_TIMEOUT',
            `${target.host}: no TLS in time`,
          ),
        )
      }, this.#options.tlsTimeoutMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(error)
      }
      socket.once('error', fail)
      // Before `secureConnect` Node has verified the chain and the name (rejectUnauthorized).
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        socket.off('error', fail)
        resolve(socket)
      })
      socket.on('session', (ticket) => this.#remember(target.host, ticket))
    })
  }

  #remember(name: string, session: Buffer): void {
    this.#sessions.delete(name)
    this.#sessions.set(name, session)
    if (this.#sessions.size <= MAX_SESSIONS) return
    const oldest = this.#sessions.keys().next()
    if (oldest.done !== true) this.#sessions.delete(oldest.value)
  }
}

/** The library's callbacks turned into ours, and the connection given back exactly once. */
class Relay implements Dispatcher.DispatchHandler, UpstreamExchange {
  readonly #host: string
  readonly #handler: UpstreamHandler
  readonly #reused: boolean
  readonly #release: (reusable: boolean) => void
  #controller: Dispatcher.DispatchController | undefined
  #headSeen = false
  #ended = false
  #aborted = false

  constructor(
    host: string,
    handler: UpstreamHandler,
    reused: boolean,
    release: (reusable: boolean) => void,
  ) {
    this.#host = host
    this.#handler = handler
    this.#reused = reused
    this.#release = release
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    if (this.#ended || this.#aborted) return
    this.#aborted = true
    this.#controller?.abort(new YoriError('YORI_CLIENT_GONE'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(new YoriError('YORI_CLIENT_GONE'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    message?: string,
  ): void {
    const raw = (controller.rawHeaders ?? []) as Buffer[]
    if (status < 200) {
      this.#handler.onInformation(status, raw)
      return
    }
    this.#headSeen = true
    this.#handler.onHead(status, message ?? '', raw)
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    this.#ended = true
    this.#release(false)
    this.#handler.onUpgrade((controller.rawHeaders ?? []) as Buffer[], socket)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#handler.onData(chunk)) controller.pause()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#ended) return
    this.#ended = true
    this.#release(true)
    this.#handler.onEnd((controller.rawTrailers ?? []) as Buffer[])
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#release(false)
    const failure = this.#aborted
      ? new YoriError('YORI_CLIENT_GONE')
      : upstreamFailure(error, this.#host)
    const stale =
      this.#reused && !this.#headSeen && failure.code === 'YORI_UPSTREAM_CLOSED'
    this.#handler.onError(failure, stale)
  }
}

function dispatchOptions(request: UpstreamRequest): Dispatcher.DispatchOptions {
  const { body } = request
  const headers = ['host', request.host, ...request.fields]
  const options = {
    path: request.path,
    method: request.method,
    headers,
    ...(request.upgrade === undefined ? {} : { upgrade: request.upgrade }),
  }
  switch (body.kind) {
    case 'none':
      return options
    case 'whole':
      return { ...options, body: body.bytes }
    case 'stream':
      if (body.length !== undefined) headers.push('content-length', String(body.length))
      return { ...options, body: body.stream }
  }
}

function originOf(target: Target): string {
  const scheme = target.plain === true ? 'http' : 'https'
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  return `${scheme}://${host}:${target.port}`
}

function poolKey(target: Target): string {
  return `${target.plain === true ? 'plain ' : ''}${target.host}:${target.port}`
}
