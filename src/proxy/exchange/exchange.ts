/**
 * One request with its response, phase by phase (`core/phases.ts`): admit, hold it where a
 * policy may block, judge, send, answer, close. Otherwise bytes go on before they are looked
 * at. Here is what happens when; `requests.ts` has checked the name before, and `held-steps.ts`,
 * `judging.ts`, `upstream-request.ts`, `reading.ts`, `exchange-failure.ts` and
 * `exchange-record.ts` know how each step is done.
 */
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { shareOf } from '../../core/device-id.js'
import { YoriError } from '../../core/errors.js'
import { lookingLater } from '../../core/looking-later.js'
import type { LookedAtLater, LookingPart } from '../../core/looking-later.js'
import { orderedId } from '../../core/ordered-id.js'
import { Course } from '../../core/phases.js'
import type { Phase } from '../../core/phases.js'
import type { ExchangeOutcome, Program } from '../../core/record.js'
import type { Watched } from '../../core/watched.js'
import { isGrpc } from '../../http/grpc.js'
import { fieldPairs, readResponseHead, reasonPhrase } from '../../http/head.js'
import { rstCodeOf } from '../../net/upstream-h2-stream.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
} from '../../net/upstream-words.js'
import type { AccessRefusal } from '../../policy/access-gate.js'
import type { Decision } from '../../policy/engine.js'
import type { Recognised } from '../../providers/index.js'
import { passInformation } from '../answers/informational.js'
import { Hold } from '../bounds/byte-budget.js'
import { answerBlocked } from '../judging/blocking.js'
import { Judging } from '../judging/judging.js'
import { openReading } from '../reading/open-reading.js'
import type { Reading, ResponseHeadFacts } from '../reading/reading.js'
import { serveSocket } from '../websocket/websocket-exchange.js'
import type { SocketEnd } from '../websocket/websocket-exchange.js'
import type { ExchangeAbout, ExchangeFacts } from '../words/exchange-about.js'
import type { ExchangeLog } from '../words/exchange-log.js'
import type { AnswerSink, Look, Rewriter } from '../words/door-way.js'
import type { HttpClient, HttpRequest, HttpResponse } from '../words/http-words.js'
import type { ExchangeTap } from '../words/observer.js'
import type { PooledWay } from '../words/pooled-way.js'
import type { ExchangePort } from './port.js'
import { answerBlockedByDoor, answerRefused } from './door-answer.js'
import { answerFailure, learnFrom, logFailure } from './exchange-failure.js'
import type { MessageState } from './call-gate.js'
import { cacheWay, KeepingHandler, PlayedAnswer } from './cached-sending.js'
import { bodyOf, isListening, mustWait, tappedHead } from './exchange-parts.js'
import { noteCall, noteElsewhere, noteEnd, noteGone, openLog } from './exchange-record.js'
import { HELD_STEPS, takeSteps } from './held-steps.js'
import type { RequestBody } from './request-body.js'
import { headProblem } from './request-limits.js'
import { framingOf, restoredFields, Restoring } from './restoring.js'
import type { RestoringHead } from './restoring.js'
import { PooledSending } from './pooled-sending.js'
import { maySendAgain } from './sent-again.js'
import { pooledRequest, upstreamRequest, wantsH2 } from './upstream-request.js'

const NOTHING = Buffer.alloc(0)
/** Of an answer, so much waits to be looked at. */
const MOST_BYTES_DUE = 64 * 1024

export class Exchange
  implements ExchangeAbout<ExchangePort>, UpstreamHandler, Watched, LookedAtLater
{
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly from: HttpClient
  readonly facts: ExchangeFacts
  readonly services: ExchangePort
  readonly requestId: string
  readonly recognised: Recognised | undefined
  readonly isGrpc: boolean
  readonly waits: boolean
  readonly overH2: boolean
  retried = false
  watchedAt = -1
  readonly #course = new Course()
  readonly #startedAt = performance.now()
  /** By which it counts. */
  readonly #share: string
  readonly #hold: Hold
  readonly #body: RequestBody
  /** Undefined for a plain relay, and so are the two after it. */
  readonly #log: ExchangeLog | undefined
  readonly #reading: Reading | undefined
  readonly #judging: Judging | undefined
  /** A decision that is made beside the traffic; never rejects. */
  #deciding: Promise<unknown> | undefined
  #sent: UpstreamBody | undefined
  #sentAt = 0
  #upstream: UpstreamExchange | undefined
  /** Undefined: nothing was taken out that its answer could have. */
  #restoring: Restoring | undefined
  /** Undefined: its answer goes on as it came. */
  #rewriter: Rewriter | undefined
  /** Undefined: its answer is not kept for the next who asks so. */
  #keeping: KeepingHandler | undefined
  /** Undefined: nobody keeps what passes. */
  #tap: ExchangeTap | undefined
  /** Money was all that stood against it: it goes to who takes none. */
  #isSpent = false
  #responseBytes = 0
  /** Its row is complete. */
  #isTold = false
  /** Its beginning has not been told. */
  #isUntold = true
  /** It is in the list of those that are looked at later; what is to be looked at. */
  #isDue = false
  #isFresh = false
  #judgingDue = false
  #headDue: { readonly status: number; readonly head: ResponseHeadFacts } | undefined
  readonly #bytesDue: Buffer[] = []
  #dueBytes = 0
  #endDue: { readonly outcome: ExchangeOutcome; readonly latencyMs: number } | undefined
  /** Of a call of gRPC: when the provider said something last, by the clock of deadlines. */
  #answeredAt = 0
  /** Its client listens to events for as long as it likes (WHATWG HTML §9.2, MCP). */
  #listens = false
  /** What its client sent after the protocols were switched. */
  #socketBytes = 0

  constructor(
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
    facts: ExchangeFacts,
    services: ExchangePort,
  ) {
    this.request = http.request
    this.response = http.response
    this.from = from
    this.facts = facts
    this.services = services
    this.requestId = orderedId(services.clock.now())
    const asked = {
      host: facts.target.host,
      method: http.request.method ?? 'GET',
      path: facts.path,
      contentType: facts.head.contentType,
    }
    this.recognised = services.recognise(asked, facts.door?.speaks)
    this.isGrpc = isGrpc(http.request.httpVersion, facts.head.contentType)
    this.waits = mustWait(this)
    this.overH2 = wantsH2(services.catalogue, this)
    this.#share = shareOf(from.state.record.device)
    this.#hold = new Hold(services.held, this.#share)
    this.#body = bodyOf(this, this.#hold, (bytes, state) => this.#mayGoOn(bytes, state))
    if (facts.endpoint === undefined) return
    const log = openLog(this)
    this.#log = log
    if (log.record.program === undefined)
      void from.state.program?.then((program) => {
        if (program !== undefined) this.#sentBy(program, log)
      })
    this.#reading = openReading(this, log, this.#hold)
    this.#judging = new Judging(this, log, this.#reading)
  }

  get closed(): boolean {
    return this.#course.phase === 'closed'
  }

  get phase(): Phase {
    return this.#course.phase
  }

  elapsed(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000
  }

  /** Returns at once; the exchange goes on until its response has closed. */
  begin(): void {
    const { services, facts } = this
    this.from.began(this)
    this.response.sendDate = false
    this.response.once('close', () => this.#responseClosed())
    services.deadlines.watch(this)
    if (this.#log !== undefined) {
      this.#lookLater()
      // What waits is asked about as one that has begun.
      if (this.waits) lookingLater.now()
      this.#tap = services.observers.tap(this.#log.record, () => tappedHead(facts))
      const tap = this.#tap
      if (tap !== undefined) this.#body.onBytes = (chunk) => tap.requestBytes(chunk)
    }
    const busy = services.admission.enter(facts.target.host, this.#share)
    if (busy !== undefined) {
      this.#fail(new YoriError(busy))
      return
    }
    const refused = facts.holder && services.keys.request(facts.holder)
    if (refused !== undefined) {
      this.#fail(refusalError(refused))
      return
    }
    this.#enter('admitted')
    const problem = headProblem(this.request, facts.head, services.policy.limits)
    if (problem !== undefined) {
      this.#fail(problem)
      return
    }
    if (facts.head.expects) this.response.writeContinue()
    if (this.waits) this.#enter('held')
    this.#body.read(
      (body) => (this.waits ? this.#lookAtHeld(body) : this.#send(body)),
      (error) => this.#fail(error),
    )
  }

  tick(now: number): void {
    const { requestBodyMs } = this.services.policy.timeouts
    // A call may stay open both ways for as long as either side talks.
    const talked = Math.max(this.#body.lastByteAt, this.#answeredAt)
    if (this.#body.waiting && now - talked > requestBodyMs) {
      this.#fail(new YoriError('YORI_REQUEST_TIMEOUT', 'the request body stalled'))
    }
  }

  onInformation(status: number, rawHeaders: readonly string[]): void {
    passInformation(this.request, this.response, status, rawHeaders)
  }

  onHead(status: number, message: string, rawHeaders: readonly string[]): void {
    if (!this.#course.row.hears) return
    const head = readResponseHead(rawHeaders)
    // What was kept was said at another time.
    if (this.#log !== undefined && this.#log.record.cache === undefined)
      this.services.clocks.saw(this.facts.target.host, head.fields)
    if (head.foreignCoding) {
      this.#fail(
        new YoriError('YORI_UPSTREAM_MALFORMED', 'a transfer coding other than chunked'),
      )
      return
    }
    if (this.#asksAgain(status, head.fields)) return
    this.#log?.status(status)
    this.#listens = isListening(this.request, status, head.contentType)
    if (this.isGrpc && this.#log !== undefined) noteCall(this.#log, rawHeaders)
    const restores = this.#restores(head)
    const isHead = this.request.method === 'HEAD'
    this.#rewriter = isHead
      ? undefined
      : this.facts.door?.way?.rewriter?.(head, status, this.#sink())
    const changes = restores || this.#rewriter !== undefined
    const came = this.facts.door?.answerFields?.(head.fields) ?? head.fields
    const fields = changes ? restoredFields(came) : came
    const phrase = reasonPhrase(message) ?? STATUS_CODES[status] ?? ''
    const changed = this.#judging?.changes?.responseFields(fields) ?? fields
    this.#tap?.responseHead(status, changed)
    this.response.writeHead(status, phrase, changed)
    this.#enter('answering')
    if (this.#log !== undefined) {
      noteElsewhere(this.#log.record, this.from)
      this.#headDue = { status, head }
      this.#lookLater()
    }
    // The body's first bytes mostly came along and go out in one write with the head. When
    // they did not, as in an event stream that thinks first, the head goes alone.
    process.nextTick(flushAlone, this)
  }

  /** Its head, unless something of the body has gone with it. */
  flushAlone(): void {
    if (this.#responseBytes === 0 && !this.response.writableEnded)
      this.response.flushHeaders()
  }

  /** Something was taken out of its request, and can be put back into such an answer. */
  #restores(head: RestoringHead): boolean {
    const placeholders = this.#judging?.redaction?.placeholders
    if (placeholders === undefined || this.request.method === 'HEAD') return false
    const framing = framingOf(head)
    if (framing === undefined) {
      this.#log?.unrestored('not-readable')
      return false
    }
    this.#restoring = new Restoring(placeholders, framing, {
      emit: (bytes) => {
        if (!this.#course.row.hears) return
        const passed = this.#rewritten(bytes)
        this.#tap?.responseBytes(passed)
        this.response.write(passed)
      },
      released: () => this.#log?.unrestored('held-too-long'),
    })
    return true
  }

  onData(chunk: Buffer): boolean {
    if (!this.#course.row.hears) return true
    if (this.#responseBytes === 0) this.#log?.firstByte(this.elapsed())
    this.#responseBytes += chunk.length
    if (this.isGrpc) this.#answeredAt = this.services.deadlines.now()
    const passed = this.#rewritten(this.#restoring?.write(chunk) ?? chunk)
    if (passed.length > 0) this.#tap?.responseBytes(passed)
    const flowing = passed.length === 0 || this.response.write(passed)
    if (this.#reading !== undefined) this.#pushLater(chunk)
    if (flowing) return true
    this.response.once('drain', () => this.#upstream?.resume())
    return false
  }

  onEnd(rawTrailers: readonly string[]): void {
    if (!this.#course.row.hears) return
    if (rawTrailers.length > 0 && this.response.chunkedEncoding) {
      this.response.addTrailers(fieldPairs(readResponseHead(rawTrailers).fields))
    }
    if (this.isGrpc && this.#log !== undefined) noteCall(this.#log, rawTrailers)
    const rest = this.#rest()
    const later = this.#rewriter?.finish?.()
    if (later === undefined) {
      this.#ended(rest, rawTrailers)
      return
    }
    later
      .then((last) => {
        if (this.#course.row.hears) this.#ended(Buffer.concat([rest, last]), rawTrailers)
      })
      .catch((cause: unknown) => this.#fail(internal(cause)))
  }

  #sink(): AnswerSink {
    return {
      emit: (bytes) => {
        if (!this.#course.row.hears || bytes.length === 0) return
        this.#tap?.responseBytes(bytes)
        this.response.write(bytes)
      },
      note: (text) => this.#log?.answerNoted(text),
    }
  }

  #ended(rest: Buffer, rawTrailers: readonly string[]): void {
    if (rest.length === 0) this.response.end()
    else {
      this.#tap?.responseBytes(rest)
      this.response.end(rest)
    }
    this.#tap?.responseEnd(rawTrailers)
    this.#close('response')
  }

  #rewritten(bytes: Buffer): Buffer {
    return this.#rewriter?.write(bytes) ?? bytes
  }

  /** What was held back of the answer. */
  #rest(): Buffer {
    const restored = this.#restoring?.end() ?? NOTHING
    if (this.#rewriter === undefined) return restored
    return Buffer.concat([this.#rewriter.write(restored), this.#rewriter.end()])
  }

  /** The answer says how to ask: it is asked so, and nobody sees this one. */
  #asksAgain(status: number, fields: readonly string[]): boolean {
    if (this.facts.door?.way?.asksAgain?.(status, fields) !== true) return false
    const sent = this.#again()
    if (sent === undefined) return false
    this.#upstream?.abort()
    this.#log?.retried()
    this.#send(sent)
    return true
  }

  onUpgrade(rawHeaders: readonly string[], socket: Duplex): void {
    const response: unknown = this.response
    // Only HTTP/1.1 asks to switch.
    if (!(response instanceof ServerResponse) || !this.#enter('switched')) {
      socket.destroy()
      return
    }
    const judge = this.#judging?.judgeMessage.bind(this.#judging)
    this.#tap?.switched()
    const about = { exchange: this, log: this.#log, judge }
    const answer = response as ServerResponse
    const served = serveSocket(answer, this.from.socket, { rawHeaders, socket }, about)
    void served.then((end) => this.#hungUp(end))
  }

  #hungUp(end: SocketEnd): void {
    this.#socketBytes = end.bytesFromClient
    this.#responseBytes = end.bytesToClient
    if (this.#judging !== undefined) this.#judging.said = end.content
    this.#close(end.outcome)
    this.from.ended()
  }

  onError(error: YoriError, stale: boolean, unsent?: boolean): void {
    if (this.closed) return
    // Who is sent to a pool has been sent again as often as it may.
    const isPooled = this.facts.door?.pooled !== undefined
    const mayRetry = stale && !isPooled && !this.retried && this.#course.row.mayRetry
    const sent =
      mayRetry && this.#maySendAgain(unsent === true) ? this.#again() : undefined
    if (sent !== undefined) {
      this.retried = true
      this.#log?.retried()
      this.#send(sent)
      return
    }
    // The provider may have acted on it: an invented 502 would make libraries send it again.
    this.#fail(error, stale)
  }

  #maySendAgain(isUnsent: boolean): boolean {
    const { recognised, facts } = this
    const { method = 'GET' } = this.request
    const sent = { method, path: facts.path, fields: facts.head.fields, recognised }
    const afterMs = this.services.deadlines.now() - this.#sentAt
    return maySendAgain(sent, { isUnsent, afterMs })
  }

  #again(): UpstreamBody | undefined {
    return this.#sent?.kind === 'stream' ? this.#body.again() : this.#sent
  }

  #send(body: UpstreamBody): void {
    if (!this.#enter('sent')) return
    this.#sent = body
    this.#sentAt = this.services.deadlines.now()
    this.#upstream = this.#fromCache(body) ?? this.#sendUp(body, this.#keeping ?? this)
  }

  #fromCache(body: UpstreamBody): UpstreamExchange | undefined {
    const way = cacheWay(this, body, this.#judging)
    this.#keeping = undefined
    if (way === undefined) return undefined
    const { cache, key, answer } = way
    if (answer === undefined) {
      this.#keeping = new KeepingHandler(cache, key, this)
      return undefined
    }
    this.#log?.fromCache()
    return PlayedAnswer.begin(answer, cache.ageMs(answer), this)
  }

  #sendUp(body: UpstreamBody, handler: UpstreamHandler): UpstreamExchange {
    const { way, pooled } = this.facts.door ?? {}
    if (pooled !== undefined) return this.#sendTo(pooled, body, handler)
    const request = upstreamRequest(this, body, this.#judging)
    return this.services.upstream.send(way?.sent?.(request) ?? request, handler)
  }

  #sendTo(
    way: PooledWay,
    body: UpstreamBody,
    handler: UpstreamHandler,
  ): UpstreamExchange {
    const { services } = this
    return PooledSending.begin(
      {
        way,
        body,
        isSpent: this.#isSpent,
        again: () => this.#again(),
        request: (to, again, how) =>
          pooledRequest(this, again, this.#judging, { ...how, to }),
        send: (request, handler) => services.upstream.send(request, handler),
        maySendAgain: (sent, how) =>
          maySendAgain({ ...sent, recognised: this.recognised }, how),
        log: this.#log,
        servedBy: (other) => this.#log?.servedBy(other),
        now: () => services.deadlines.now(),
        wallNow: () => services.clock.now(),
      },
      handler,
    )
  }

  /** The door first: what it does not lead on, it answers. */
  #lookAtHeld(body: UpstreamBody): void {
    lookingLater.now()
    const looked = this.facts.door?.way?.look?.(body)
    if (looked === undefined) this.#judgeHeld(body)
    else if (!(looked instanceof Promise)) this.#looked(looked, body)
    else
      looked
        .then((look) => this.#looked(look, body))
        .catch((cause: unknown) => this.#fail(internal(cause)))
  }

  #looked(look: Look, body: UpstreamBody): void {
    if (this.closed) return
    const log = this.#log
    if (look.kind === 'passes' || log === undefined) {
      if (look.kind === 'passes') log?.calls(look.tools)
      this.#judgeHeld(body)
      return
    }
    if (look.kind === 'refused') {
      answerRefused(this, log, look)
      this.#close('error')
      return
    }
    const answer = (): void => {
      if (this.closed) return
      answerBlockedByDoor(this, log, look)
      this.#close('block')
    }
    // Read and judged as ever, for the record.
    const judgement = this.#judging?.judge(this.#body, undefined)
    if (judgement instanceof Promise) void judgement.then(answer, answer)
    else answer()
  }

  /** What waits looks at it, one after the other; then it goes up, or is blocked. */
  #judgeHeld(body: UpstreamBody): void {
    const judging = this.#judging
    // Only what is governed waits, and what is governed is judged.
    if (judging === undefined) {
      this.#fail(internal(undefined))
      return
    }
    const settle = (decision: Decision | undefined): void => {
      if (!this.#enter('judged')) return
      if (decision?.refusal !== undefined) {
        this.#fail(refusalError(decision.refusal))
        return
      }
      if (decision?.enforce === true) {
        answerBlocked(judging.blocked, decision)
        this.#close('block')
        return
      }
      judging.letPast()
      this.#isSpent = decision?.isSpent === true
      this.#send(judging.redaction?.body ?? body)
    }
    const held = { judging, request: this.#body, body }
    try {
      const decision = takeSteps(HELD_STEPS, held, () => this.closed)
      if (!(decision instanceof Promise)) settle(decision)
      else decision.then(settle).catch((cause: unknown) => this.#fail(internal(cause)))
    } catch (cause) {
      this.#fail(internal(cause))
    }
  }

  /** Each message of a call that comes after its first. Never rejects. */
  async #mayGoOn(bytes: Buffer, state: MessageState): Promise<boolean> {
    const judging = this.#judging
    if (judging === undefined) return true
    try {
      const decision = await judging.judgeMore(bytes, state)
      if (this.closed) return false
      if (decision?.enforce !== true) return true
      this.#close('block', () => {
        this.#upstream?.abort()
        answerBlocked(judging.blocked, decision)
      })
    } catch (cause) {
      this.#fail(internal(cause))
    }
    return false
  }

  /** False, and nothing happens: it does not go there from where it stands. */
  #enter(phase: Phase): boolean {
    if (!this.#course.enter(phase)) return false
    // A call whose client goes on talking is looked at when it has ended.
    if (phase === 'answering' && !(this.isGrpc && this.#body.isOpen)) {
      this.#sent = undefined
      if (this.#log === undefined) this.#body.forget()
      else {
        this.#judgingDue = true
        this.#lookLater()
      }
    }
    return true
  }

  #lookLater(): void {
    if (this.#isDue) return
    this.#isDue = true
    lookingLater.add(this)
  }

  /** Chunks are its own. */
  #pushLater(chunk: Buffer): void {
    this.#bytesDue.push(chunk)
    this.#dueBytes += chunk.length
    this.#lookLater()
    if (this.#dueBytes > MOST_BYTES_DUE) lookingLater.now()
  }

  get isFresh(): boolean {
    return this.#isFresh
  }

  look(part: LookingPart): void {
    const log = this.#log
    if (log === undefined) return
    try {
      if (part === 'asked') this.#lookAsked(log)
      else if (part === 'judged') this.#lookJudged()
      else this.#lookAnswered(log)
    } catch (err) {
      const { requestId } = this
      this.services.log.error({ err, requestId }, 'looking at an exchange failed')
    }
  }

  #lookAsked({ record }: ExchangeLog): void {
    if (!this.#isUntold) return
    this.#isUntold = false
    this.#isFresh = true
    this.services.observers.requestHead(record)
  }

  #lookJudged(): void {
    this.#isFresh = false
    if (!this.#judgingDue) return
    this.#judgingDue = false
    this.#judgeBeside()
    this.#letGo()
  }

  #lookAnswered(log: ExchangeLog): void {
    this.#isDue = false
    const { observers } = this.services
    const came = this.#headDue
    if (came !== undefined) {
      this.#headDue = undefined
      this.#reading?.responseHead(came.status, came.head)
      observers.responseHead(log.record)
    }
    if (this.#dueBytes > 0) {
      for (const chunk of this.#bytesDue) this.#reading?.push(chunk)
      this.#bytesDue.length = 0
      this.#dueBytes = 0
    }
    const end = this.#endDue
    if (end === undefined) return
    this.#endDue = undefined
    this.#complete(log, end)
  }

  /** Once it is decided on nobody looks at it. */
  #letGo(): void {
    if (this.#deciding === undefined) this.#body.forget()
    else void this.#deciding.then(() => this.#body.forget())
  }

  /** Reads what was kept of the request, and has it decided on, unless that was done. */
  #judgeBeside(): void {
    const decided = this.#course.row.judges
      ? this.#judging?.judge(this.#body, undefined)
      : undefined
    if (decided instanceof Promise)
      this.#deciding = decided.catch((err: unknown) => {
        const { requestId } = this
        this.services.log.error({ err, requestId }, 'the decision failed')
        return undefined
      })
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
    const from = this.phase
    // What aborting brings back is no news.
    this.#close('error', () => {
      this.#upstream?.abort()
      learnFrom(error, this)
      const told = answerFailure(this, this.#log, error, { silent, phase: from })
      return (): void => {
        // Only now: the break closes the response within the call.
        if (!told) this.from.breakOff(rstCodeOf(error.cause))
        logFailure(error, this)
      }
    })
  }

  /** The client has everything, or is gone. */
  #responseClosed(): void {
    const from = this.phase
    if (from === 'switched') return
    const isEnd = from === 'answering' && this.#listens && !this.from.stalled
    this.#close(isEnd ? 'response' : 'error', () => {
      this.#upstream?.abort()
      if (this.#log !== undefined && !isEnd) noteGone(this.#log, this, from)
    })
    this.from.ended(this)
  }

  /** Once. `first`: what is still to be done; what it gives is done last. */
  #close(outcome: ExchangeOutcome, first?: () => (() => void) | void): void {
    const { holdsPlace } = this.#course.row
    const isHeld = this.phase === 'held'
    if (!this.#enter('closed')) return
    // Who waits to be judged waits no longer.
    this.services.decider.giveUp(this.requestId)
    if (isHeld) this.#judging?.giveUp()
    if (isHeld) this.services.holds.giveUp(this.requestId)
    const last = first?.()
    this.#restoring?.close()
    this.services.deadlines.unwatch(this)
    if (holdsPlace) this.services.admission.leave(this.facts.target.host, this.#share)
    if (this.#log === undefined) this.#hold.release()
    else {
      this.#endDue = { outcome, latencyMs: this.elapsed() }
      this.#lookLater()
    }
    last?.()
  }

  #sentBy(program: Program, log: ExchangeLog): void {
    log.sentBy(program)
    const { requestId } = this
    if (this.#isTold)
      this.services.observers.changed(log.record, {
        kind: 'sent-by',
        row: { requestId, program },
      })
  }

  /** What is known of it goes into its row, and the row to whoever observes. */
  #complete(
    log: ExchangeLog,
    {
      outcome,
      latencyMs,
    }: { readonly outcome: ExchangeOutcome; readonly latencyMs: number },
  ): void {
    const bytes = [this.#body.bytes + this.#socketBytes, this.#responseBytes] as const
    const { observers } = this.services
    const ended = (): void => {
      noteElsewhere(log.record, this.from)
      this.#isTold = true
      this.#keeping?.settle(log.record)
      observers.ended(log.record)
      this.#tap?.ended(log.record, !this.#body.isOpen)
    }
    const read = (): void => {
      // Not before the decision: the row would say for a moment that nobody had objected.
      noteEnd(log, this, { outcome, latencyMs, bytes })
      if (this.#reading !== undefined) this.#reading.end(outcome === 'response', ended)
      else {
        this.#hold.release()
        ended()
      }
    }
    this.#judgeBeside()
    if (this.#deciding === undefined) read()
    else void this.#deciding.then(read)
  }
}

function flushAlone(exchange: Exchange): void {
  exchange.flushAlone()
}

function internal(cause: unknown): YoriError {
  return new YoriError('YORI_INTERNAL', 'the decision failed', { cause })
}

function refusalError({ code, detail, retryAfterS }: AccessRefusal): YoriError {
  return new YoriError(code, detail, { retryAfterS })
}
