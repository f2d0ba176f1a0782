/**
 * One HTTP/1.1 connection of a client: requests are served as they come, up to a bound, and
 * answered in their order; what is sent beyond that waits, here and then in the socket. Keeps
 * the deadlines, and ends the connection as it must end. Reading is `h1-requests.ts`; a switch
 * of protocols and CONNECT are others' (`http-front.ts`). RFC 9112 §9.
 */
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'
import type { Watched } from '../../core/watched.js'
import type { Head, Problem } from '../../http/h1/head.js'
import { cutSoon, endSoon } from '../../net/end-soon.js'
import { tcpProgress, WriteStall } from '../../net/write-stall.js'
import type { ConnectionState } from '../words/connection-state.js'
import type { HttpClient, Underway } from '../words/http-words.js'
import type { PipelineLimits, PipelineTimeouts } from '../words/policy-snapshot.js'
import type { H1Request } from './h1-request.js'
import { H1Requests } from './h1-requests.js'
import type { Begun, RequestTaker } from './h1-requests.js'
import { H1Response } from './h1-response.js'
import type { Outgoing } from './h1-response.js'

/** Requests that are under way at once; the next waits for an answer to go. */
export const MAX_AT_ONCE = 16
/** Of what waits to be read: more than this waits in the socket. */
export const AHEAD_BYTES = 64 * 1024
/** A client may count its idle time from a little later than we do. */
const KEEP_ALIVE_MARGIN_MS = 1_000

/** The front that a connection belongs to. */
export interface H1Host {
  readonly limits: Pick<PipelineLimits, 'headerBytes'>
  readonly timeouts: Pick<
    PipelineTimeouts,
    'clientReadMs' | 'keepAliveMs' | 'requestHeadMs'
  >
  /** Each connection is to end, with an answer that says so. */
  readonly retired: boolean
  /** Connections on which nothing is under way end now. */
  readonly stopping: boolean
  now(): number
  request(http: { request: H1Request; response: H1Response }, from: H1Client): void
  /** What came is no HTTP: it answers, and ends the connection. */
  malformed(code: ErrorCode, from: H1Client): void
  /** Somebody else serves it from here; the request's head is in the socket again. */
  handOver(from: H1Client): void
}

export class H1Client implements HttpClient, Watched, Outgoing, RequestTaker {
  readonly state: ConnectionState
  readonly socket: Socket
  watchedAt = -1
  readonly #host: H1Host
  readonly #requests: H1Requests
  /** Which are due, in the order in which they go. */
  readonly #due: Due[] = []
  readonly #underway: Underway[] = []
  /** What ends HTTP here, behind the last answer that is due. */
  #whenAnswered: (() => void) | undefined
  /** When the head, or the first byte of one, is due; undefined while a request is under way. */
  #headDue: number | undefined
  #headBegun = true
  readonly #stall: WriteStall

  constructor(state: ConnectionState, socket: Socket, host: H1Host) {
    this.state = state
    this.socket = socket
    this.#host = host
    this.#requests = new H1Requests(this, host.limits.headerBytes)
    this.#stall = new WriteStall(host.timeouts.clientReadMs)
    this.#headDue = host.now() + host.timeouts.requestHeadMs
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
    socket.resume()
  }

  began(exchange?: Underway): void {
    if (exchange !== undefined) this.#underway.push(exchange)
    this.state.active += 1
    this.state.log.request()
    this.#headDue = undefined
  }

  ended(exchange?: Underway): void {
    const at = exchange === undefined ? -1 : this.#underway.indexOf(exchange)
    if (at >= 0) this.#underway.splice(at, 1)
    this.state.active -= 1
    if (this.state.active > 0) return
    if (this.#host.stopping) this.#endHere()
    const { keepAliveMs, requestHeadMs } = this.#host.timeouts
    this.#headBegun = this.#requests.inHead
    const waitMs = this.#headBegun ? requestHeadMs : keepAliveMs + KEEP_ALIVE_MARGIN_MS
    this.#headDue = this.#host.now() + waitMs
  }

  get gone(): boolean {
    return this.socket.destroyed
  }

  get stalled(): boolean {
    return this.state.record.code === 'YORI_CLIENT_STALLED'
  }

  isNext(response: H1Response): boolean {
    return this.#due[0]?.response === response
  }

  /** What was sent ahead is answered, too, before the connection ends. */
  isLast(response: H1Response): boolean {
    const isNewest = this.#due.at(-1)?.response === response
    return this.#host.retired && isNewest && this.#requests.ahead === 0
  }

  get keepAliveSeconds(): number {
    return Math.floor(this.#host.timeouts.keepAliveMs / 1000)
  }

  /** Behind an answer that says close there is none. */
  get isFree(): boolean {
    const newest = this.#due.at(-1)
    if (newest === undefined) return true
    return newest.response.keepsAlive && this.#due.length < MAX_AT_ONCE
  }

  goAway(): void {
    // `connection: close` in the answer's head does.
  }

  /**
   * By reset: a FIN would pass for the end of a body that has no other. RFC 9112 §8. What has
   * come of the answer goes before it.
   */
  breakOff(): void {
    this.#due[0]?.response.flush()
    this.state.raw.resetAndDestroy()
    this.socket.destroy()
  }

  /** Ends the connection when nothing is under way; else the last response does. */
  drain(): void {
    if (this.state.active === 0) this.#endHere()
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

  headBegan(): void {
    // While a request is under way nobody waits for the next.
    if (this.#headBegun || this.state.active > 0) return
    this.#headBegun = true
    this.#headDue = this.#host.now() + this.#host.timeouts.requestHeadMs
  }

  begin(request: H1Request, head: Begun): void {
    const response = new H1Response(this, { method: request.method, ...head })
    this.#due.push({ request, response })
    this.#host.request({ request, response }, this)
  }

  answered(response: H1Response): void {
    const [first] = this.#due
    if (first?.response !== response) return
    this.#due.shift()
    response.close()
    first.request.drop()
    if (!response.keepsAlive) {
      this.#endHere()
      return
    }
    this.#due[0]?.response.turn()
    if (this.#due.length === 0) this.#whenAnswered?.()
    this.goOn()
  }

  malformedHead(problem: Problem | undefined, head: Head): void {
    this.#malformed(codeOf(problem, head, this.state.intercepted !== undefined))
  }

  /** An exchange that still reads it answers that itself. */
  malformedBody(): void {
    const told = this.#underway.slice().filter((exchange) => exchange.malformed())
    if (told.length === 0) this.#malformed('YORI_REQUEST_MALFORMED')
  }

  /** Then nothing more is read here, nor is a FIN heard of before it is its turn. */
  handOver(bytes: Buffer): void {
    const { socket } = this
    socket.pause()
    socket.off('data', this.#onData).off('end', this.#onEnd)
    this.#inTurn(() => {
      socket.off('close', this.#onClose).off('drain', this.#onDrain)
      socket.unshift(bytes)
      this.#host.handOver(this)
      socket.resume()
    })
  }

  readonly onWritten = (): void => this.#due[0]?.response.wrote()

  readonly goOn = (): void => {
    if (this.#requests.isOver) return
    this.#requests.goOn()
    if (!this.#requests.isOver && !this.#holdBack()) this.socket.resume()
  }

  #malformed(code: ErrorCode): void {
    this.#inTurn(() => {
      if (this.socket.writable) this.#host.malformed(code, this)
      else this.socket.destroy()
    })
  }

  /** Answers go out in the order of the requests. RFC 9112 §9.3.2. */
  #inTurn(next: () => void): void {
    if (this.#due.length === 0) next()
    else this.#whenAnswered = next
  }

  /** Behind what has been written; what still comes is dropped. */
  #endHere(): void {
    this.#requests.stop()
    if (!this.socket.writableEnded) endSoon(this.socket)
  }

  /** Stops reading while what would come is not wanted. Then nobody hears of a FIN either. */
  #holdBack(): boolean {
    const isHeld = this.#requests.isUnwanted || this.#requests.ahead >= AHEAD_BYTES
    if (isHeld) this.socket.pause()
    return isHeld
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#requests.isOver) return
    this.#requests.push(bytes)
    if (!this.#requests.isOver) this.#holdBack()
  }

  /**
   * To an HTTP server FIN means that the client has gone, whatever is still to be said. What
   * has not come to its end is no message, RFC 9112 §8.
   */
  readonly #onEnd = (): void => {
    const requests = this.#requests
    const { isOver, inBody, inHead } = requests
    requests.stop()
    if (!isOver && inBody !== undefined) this.malformedBody()
    else if (!isOver && inHead) this.#malformed('YORI_REQUEST_MALFORMED')
    if (!this.socket.writableEnded) this.socket.end()
    cutSoon(this.socket)
  }

  readonly #onDrain = (): void => this.#due[0]?.response.drained()

  readonly #onClose = (): void => {
    const due = this.#due.splice(0)
    this.#requests.stop()
    for (const { response } of due) response.close()
    for (const { request } of due) request.abort()
  }
}

interface Due {
  readonly request: H1Request
  readonly response: H1Response
}

function codeOf(problem: Problem | undefined, head: Head, isNamed: boolean): ErrorCode {
  switch (problem) {
    case 'head-too-large':
      return 'YORI_REQUEST_HEAD_TOO_LARGE'
    case 'transfer-encoding':
      // In HTTP/1.0 such framing is faulty, RFC 9112 §6.1.
      if (head.otherCoding && head.minor === 1) return 'YORI_TRANSFER_CODING_UNKNOWN'
      return 'YORI_REQUEST_MALFORMED'
    case 'host':
      // Its connection has one name, and the request does not agree with it.
      return isNamed ? 'YORI_MISDIRECTED' : 'YORI_REQUEST_MALFORMED'
    default:
      return 'YORI_REQUEST_MALFORMED'
  }
}
