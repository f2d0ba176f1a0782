/**
 * Requests to providers over pooled, verified HTTP/1.1 connections. This is the narrow
 * interface behind which the HTTP client library stands (undici); nothing else knows it.
 *
 * One library client is one connection. Our own small pool per name knows which of them has
 * served before, so that only a *reused* connection that died unused is worth a second try.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Client as UndiciClient } from 'undici'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import type { Dialer, Target } from './dial.js'
import { upstreamFailure } from './tls-failure.js'
import { skipContinue } from './upstream-informational.js'
import { dispatchOptions, Relay } from './upstream-relay.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/**
 * One class by its path: the package's index brings fetch, WebSocket and a cache along, 8 MB of
 * memory that a router does not have. Required, not imported, since importing CommonJS loads
 * Node's lexer for it, 5 MB more. The version is pinned.
 */
const Client = createRequire(import.meta.url)(
  'undici/lib/dispatcher/client.js',
) as typeof UndiciClient

/**
 * Idle connections kept for one name; the oldest beyond that are closed. Enough for a hundred
 * clients at once: closing one that is needed a moment later costs a handshake.
 */
const MAX_IDLE_PER_NAME = 256
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

interface Connection {
  readonly client: UndiciClient
  known: SocketAddress | undefined
  /** Responses that this TCP connection has carried. */
  served: number
  /** What its socket failed of first: the library tells only that the other side closed. */
  broke: Error | undefined
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
    const relay = new Relay({
      host: request.target.host,
      handler,
      reused: connection.served > 0,
      broke: () => connection.broke,
      release: (reusable) => this.#release(request.target, connection, reusable),
    })
    connection.client.dispatch(dispatchOptions(request), relay)
    return relay
  }

  /** Ends idle connections now and busy ones with their exchange. Safe to call again. */
  async close(): Promise<void> {
    await this.#endAll((client) => client.close())
  }

  /** Ends everything now. Safe to call again. */
  async destroy(): Promise<void> {
    await this.#endAll((client) => client.destroy())
  }

  async #endAll(end: (client: Connection['client']) => Promise<void>): Promise<void> {
    this.#closing = true
    this.#idle.clear()
    // The library rejects for a client that is ended already.
    const ending = [...this.#all].map(({ client }) => end(client).catch(() => undefined))
    await Promise.all(ending)
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
        connection.broke = undefined
        this.#connect(target, connection.known).then(
          (socket) => {
            client.once('connect', () => skipContinue(socket))
            socket.once('error', (error) => (connection.broke = error))
            callback(null, socket)
          },
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
    const connection: Connection = { client, known, served: 0, broke: undefined }
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

function originOf(target: Target): string {
  const scheme = target.plain === true ? 'http' : 'https'
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  return `${scheme}://${host}:${target.port}`
}

function poolKey(target: Target): string {
  return `${target.plain === true ? 'plain ' : ''}${target.host}:${target.port}`
}
