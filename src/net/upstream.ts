/**
 * Requests to providers over pooled, verified connections: HTTP/1.1 here, HTTP/2 in
 * `upstream-h2.ts` for those that want it. This is the narrow
 * interface behind which the HTTP client library stands (undici); nothing else knows it.
 *
 * One library client is one connection. Our own small pool per name knows which of them has
 * served before, so that only a *reused* connection that died unused is worth a second try.
 */
import { createRequire } from 'node:module'
import type { Client as UndiciClient } from 'undici'
import type { SocketAddress } from '../core/address.js'
import type { Target } from './dial.js'
import { upstreamFailure } from './tls-failure.js'
import { UpstreamConnector } from './upstream-connect.js'
import type { ConnectorOptions } from './upstream-connect.js'
import { H2Upstream } from './upstream-h2.js'
import { PreferringH2 } from './upstream-preferring.js'
import { skipContinue } from './upstream-informational.js'
import { dispatchOptions, Relay } from './upstream-relay.js'
import { poolKey } from './upstream-words.js'
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

export interface UpstreamOptions extends ConnectorOptions {
  readonly responseHeadTimeoutMs: number
  readonly responseSilenceTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxHeadBytes: number
  /** Idle connections kept for one name; the oldest beyond that are closed. */
  readonly maxIdlePerName: number
  /** Of HTTP/2: what waits of one stream, of all, and the memory of one session. */
  readonly h2StreamWindowBytes: number
  readonly h2ConnectionWindowBytes: number
  readonly h2SessionBytes: number
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
  readonly #connector: UpstreamConnector
  readonly #h2: H2Upstream
  readonly #preferring: PreferringH2
  #closing = false

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#connector = new UpstreamConnector(options)
    this.#h2 = new H2Upstream({
      ...options,
      connector: this.#connector,
      settingsTimeoutMs: options.tlsTimeoutMs,
      streamWindowBytes: options.h2StreamWindowBytes,
      connectionWindowBytes: options.h2ConnectionWindowBytes,
      sessionBytes: options.h2SessionBytes,
    })
    this.#preferring = new PreferringH2({
      h2: (request, handler) => this.#h2.send(request, handler),
      http1: (request, handler) => this.#sendHttp1(request, handler),
      now: () => performance.now(),
    })
  }

  /** Open or opening connections, for metrics. */
  get connections(): number {
    return this.#all.size + this.#h2.connections
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    if (request.version === 'h2') return this.#h2.send(request, handler)
    if (request.version === 'h2-if-spoken') return this.#preferring.send(request, handler)
    return this.#sendHttp1(request, handler)
  }

  #sendHttp1(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
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
    await Promise.all([this.#h2.close(), this.#endAll((client) => client.close())])
  }

  /** Ends everything now. Safe to call again. */
  async destroy(): Promise<void> {
    await Promise.all([this.#h2.destroy(), this.#endAll((client) => client.destroy())])
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
        this.#connector.connect(target, connection.known, 'http/1.1').then(
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
    else if (idle.push(connection) > this.#options.maxIdlePerName) {
      this.#discard(idle.shift() as Connection)
    }
  }

  #discard(connection: Connection): void {
    this.#all.delete(connection)
    void connection.client.close().catch(() => undefined)
  }
}

function originOf(target: Target): string {
  const scheme = target.plain === true ? 'http' : 'https'
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  return `${scheme}://${host}:${target.port}`
}
