/**
 * HTTP/1.1 towards clients by Node's server, given its sockets one by one: those on which a
 * client asks for CONNECT or another protocol, from that request on; all others are
 * `h1-front.ts`'s. It enforces none of its own request deadlines on such sockets, so they are
 * kept here.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../../core/errors.js'
import type { Watched } from '../../core/watched.js'
import type { Deadlines } from '../../net/deadlines.js'
import { cutSoon, endSoon } from '../../net/end-soon.js'
import { errorCodeOf } from '../../net/tls-failure.js'
import { tcpProgress, WriteStall } from '../../net/write-stall.js'
import type { ConnectionState } from '../words/connection-state.js'
import type { HttpClient, Underway } from '../words/http-words.js'
import type { PipelineLimits, PipelineTimeouts } from '../words/policy-snapshot.js'

export interface FrontHandlers {
  request(request: IncomingMessage, response: ServerResponse, from: Client): void
  connect(request: IncomingMessage, socket: Duplex, head: Buffer, from: Client): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, from: Client): void
  /** A head that could not be read; the handler answers or destroys. */
  malformed(code: ErrorCode, socket: Duplex, from: HttpClient): void
}

export interface FrontOptions {
  readonly handlers: FrontHandlers
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  readonly deadlines: Deadlines
}

/** One HTTP connection, in the clear or inside TLS that ends here. */
export class Client implements HttpClient, Watched {
  readonly state: ConnectionState
  readonly socket: Socket
  readonly #front: HttpFront
  /** When the next head is due; undefined while a request is under way. */
  #headDue: number | undefined
  readonly #underway = new Set<Underway>()
  /** The answer to the last request that has come, while it is due. */
  #answering: Answering | undefined
  /** What has to wait for its turn: answers go out in the order of the requests. */
  #whenIdle: (() => void) | undefined
  readonly #stall: WriteStall
  /** What came was no HTTP, and that was answered or will be: the rest is dropped. */
  #isOver = false
  /** To an HTTP server FIN means that the client has gone, whatever is still to be said. */
  readonly #onEnd = (): void => cutSoon(this.socket)

  constructor(state: ConnectionState, socket: Socket, front: HttpFront) {
    this.state = state
    this.socket = socket
    this.#front = front
    this.#stall = new WriteStall(front.timeouts.clientReadMs)
    socket.once('end', this.#onEnd)
    this.#headDue = front.now() + front.timeouts.requestHeadMs
  }

  began(exchange?: Underway): void {
    if (exchange !== undefined) this.#underway.add(exchange)
    this.state.active += 1
    this.state.log.request()
    this.#headDue = undefined
  }

  ended(exchange?: Underway): void {
    if (exchange !== undefined) this.#underway.delete(exchange)
    this.state.active -= 1
    if (this.state.active > 0) return
    const next = this.#whenIdle
    this.#whenIdle = undefined
    next?.()
    if (this.#front.stopping) endSoon(this.socket)
    const { keepAliveMs, requestHeadMs } = this.#front.timeouts
    this.#headDue = this.#front.now() + keepAliveMs + requestHeadMs
  }

  get gone(): boolean {
    return this.socket.destroyed
  }

  get stalled(): boolean {
    return this.state.record.code === 'YORI_CLIENT_STALLED'
  }

  goAway(): void {
    // `connection: close` in the answer's head does.
  }

  /** By reset: a FIN would pass for the end of a body that has no other. RFC 9112 §8. */
  breakOff(): void {
    this.state.raw.resetAndDestroy()
    this.socket.destroy()
  }

  /** Runs `next`, which ends HTTP on this connection, after the last answer. RFC 9112 §9.3.2. */
  inTurn(next: () => void): void {
    if (this.state.active === 0) next()
    else this.#whenIdle ??= next
  }

  /**
   * The bytes that came are no HTTP. An exchange whose body they are answers that itself. Node
   * tells it of every chunk that follows, too, and the answer must outlive those.
   */
  malformed(answer: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    const reading = [...this.#underway].filter((exchange) => exchange.malformed())
    if (reading.length === 0) this.inTurn(answer)
  }

  /**
   * A request has come whose answer is to be the last: it says so. Others may have come before
   * it at once (RFC 9112 §9.3.2); theirs are no longer the last.
   */
  asked(response: ServerResponse): void {
    const before = this.#answering
    const { shouldKeepAlive: keepsAlive } = response
    this.#answering = { response, keepsAlive }
    response.once('close', () => {
      if (this.#answering?.response === response) this.#answering = undefined
    })
    if (!this.#front.retired) return
    if (before?.response.headersSent === false)
      before.response.shouldKeepAlive = before.keepsAlive
    response.shouldKeepAlive = false
  }

  /**
   * The next answer whose head has not gone yet tells the client to close. Until then the
   * connection stays: to close it untold would lose the request that is on its way.
   */
  retire(): void {
    const response = this.#answering?.response
    if (response?.headersSent === false) response.shouldKeepAlive = false
  }

  /** Ends the connection when nothing is under way; else the last response does. */
  drain(): void {
    if (this.state.active === 0) endSoon(this.socket)
  }

  /** Somebody else has the socket now, for whom a half-close may be one. */
  leave(): void {
    this.socket.off('end', this.#onEnd)
  }

  tick(now: number): void {
    const { queued, taken } = tcpProgress(this.state.raw)
    if (this.#stall.overdue(now, queued + this.socket.writableLength > 0, taken)) {
      this.state.log.ended('YORI_CLIENT_STALLED')
      this.breakOff()
      return
    }
    if (this.#headDue === undefined || now <= this.#headDue) return
    if (this.state.record.exchanges === 0) this.state.log.ended('YORI_REQUEST_TIMEOUT')
    this.socket.destroy()
  }
}

interface Answering {
  readonly response: ServerResponse
  /** What its request asked for. */
  readonly keepsAlive: boolean
}

export class HttpFront {
  readonly timeouts: PipelineTimeouts
  /** Each connection is to end, with an answer that says so. */
  retired = false
  /** Connections on which nothing is under way end now. */
  stopping = false
  readonly #server: Server
  readonly #deadlines: Deadlines
  readonly #clients = new Map<Duplex, Client>()

  constructor(options: FrontOptions) {
    this.timeouts = options.timeouts
    this.#deadlines = options.deadlines
    const { handlers, limits } = options
    this.#server = createServer({
      maxHeaderSize: limits.headerBytes,
      keepAliveTimeout: options.timeouts.keepAliveMs,
      insecureHTTPParser: false,
      requireHostHeader: false,
      noDelay: true,
    })
    // Node would silently cut a longer list; we count and answer 431 ourselves.
    this.#server.maxHeadersCount = 0
    const ask = (request: IncomingMessage, response: ServerResponse): void => {
      const client = this.#of(request.socket)
      if (client === undefined) return
      client.asked(response)
      handlers.request(request, response, client)
    }
    this.#server.on('request', ask)
    // `Expect: 100-continue` comes here; the exchange says 100 when it has decided.
    this.#server.on('checkContinue', ask)
    this.#server.on('checkExpectation', ask)
    this.#server.on(
      'connect',
      (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const client = this.#of(socket)
        if (client === undefined) return
        client.inTurn(() => {
          this.#forget(socket)
          handlers.connect(request, socket, head, client)
        })
      },
    )
    this.#server.on(
      'upgrade',
      (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const client = this.#of(socket)
        if (client === undefined) return
        client.inTurn(() => {
          this.#forget(socket)
          handlers.upgrade(request, socket, head, client)
        })
      },
    )
    this.#server.on('clientError', (error: Error, socket: Duplex) => {
      const client = this.#of(socket)
      const code = headProblem(errorCodeOf(error))
      if (client === undefined || code === undefined) {
        socket.destroy()
      } else {
        client.malformed(() => {
          if (socket.writable) handlers.malformed(code, socket, client)
          else socket.destroy()
        })
      }
    })
  }

  /** Serves HTTP/1.1 on a socket until it closes; resolves then. */
  serve(socket: Socket, state: ConnectionState): Promise<void> {
    const client = new Client(state, socket, this)
    this.#clients.set(socket, client)
    this.#deadlines.watch(client)
    return new Promise((resolve) => {
      socket.once('close', () => {
        this.#forget(socket)
        resolve()
      })
      this.#server.emit('connection', socket)
    })
  }

  now(): number {
    return this.#deadlines.now()
  }

  /** Another takes its place: connections end as they can without losing a request. */
  retire(): void {
    this.retired = true
    for (const client of this.#clients.values()) client.retire()
  }

  /** The process is about to end. */
  drain(): void {
    this.retire()
    this.stopping = true
    for (const client of this.#clients.values()) client.drain()
  }

  #of(socket: Duplex): Client | undefined {
    return this.#clients.get(socket)
  }

  #forget(socket: Duplex): void {
    const client = this.#clients.get(socket)
    if (client === undefined) return
    this.#clients.delete(socket)
    this.#deadlines.unwatch(client)
    client.leave()
  }
}

/** Undefined: the connection broke, there is nobody to answer. */
function headProblem(code: string): ErrorCode | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 'YORI_REQUEST_HEAD_TOO_LARGE'
  if (code.startsWith('HPE_')) return 'YORI_REQUEST_MALFORMED'
  return undefined
}
