/**
 * Requests to providers over pooled, verified HTTP/1.1 connections, one at a time on each. The
 * pool of a name knows which of its connections has served before, so that only a *reused* one
 * that died unused is worth a second try. RFC 9112 §9.
 */
import type { Watch } from '../core/watched.js'
import { upstreamFailure } from './tls-failure.js'
import type { ConnectionRoom } from './connection-room.js'
import { noneFree } from './connection-room.js'
import type { UpstreamConnector } from './upstream-connect.js'
import { H1Connection, ReadBuffer } from './upstream-h1-connection.js'
import { H1Exchange } from './upstream-h1-exchange.js'
import { poolKey } from './upstream-words.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** Times and sizes: see `H1ConnectionOptions`. */
export interface H1UpstreamOptions {
  readonly connector: UpstreamConnector
  /** Where its connections count, beside those of HTTP/2. */
  readonly room: ConnectionRoom
  readonly deadlines: Watch
  readonly responseHeadTimeoutMs: number
  readonly responseSilenceTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxHeadBytes: number
  /** Idle connections kept for one name; the oldest beyond that are closed. */
  readonly maxIdlePerName: number
  /**
   * Is this still an address of this machine? What comes from one that was taken away, as when
   * a line comes back with another, is answered no more, and waiting for it would take minutes.
   */
  readonly hasAddress: (local: string) => boolean
}

/**
 * One connection an exchange: as many as there are exchanges, which others bound, or as the
 * request's `limits` say; and `maxIdlePerName` idle ones a name. Never throws: what goes wrong is told by the
 * handler's `onError`.
 */
export class H1Upstream {
  readonly #options: H1UpstreamOptions
  readonly #idle = new Map<string, H1Connection[]>()
  readonly #all = new Set<H1Connection>()
  readonly #buffer = new ReadBuffer()
  #closing = false
  #destroyed = false
  /** Who waits for the last connection to end. */
  readonly #waiting: (() => void)[] = []

  constructor(options: H1UpstreamOptions) {
    this.#options = options
    options.room.evictBy((key) => {
      const [oldest] = this.#idle.get(key) ?? []
      oldest?.destroy()
      return oldest !== undefined
    })
  }

  /** Open or opening connections. */
  get connections(): number {
    return this.#all.size
  }

  /** On the idle connection that was used last, or on a new one. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const exchange = written(request, handler)
    if (exchange === undefined) return NOTHING
    const key = poolKey(request.target)
    if (this.#place(exchange, key)) return exchange
    const { waitMs = 0 } = request.limits ?? {}
    const leave = this.#options.room.wait(
      key,
      waitMs,
      () => exchange.ended || this.#place(exchange, key),
      () => exchange.fail(noneFree(request)),
    )
    return {
      resume: () => exchange.resume(),
      abort: () => {
        leave()
        exchange.abort()
      },
    }
  }

  /** False: there is no connection for it, and no room for another. */
  #place(exchange: H1Exchange, key: string): boolean {
    const { fresh, limits } = exchange.request
    const idle = fresh === true ? undefined : this.#take(key)
    if (idle !== undefined) idle.carry(exchange)
    else if (this.#options.room.take(key, limits?.connections)) this.#open(exchange, key)
    else return false
    return true
  }

  /** Ends idle connections now and busy ones with their exchange. Safe to call again. */
  async close(): Promise<void> {
    this.#closing = true
    for (const idle of this.#idle.values()) for (const each of [...idle]) each.destroy()
    if (this.#all.size > 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Ends everything now. Safe to call again. */
  async destroy(): Promise<void> {
    this.#destroyed = true
    const closed = this.close()
    for (const each of this.#all) each.destroy()
    await closed
  }

  #take(key: string): H1Connection | undefined {
    const idle = this.#idle.get(key)
    for (;;) {
      const found = idle?.pop()
      if (found === undefined) return undefined
      if (found.usable && this.#options.hasAddress(found.localAddress)) return found
      found.destroy()
    }
  }

  /** Made apart: what it is told by lasts as long as it, and must hold no exchange. */
  #connection(key: string): H1Connection {
    const connection: H1Connection = new H1Connection({
      ...this.#options,
      buffer: this.#buffer,
      onFree: () => this.#release(key, connection),
      onGone: () => this.#discard(key, connection),
    })
    this.#all.add(connection)
    return connection
  }

  #open(exchange: H1Exchange, key: string): void {
    const { connector } = this.#options
    const { target, known } = exchange.request
    const connection = this.#connection(key)
    const how = { protocol: 'http/1.1', onread: connection.onread } as const
    connector.connect(target, known, how).then(
      (socket) => {
        connection.opened(socket)
        if (this.#destroyed) connection.destroy()
        if (exchange.ended) this.#release(key, connection)
        else if (this.#destroyed)
          exchange.fail(new Error('the connection was ended here'))
        else connection.carry(exchange)
      },
      (error: unknown) => {
        connection.destroy()
        exchange.fail(upstreamFailure(error, target.host))
      },
    )
  }

  #release(key: string, connection: H1Connection): void {
    if (this.#closing || !connection.usable) {
      connection.destroy()
      return
    }
    const idle = this.#idle.get(key)
    if (idle === undefined) this.#idle.set(key, [connection])
    else if (idle.push(connection) > this.#options.maxIdlePerName) idle[0]?.destroy()
    this.#options.room.freed(key)
  }

  #discard(key: string, connection: H1Connection): void {
    const idle = this.#idle.get(key)
    const at = idle?.indexOf(connection) ?? -1
    if (idle !== undefined && at >= 0) {
      idle.splice(at, 1)
      if (idle.length === 0) this.#idle.delete(key)
    }
    if (this.#all.delete(connection)) this.#options.room.give(key)
    if (this.#all.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

const NOTHING: UpstreamExchange = { resume: () => undefined, abort: () => undefined }

/** Undefined: it cannot be written, and the handler is told so. */
function written(
  request: UpstreamRequest,
  handler: UpstreamHandler,
): H1Exchange | undefined {
  try {
    return new H1Exchange(request, handler)
  } catch (error) {
    const failure = upstreamFailure(error, request.target.host)
    process.nextTick(() => handler.onError(failure, false))
    return undefined
  }
}
