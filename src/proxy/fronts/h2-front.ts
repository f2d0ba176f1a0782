/**
 * HTTP/2 towards clients (RFC 9113): Node's sessions on sockets whose TLS ended here. One
 * stream is one exchange. What a client can make us do without asking for anything (resets,
 * PING, SETTINGS) is limited in rate; headers, CONTINUATION and memory are bounded by Node's
 * own options, given here.
 */
import { constants, performServerHandshake } from 'node:http2'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { YoriError } from '../../core/errors.js'
import type { ErrorCode } from '../../core/errors.js'
import type { Watched } from '../../core/watched.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { ConnectionState } from '../words/connection-state.js'
import { H2Request, H2Response } from './h2-messages.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import { tcpProgress, WriteStall } from '../../net/write-stall.js'
import { RateLimit } from '../bounds/rate-limit.js'
import type { PipelineLimits, PipelineTimeouts } from '../words/policy-snapshot.js'

const BYTES_PER_MEGABYTE = 1_000_000
/** How long a client may keep its end open when we have ended ours. */
const LINGER_MS = 1_000
/** Heads so many times over their limits are still read, to be answered. */
const ANSWERED_TIMES = 4
const { NGHTTP2_ENHANCE_YOUR_CALM } = constants

export interface H2FrontOptions {
  readonly request: (
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
  ) => void
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  readonly deadlines: Deadlines
}

export class H2Front {
  readonly #options: H2FrontOptions
  readonly #sessions = new Set<H2Session>()
  #draining = false

  constructor(options: H2FrontOptions) {
    this.#options = options
  }

  /** Serves HTTP/2 on a socket until it closes; resolves then. */
  serve(socket: Socket, state: ConnectionState): Promise<void> {
    const session = new H2Session(socket, state, this.#options)
    this.#sessions.add(session)
    this.#options.deadlines.watch(session)
    if (this.#draining) session.drain()
    return new Promise((resolve) => {
      const closed = (): void => {
        this.#sessions.delete(session)
        this.#options.deadlines.unwatch(session)
        resolve()
      }
      if (socket.destroyed) closed()
      else socket.once('close', closed)
    })
  }

  /** No new streams; each session ends with its last. */
  drain(): void {
    this.#draining = true
    for (const session of this.#sessions) session.drain()
  }
}

class H2Session implements Watched {
  readonly state: ConnectionState
  readonly socket: Socket
  readonly #options: H2FrontOptions
  readonly #session: ServerHttp2Session
  readonly #resets: RateLimit
  readonly #controls: RateLimit
  /** When the last stream ended; undefined while there is one. */
  #idleSince: number | undefined
  #drainedAt: number | undefined
  readonly #stall: WriteStall
  readonly #streams = new Set<StreamClient>()

  constructor(socket: Socket, state: ConnectionState, options: H2FrontOptions) {
    const { limits, deadlines } = options
    this.state = state
    this.socket = socket
    this.#options = options
    const now = deadlines.now()
    this.#idleSince = now
    this.#stall = new WriteStall(options.timeouts.clientReadMs)
    this.#resets = new RateLimit(limits.h2ResetsPerSecond, now)
    this.#controls = new RateLimit(limits.h2ControlsPerSecond, now)
    this.#session = performServerHandshake(socket, {
      maxSessionMemory: Math.ceil(limits.h2SessionBytes / BYTES_PER_MEGABYTE),
      // Over these a stream is reset before we see it; up to them 431 is answered.
      maxHeaderListPairs: ANSWERED_TIMES * limits.headerCount,
      settings: {
        maxConcurrentStreams: limits.h2Streams,
        initialWindowSize: limits.h2StreamWindowBytes,
        maxHeaderListSize: ANSWERED_TIMES * limits.headerBytes,
      },
    })
    this.#session.setLocalWindowSize(limits.h2ConnectionWindowBytes)
    this.#listen()
  }

  /** GOAWAY; the session closes with its last stream. */
  drain(): void {
    this.#drainedAt ??= this.#options.deadlines.now()
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close()
  }

  tick(now: number): void {
    const { queued, taken } = tcpProgress(this.state.raw)
    if (this.#stall.overdue(now, queued + this.socket.writableLength > 0, taken)) {
      this.#note('YORI_CLIENT_STALLED')
      this.socket.destroy()
      return
    }
    for (const stream of this.#streams) stream.tick(now)
    this.#endIdle(now)
  }

  #endIdle(now: number): void {
    const idleSince = this.#idleSince
    if (idleSince === undefined) return
    if (now - idleSince > this.#options.timeouts.h2IdleMs) this.drain()
    if (this.#drainedAt === undefined) return
    // Node waits for the client to end its side, too.
    if (now - Math.max(idleSince, this.#drainedAt) > LINGER_MS) this.socket.destroy()
  }

  began(): void {
    this.state.active += 1
    this.state.log.request()
    this.#idleSince = undefined
  }

  ended(): void {
    this.state.active -= 1
    if (this.state.active === 0) this.#idleSince = this.#options.deadlines.now()
  }

  #listen(): void {
    const session = this.#session
    session.on('stream', (stream, headers, _flags, ...rest: unknown[]) => {
      const [raw] = rest
      this.#serve(stream, headers, Array.isArray(raw) ? (raw as string[]) : [])
    })
    const control = (): void => this.#spend(this.#controls)
    session.on('ping', control)
    session.on('remoteSettings', control)
    // Of a broken session Node tells here; its streams and socket close with it.
    session.on('error', () => this.#note('YORI_REQUEST_MALFORMED'))
    session.on('close', () => this.socket.destroySoon())
  }

  #serve(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
  ): void {
    stream.on('error', () => undefined)
    if (stream.destroyed || stream.closed) {
      this.#spend(this.#resets)
      return
    }
    stream.once('aborted', () => this.#spend(this.#resets))
    const request = new H2Request(stream, headers, raw)
    const response = new H2Response(stream, request)
    const stall = new WriteStall(this.#options.timeouts.clientReadMs)
    const from = new StreamClient(this, { stream, response, stall })
    this.#streams.add(from)
    stream.once('close', () => this.#streams.delete(from))
    this.#options.request({ request, response }, from)
  }

  #spend(limit: RateLimit): void {
    if (this.#session.destroyed || limit.take(this.#options.deadlines.now())) return
    this.#note('YORI_CLIENT_FLOOD')
    this.#session.destroy(new YoriError('YORI_CLIENT_FLOOD'), NGHTTP2_ENHANCE_YOUR_CALM)
  }

  #note(code: ErrorCode): void {
    this.state.log.ended(code)
  }
}

class StreamClient implements HttpClient {
  readonly state: ConnectionState
  readonly socket: Socket
  readonly #session: H2Session
  readonly #stream: ServerHttp2Stream
  readonly #response: H2Response
  readonly #stall: WriteStall
  #stalled = false

  constructor(
    session: H2Session,
    parts: { stream: ServerHttp2Stream; response: H2Response; stall: WriteStall },
  ) {
    this.state = session.state
    this.socket = session.socket
    this.#session = session
    this.#stream = parts.stream
    this.#response = parts.response
    this.#stall = parts.stall
  }

  get stalled(): boolean {
    return this.#stalled || this.state.record.code === 'YORI_CLIENT_STALLED'
  }

  tick(now: number): void {
    const { queued, taken } = this.#response.progress()
    if (!this.#stall.overdue(now, queued > 0, taken)) return
    this.#stalled = true
    this.#response.reset()
  }

  get gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  began(): void {
    this.#session.began()
  }

  ended(): void {
    this.#session.ended()
  }

  goAway(): void {
    this.#session.drain()
  }

  breakOff(rstCode?: number): void {
    this.#response.reset(rstCode)
  }
}
