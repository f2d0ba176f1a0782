/**
 * Requests to providers that want HTTP/2 (RFC 9113), over pooled, verified sessions of
 * node:http2. A session is shared by all that ask for its name, up to the streams that the
 * provider allows; then there is another. One that says GOAWAY serves what it has and gets no
 * more.
 */
import { connect } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { YoriError } from '../core/errors.js'
import { refusesProtocol } from './tls-failure.js'
import type { ConnectionRoom } from './connection-room.js'
import { noneFree } from './connection-room.js'
import type { UpstreamConnector } from './upstream-connect.js'
import { H2Stream } from './upstream-h2-stream.js'
import { poolKey } from './upstream-words.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** Streams on one session at most, whatever the provider would allow. */
const MAX_STREAMS = 100
/** Sessions without a stream that are kept for one name. */
const MAX_IDLE_PER_NAME = 4
const BYTES_PER_MEGABYTE = 1_000_000

/** Times in milliseconds, sizes in bytes; the response's as of `H1ConnectionOptions`. */
export interface H2UpstreamOptions {
  readonly connector: UpstreamConnector
  /** Where its sessions count, beside the connections of HTTP/1.1. */
  readonly room: ConnectionRoom
  readonly responseHeadTimeoutMs: number
  readonly responseSilenceTimeoutMs: number
  /** Without a frame either way; a session that has streams stays. */
  readonly idleTimeoutMs: number
  /** From the connection to the provider's SETTINGS. */
  readonly settingsTimeoutMs: number
  /** Told as SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 §6.5.2). */
  readonly maxHeadBytes: number
  /** Bytes of one stream that wait for a client that does not read. */
  readonly streamWindowBytes: number
  /** Of all streams together, on their way. */
  readonly connectionWindowBytes: number
  /** Memory of one session, rounded up to megabytes: `maxSessionMemory` of node:http2. */
  readonly sessionBytes: number
  /** As of `H1UpstreamOptions`. */
  readonly hasAddress: (local: string) => boolean
}

/** The provider does not speak HTTP/2; nothing has been sent to it. */
export class NoHttp2 extends YoriError {
  constructor(host: string, cause?: unknown) {
    const text = `${host}: the provider does not speak HTTP/2`
    super('YORI_UPSTREAM_TLS_FAILED', text, { cause })
  }
}

/** Ends the waiting for a session, if there is any. */
interface Waiting {
  leave: () => void
}

/** A session, open or opening. */
interface Pooled {
  readonly key: string
  readonly opened: Promise<ClientHttp2Session>
  session: ClientHttp2Session | undefined
  /** This end's, once it is open. */
  localAddress: string | undefined
  /** Streams that are open or wait for the session. */
  streams: number
  served: number
  /** Takes no more. */
  ended: boolean
}

/**
 * At most 100 streams a session (`MAX_STREAMS`), as many sessions as that takes, and four
 * without streams a name. Never throws: what goes wrong is told by the handler's
 * `onError`, NoHttp2 where the provider does not speak it.
 */
export class H2Upstream {
  readonly #options: H2UpstreamOptions
  readonly #pools = new Map<string, Set<Pooled>>()
  #closing = false

  constructor(options: H2UpstreamOptions) {
    this.#options = options
    options.room.evictBy((key) => this.#endIdle(key))
  }

  /** Open or opening sessions. */
  get connections(): number {
    let count = 0
    for (const pool of this.#pools.values()) count += pool.size
    return count
  }

  /**
   * On a session that has room, or on a new one; `upgrade` of the request is not looked
   * at.
   */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const stream = new H2Stream(request, handler, this.#options)
    const waiting = { leave: (): void => undefined }
    this.#place(stream, request, waiting)
    if (request.limits === undefined) return stream
    return {
      resume: () => stream.resume(),
      abort: () => {
        waiting.leave()
        stream.abort()
      },
    }
  }

  /** On a session; where there is none and may be no other, once one has room. */
  #place(stream: H2Stream, request: UpstreamRequest, waiting: Waiting): void {
    if (this.#carries(stream, request, waiting)) return
    const { waitMs = 0 } = request.limits ?? {}
    waiting.leave = this.#options.room.wait(
      poolKey(request.target),
      waitMs,
      () => stream.ended || this.#carries(stream, request, waiting),
      () => stream.fail(noneFree(request)),
    )
  }

  /** One that turns out to be full when it opens gives it on. */
  #carries(stream: H2Stream, request: UpstreamRequest, waiting: Waiting): boolean {
    const pooled = this.#take(request)
    if (pooled === undefined) return false
    pooled.streams += 1
    pooled.opened.then(
      (session) => {
        if (pooled.streams > roomOf(session) && !stream.ended) {
          pooled.streams -= 1
          this.#place(stream, request, waiting)
          return
        }
        const release = (answered: boolean): void => this.#release(pooled, answered)
        stream.open(session, { reused: pooled.served > 0, release })
      },
      (error: unknown) => {
        pooled.streams -= 1
        stream.fail(error)
      },
    )
    return true
  }

  /** Ends idle sessions now and busy ones with their last stream. Safe to call again. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#endAll((session) => session.close())
  }

  /** Ends everything now. Safe to call again. */
  async destroy(): Promise<void> {
    this.#closing = true
    await this.#endAll((session) => session.destroy())
  }

  async #endAll(end: (session: ClientHttp2Session) => void): Promise<void> {
    const ending: Promise<void>[] = []
    for (const pool of this.#pools.values())
      for (const pooled of pool) {
        pooled.ended = true
        ending.push(
          pooled.opened.then(
            (session) =>
              new Promise<void>((resolve) => {
                if (session.destroyed) resolve()
                else {
                  session.once('close', resolve)
                  end(session)
                }
              }),
            () => undefined,
          ),
        )
      }
    await Promise.all(ending)
  }

  /** Undefined: none has room, and there may be no other. */
  #take(request: UpstreamRequest): Pooled | undefined {
    const key = poolKey(request.target)
    const pool = this.#pools.get(key) ?? new Set()
    this.#pools.set(key, pool)
    if (request.fresh !== true)
      for (const pooled of pool)
        if (hasRoom(pooled) && this.#hasWay(pooled)) return pooled
    const { room } = this.#options
    if (!room.take(key, request.limits?.connections)) return undefined
    const pooled: Pooled = {
      key,
      opened: this.#open(request, () => pooled),
      session: undefined,
      localAddress: undefined,
      streams: 0,
      served: 0,
      ended: false,
    }
    pool.add(pooled)
    const gone = (): void => {
      pooled.ended = true
      pool.delete(pooled)
      if (pool.size === 0 && this.#pools.get(key) === pool) this.#pools.delete(key)
      room.give(key)
    }
    pooled.opened.then((session) => session.once('close', gone), gone)
    return pooled
  }

  /** One without takes no more; its streams, if any, end by their own limits. */
  #hasWay(pooled: Pooled): boolean {
    const { localAddress } = pooled
    if (localAddress === undefined || this.#options.hasAddress(localAddress)) return true
    pooled.ended = true
    if (pooled.streams === 0) pooled.session?.destroy()
    return false
  }

  #release(pooled: Pooled, answered: boolean): void {
    pooled.streams -= 1
    if (answered) pooled.served += 1
    this.#options.room.freed(pooled.key)
    if (pooled.streams > 0) return
    const pool = this.#pools.get(pooled.key) ?? []
    const idle = [...pool].filter(({ streams }) => streams === 0).length
    if (this.#closing || idle > MAX_IDLE_PER_NAME) pooled.session?.close()
  }

  #endIdle(key: string): boolean {
    for (const pooled of this.#pools.get(key) ?? [])
      if (pooled.streams === 0 && pooled.session !== undefined) {
        pooled.ended = true
        pooled.session.destroy()
        return true
      }
    return false
  }

  async #open(
    { target, known }: UpstreamRequest,
    pooled: () => Pooled,
  ): Promise<ClientHttp2Session> {
    const { connector } = this.#options
    const socket = (await connector
      .connect(target, known, { protocol: 'h2' })
      .catch((cause: unknown) => {
        throw refusesProtocol(cause) ? new NoHttp2(target.host, cause) : cause
      })) as TLSSocket
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy()
      throw new NoHttp2(target.host)
    }
    // FIN ends the session: nothing more would come, and half of it helps nobody.
    socket.allowHalfOpen = false
    const session = connect(`https://${target.host}:${target.port}`, {
      createConnection: () => socket,
      maxSessionMemory: Math.ceil(this.#options.sessionBytes / BYTES_PER_MEGABYTE),
      settings: {
        enablePush: false,
        initialWindowSize: this.#options.streamWindowBytes,
        maxHeaderListSize: this.#options.maxHeadBytes,
      },
    })
    await this.#settled(session, socket, target.host)
    session.setLocalWindowSize(this.#options.connectionWindowBytes)
    const own = pooled()
    own.session = session
    own.localAddress = socket.localAddress
    // The streams of a broken session are told each; so are they of its end.
    session.on('error', () => undefined)
    session.on('goaway', () => (own.ended = true))
    session.setTimeout(this.#options.idleTimeoutMs)
    session.on('timeout', () => {
      if (own.streams === 0) session.close()
    })
    return session
  }

  /**
   * Until the provider has said how many streams it takes. An alert after the handshake, as of a
   * server that wants a certificate (RFC 8446 §4.4.2.4), ends the session without a word of it
   * while its socket is open: the socket tells.
   */
  #settled(session: ClientHttp2Session, socket: TLSSocket, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const text = `${host}: no HTTP/2 settings in time`
        failed(new YoriError('YORI_UPSTREAM_CONNECT_TIMEOUT', text))
      }, this.#options.settingsTimeoutMs)
      const failed = (error: Error): void => {
        clearTimeout(timer)
        socket.off('error', failed)
        session.off('close', closed)
        session.on('error', () => undefined)
        session.destroy()
        socket.destroy()
        reject(error)
      }
      const closed = (): void =>
        failed(new YoriError('YORI_UPSTREAM_CLOSED', `${host}: closed before it settled`))
      socket.once('error', failed)
      session.once('error', failed)
      session.once('close', closed)
      session.once('remoteSettings', () => {
        clearTimeout(timer)
        session.off('close', closed).off('error', failed)
        socket.off('error', failed)
        resolve()
      })
    })
  }
}

function hasRoom({ ended, session, streams }: Pooled): boolean {
  if (ended) return false
  if (session === undefined) return streams < MAX_STREAMS
  if (session.closed || session.destroyed) return false
  return streams < roomOf(session)
}

/** One at least: a provider that takes none at the moment is waited for. */
function roomOf(session: ClientHttp2Session): number {
  const { maxConcurrentStreams = MAX_STREAMS } = session.remoteSettings
  return Math.max(1, Math.min(maxConcurrentStreams, MAX_STREAMS))
}
