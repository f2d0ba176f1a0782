/**
 * One request with its response: admit, read the body, have it judged where a policy may block,
 * forward, stream back, record. Otherwise bytes go on before they are looked at. Here is what
 * happens when, and what has happened already; `requests.ts` has checked the name before, and
 * `judging.ts`, `upstream-request.ts`, `reading.ts`, `exchange-failure.ts` and
 * `exchange-record.ts` know how each step is done.
 */
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { YoriError } from '../../core/errors.js'
import { orderedId } from '../../core/ordered-id.js'
import type { ExchangeOutcome, ExchangeRecord } from '../../core/record.js'
import { isGrpc } from '../../http/grpc.js'
import { fieldPairs, readResponseHead, reasonPhrase } from '../../http/head.js'
import type { Watched } from '../../core/watched.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
} from '../../net/upstream-words.js'
import { rstCodeOf } from '../../net/upstream-h2-stream.js'
import type { Recognised } from '../../providers/index.js'
import type { Decision } from '../../policy/engine.js'
import { answerBlocked, overridden } from '../judging/blocking.js'
import { Hold } from '../bounds/byte-budget.js'
import { answerFailure, learnFrom, logFailure } from './exchange-failure.js'
import { bodyOf, readingOf } from './exchange-parts.js'
import { keepRecord, noteCall, noteEnd, noteGone, openRecord } from './exchange-record.js'
import type { ExchangeAbout, ExchangeFacts, Judgement } from '../words/exchange-about.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import { passInformation } from '../answers/informational.js'
import { Judging } from '../judging/judging.js'
import type { Reading } from '../reading/reading.js'
import type { RequestBody } from './request-body.js'
import { headProblem } from './request-limits.js'
import type { Services } from '../words/services.js'
import { upstreamRequest, wantsH2 } from './upstream-request.js'
import { serveSocket } from '../websocket/websocket-exchange.js'
import type { SocketEnd } from '../websocket/websocket-exchange.js'

export class Exchange implements ExchangeAbout, UpstreamHandler, Watched {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly from: HttpClient
  readonly facts: ExchangeFacts
  readonly services: Services
  readonly requestId: string
  readonly recognised: Recognised | undefined
  readonly isGrpc: boolean
  readonly waits: boolean
  readonly overH2: boolean
  retried = false
  readonly #startedAt = performance.now()
  readonly #hold: Hold
  readonly #body: RequestBody
  /** Undefined for a plain relay, and so are the two after it. */
  readonly #record: ExchangeRecord | undefined
  readonly #reading: Reading | undefined
  readonly #judging: Judging | undefined
  #sent: UpstreamBody | undefined
  #upstream: UpstreamExchange | undefined
  #admitted = false
  #failing = false
  #closed = false
  /** The protocols were switched: the exchange ends with its sockets. */
  #switched = false
  #responseBytes = 0
  /** What its client sent after the protocols were switched. */
  #socketBytes = 0

  constructor(
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
    facts: ExchangeFacts,
    services: Services,
  ) {
    this.request = http.request
    this.response = http.response
    this.from = from
    this.facts = facts
    this.services = services
    this.requestId = orderedId(services.clock.now())
    this.recognised = services.recognise({
      host: facts.target.host,
      method: http.request.method ?? 'GET',
      path: facts.path,
      contentType: facts.head.contentType,
    })
    this.isGrpc = isGrpc(facts.head.contentType)
    this.waits = facts.endpoint !== undefined && services.decider.holds
    this.overH2 = wantsH2(services.catalogue, facts)
    this.#hold = new Hold(services.held, from.state.caller.address)
    this.#body = bodyOf(this, this.#hold)
    if (facts.endpoint === undefined) return
    const record = openRecord(this)
    this.#record = record
    this.#reading = readingOf(this, record, this.#hold)
    this.#judging = new Judging(this, record, this.#reading)
  }

  get closed(): boolean {
    return this.#closed
  }

  elapsed(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000
  }

  /** Returns at once; the exchange goes on until its response has closed. */
  begin(): void {
    const services = this.services
    this.from.began(this)
    this.response.sendDate = false
    this.response.once('close', () => this.#responseClosed())
    services.deadlines.watch(this)
    if (this.#record !== undefined) services.audit.exchangeOpened(this.#record)
    const busy = services.admission.enter(this.facts.target.host)
    if (busy !== undefined) {
      this.#fail(new YoriError(busy))
      return
    }
    this.#admitted = true
    const problem = headProblem(this.request, this.facts.head, services.policy.limits)
    if (problem !== undefined) {
      this.#fail(problem)
      return
    }
    if (this.request.headers.expect !== undefined) this.response.writeContinue()
    this.#body.read(
      (body) => this.#arrived(body),
      (error) => this.#fail(error),
    )
  }

  tick(now: number): void {
    // A call may stay open both ways for as long as either side talks.
    if (this.isGrpc) return
    const { requestBodyMs } = this.services.policy.timeouts
    if (this.#body.waiting && now - this.#body.lastByteAt > requestBodyMs) {
      this.#fail(new YoriError('YORI_REQUEST_TIMEOUT', 'the request body stalled'))
    }
  }

  onInformation(status: number, rawHeaders: readonly Buffer[]): void {
    passInformation(this.request, this.response, status, rawHeaders)
  }

  onHead(status: number, message: string, rawHeaders: readonly Buffer[]): void {
    if (this.#closed) return
    const head = readResponseHead(rawHeaders)
    if (head.foreignCoding) {
      this.#fail(
        new YoriError('YORI_UPSTREAM_MALFORMED', 'a transfer coding other than chunked'),
      )
      return
    }
    if (this.#record !== undefined) this.#record.status = status
    if (this.isGrpc && this.#record !== undefined) noteCall(this.#record, rawHeaders)
    this.response.writeHead(
      status,
      reasonPhrase(message) ?? STATUS_CODES[status] ?? '',
      head.fields,
    )
    void this.#judge()
    this.#reading?.responseHead(status, head)
    // The body's first bytes mostly came along and go out in one write with the head. When
    // they did not, as in an event stream that thinks first, the head goes alone.
    queueMicrotask(() => {
      if (this.#responseBytes === 0 && !this.response.writableEnded)
        this.response.flushHeaders()
    })
  }

  onData(chunk: Buffer): boolean {
    if (this.#closed) return true
    if (this.#responseBytes === 0 && this.#record !== undefined) {
      this.#record.firstByteMs = this.elapsed()
    }
    this.#responseBytes += chunk.length
    const flowing = this.response.write(chunk)
    this.#reading?.push(chunk)
    if (flowing) return true
    this.response.once('drain', () => this.#upstream?.resume())
    return false
  }

  onEnd(rawTrailers: readonly Buffer[]): void {
    if (this.#closed) return
    if (rawTrailers.length > 0 && this.response.chunkedEncoding) {
      this.response.addTrailers(fieldPairs(readResponseHead(rawTrailers).fields))
    }
    if (this.isGrpc && this.#record !== undefined) noteCall(this.#record, rawTrailers)
    this.response.end()
    this.#close('response')
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    const response: unknown = this.response
    // Only HTTP/1.1 asks to switch.
    if (this.#closed || !(response instanceof ServerResponse)) {
      socket.destroy()
      return
    }
    this.#switched = true
    const judging = this.waits ? this.#judging : undefined
    const judge = judging?.judgeMessage.bind(judging)
    const about = { exchange: this, record: this.#record, judge }
    const answer = response as ServerResponse
    const served = serveSocket(answer, this.from.socket, { rawHeaders, socket }, about)
    void served.then((end) => this.#hungUp(end))
  }

  async #hungUp(end: SocketEnd): Promise<void> {
    this.#socketBytes = end.bytesFromClient
    this.#responseBytes = end.bytesToClient
    if (this.#judging !== undefined) this.#judging.said = end.content
    try {
      await this.#judge()
    } catch (cause) {
      this.services.log.error({ err: cause }, 'the decision on a WebSocket failed')
    }
    this.#close(end.wasBlocked ? 'block' : 'response')
    this.from.ended()
  }

  onError(error: YoriError, stale: boolean): void {
    if (this.#closed) return
    if (
      stale &&
      !this.retried &&
      this.#sent !== undefined &&
      this.#sent.kind !== 'stream'
    ) {
      this.retried = true
      if (this.#record !== undefined) this.#record.retried = true
      this.#send(this.#sent)
      return
    }
    // The provider may have acted on it: an invented 502 would make libraries send it again.
    this.#fail(error, stale)
  }

  #send(body: UpstreamBody): void {
    if (this.#closed) return
    this.#sent = body
    const request = upstreamRequest(this, body, this.#judging?.redaction)
    this.#upstream = this.services.upstream.send(request, this)
  }

  #arrived(body: UpstreamBody): void {
    if (!this.waits) {
      this.#send(body)
      return
    }
    const goOn = (): void => this.#send(this.#judging?.redaction?.body ?? body)
    const settle = (decision: Decision | undefined): void => {
      if (decision?.enforce === true) void this.#blockedBy(decision, goOn)
      else goOn()
    }
    const decision = this.#judge(body)
    if (!(decision instanceof Promise)) settle(decision)
    else decision.then(settle, (cause: unknown) => this.#fail(internal(cause)))
  }

  /** Reads what was kept of the request, and decides on it; once. `held`: the body, if it is. */
  #judge(held?: UpstreamBody): Judgement {
    return this.#judging?.judge(this.#body, held)
  }

  async #blockedBy(decision: Decision, goOn: () => void): Promise<void> {
    const judging = this.#judging
    if (judging === undefined) return
    const { blocked } = judging
    const left = await overridden(blocked, decision)
    if (this.#closed) return
    if (left === undefined) {
      judging.letPast()
      goOn()
      return
    }
    answerBlocked(blocked, left)
    this.#close('block')
  }

  /** What follows the request's head cannot be read any further. */
  malformed(): boolean {
    if (this.request.complete) return false
    this.#fail(new YoriError('YORI_REQUEST_MALFORMED', 'the body is not valid HTTP'))
    return true
  }

  /**
   * Ends the exchange early: an answer when there is none yet, else, or when `silent`, a
   * visible break.
   */
  #fail(error: YoriError, silent = false): void {
    if (this.#closed || this.#failing) return
    // What aborting brings back is no news.
    this.#failing = true
    this.#upstream?.abort()
    learnFrom(error, this)
    const told = answerFailure(this, this.#record, error, silent)
    this.#close('error')
    // Only now: the break closes the response within the call.
    if (!told) this.from.breakOff(rstCodeOf(error.cause))
    logFailure(error, this)
  }

  /** The client has everything, or is gone. */
  #responseClosed(): void {
    if (this.#switched) return
    if (!this.#closed) {
      // What aborting brings back is no news.
      this.#failing = true
      this.#upstream?.abort()
      if (this.#record !== undefined) noteGone(this.#record, this)
      this.#close('error')
    }
    this.from.ended(this)
  }

  #close(outcome: ExchangeOutcome): void {
    if (this.#closed) return
    this.#closed = true
    this.services.deadlines.unwatch(this)
    if (this.#admitted) this.services.admission.leave(this.facts.target.host)
    const record = this.#record
    if (record === undefined) {
      this.#hold.release()
      return
    }
    void this.#judge()
    if (this.#reading === undefined) this.#hold.release()
    record.requestBytes = this.#body.bytes + this.#socketBytes
    record.responseBytes = this.#responseBytes
    noteEnd(record, this, outcome)
    const closed = (): void => keepRecord(record, this.services)
    if (this.#reading === undefined) closed()
    else this.#reading.end(outcome === 'response', closed)
  }
}

function internal(cause: unknown): YoriError {
  return new YoriError('YORI_INTERNAL', 'the decision failed', { cause })
}
