/**
 * One request with its response: read head, check the name, admit, read the body, forward,
 * stream back, meter, record. Bytes go on before they are looked at.
 */
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { YoriError } from '../core/errors.js'
import { orderedId } from '../core/ordered-id.js'
import type { ExchangeOutcome, ExchangeRecord } from '../core/record.js'
import { grpcFailure, isGrpc } from '../http/grpc.js'
import { fieldPairs, hostField, readResponseHead, reasonPhrase } from '../http/head.js'
import type { Watched } from '../net/deadlines.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
} from '../net/upstream-words.js'
import { rstCodeOf } from '../net/upstream-h2-stream.js'
import { isOrdinaryEnd } from '../net/dial.js'
import type { Recognised } from '../providers/index.js'
import type { Decision } from '../policy/engine.js'
import { answerBlocked, overridden } from './blocking.js'
import { Hold } from './byte-budget.js'
import { noContent, unreadCall, unreadSocket, unrecognised } from './content.js'
import type { Content } from './content.js'
import { decide } from './decision.js'
import { openRecord } from './exchange-record.js'
import type { ExchangeFacts } from './exchange-record.js'
import type { HttpClient, HttpRequest, HttpResponse } from './http-words.js'
import { Reading } from './reading.js'
import { BodyRedaction } from './redaction.js'
import { refusalOf, refuse } from './refusal.js'
import { RequestBody } from './request-body.js'
import { headProblem, maxBodyBytes } from './request-limits.js'
import type { Services } from './services.js'
import { h2Words, wantsH2 } from './upstream-version.js'
import { canRead, serveSocket } from './upgrade-exchange.js'
import type { SocketEnd } from './upgrade-exchange.js'

export class Exchange implements UpstreamHandler, Watched {
  readonly #request: HttpRequest
  readonly #response: HttpResponse
  readonly #from: HttpClient
  readonly #facts: ExchangeFacts
  readonly #services: Services
  readonly #body: RequestBody
  readonly #requestId: string
  readonly #startedAt = performance.now()
  readonly #recognised: Recognised | undefined
  readonly #hold: Hold
  /** Nothing goes up before the decision. */
  readonly #waits: boolean
  readonly #isGrpc: boolean
  readonly #overH2: boolean
  readonly #record: ExchangeRecord | undefined
  readonly #reading: Reading | undefined
  #sent: UpstreamBody | undefined
  #redaction: BodyRedaction | undefined
  #upstream: UpstreamExchange | undefined
  #admitted = false
  #retried = false
  #failing = false
  #isRead = false
  #closed = false
  /** The protocols were switched: the exchange ends with its sockets. */
  #switched = false
  #responseBytes = 0
  #socket: SocketEnd | undefined

  constructor(
    http: { request: HttpRequest; response: HttpResponse },
    from: HttpClient,
    facts: ExchangeFacts,
    services: Services,
  ) {
    this.#request = http.request
    this.#response = http.response
    this.#from = from
    this.#facts = facts
    this.#services = services
    this.#requestId = orderedId(services.clock.now())
    this.#hold = new Hold(services.held, from.state.caller.address)
    this.#recognised = services.recognise({
      host: facts.target.host,
      method: http.request.method ?? 'GET',
      path: facts.path,
      contentType: facts.head.contentType,
    })
    this.#isGrpc = isGrpc(facts.head.contentType)
    this.#overH2 = wantsH2(services.catalogue, facts)
    this.#waits = facts.endpoint !== undefined && services.decider.holds
    this.#body = new RequestBody(http.request, facts.head, {
      maxBytes: maxBodyBytes(services.policy, {
        isIntercepted: from.state.intercepted !== undefined,
        endpoint: facts.endpoint,
      }),
      previewBytes: facts.endpoint === undefined ? 0 : services.policy.previewBytes,
      // Both sides of a call may talk in turns: what is held might be waited for.
      holdBytes: this.#waits && !this.#isGrpc ? services.policy.previewBytes : 0,
      hold: this.#hold,
      now: () => services.deadlines.now(),
    })
    this.#record =
      facts.endpoint === undefined
        ? undefined
        : openRecord({
            requestId: this.#requestId,
            request: http.request,
            connection: from.state.record,
            facts,
            recognised: this.#recognised,
            services,
          })
    this.#reading = this.#newReading()
  }

  /** Returns at once; the exchange goes on until its response has closed. */
  begin(): void {
    const services = this.#services
    this.#from.began(this)
    this.#response.sendDate = false
    this.#response.once('close', () => this.#responseClosed())
    services.deadlines.watch(this)
    if (this.#record !== undefined) services.audit.exchangeOpened(this.#record)
    const busy = services.admission.enter(this.#facts.target.host)
    if (busy !== undefined) {
      this.#fail(new YoriError(busy))
      return
    }
    this.#admitted = true
    const problem = headProblem(this.#request, this.#facts.head, services.policy.limits)
    if (problem !== undefined) {
      this.#fail(problem)
      return
    }
    if (this.#request.headers.expect !== undefined) this.#response.writeContinue()
    this.#body.read(
      (body) => this.#arrived(body),
      (error) => this.#fail(error),
    )
  }

  tick(now: number): void {
    // A call may stay open both ways for as long as either side talks.
    if (this.#isGrpc) return
    const { requestBodyMs } = this.#services.policy.timeouts
    if (this.#body.waiting && now - this.#body.lastByteAt > requestBodyMs) {
      this.#fail(new YoriError('YORI_REQUEST_TIMEOUT', 'the request body stalled'))
    }
  }

  onInformation(status: number, rawHeaders: readonly Buffer[]): void {
    if (this.#response.headersSent || this.#request.httpVersion === '1.0') return
    if (status === 102) this.#response.writeProcessing()
    if (status !== 103) return
    const hints: Record<string, string[]> = {}
    const { fields } = readResponseHead(rawHeaders)
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = (fields[i] as string).toLowerCase()
      ;(hints[name] ??= []).push(fields[i + 1] as string)
    }
    if (hints['link'] !== undefined) this.#response.writeEarlyHints(hints)
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
    this.#noteCall(rawHeaders)
    this.#response.writeHead(
      status,
      reasonPhrase(message) ?? STATUS_CODES[status] ?? '',
      head.fields,
    )
    void this.#read()
    this.#reading?.responseHead(status, head)
    // The body's first bytes mostly came along and go out in one write with the head. When
    // they did not, as in an event stream that thinks first, the head goes alone.
    queueMicrotask(() => {
      if (this.#responseBytes === 0 && !this.#response.writableEnded)
        this.#response.flushHeaders()
    })
  }

  onData(chunk: Buffer): boolean {
    if (this.#closed) return true
    if (this.#responseBytes === 0 && this.#record !== undefined) {
      this.#record.firstByteMs = this.#elapsed()
    }
    this.#responseBytes += chunk.length
    const flowing = this.#response.write(chunk)
    this.#reading?.push(chunk)
    if (flowing) return true
    this.#response.once('drain', () => this.#upstream?.resume())
    return false
  }

  onEnd(rawTrailers: readonly Buffer[]): void {
    if (this.#closed) return
    if (rawTrailers.length > 0 && this.#response.chunkedEncoding) {
      this.#response.addTrailers(fieldPairs(readResponseHead(rawTrailers).fields))
    }
    this.#noteCall(rawTrailers)
    this.#response.end()
    this.#close('response')
  }

  #noteCall(rawFields: readonly Buffer[]): void {
    if (!this.#isGrpc || this.#record === undefined) return
    const failure = grpcFailure(rawFields)
    if (failure !== undefined) this.#record.reason ??= failure
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    const response: unknown = this.#response
    // Only HTTP/1.1 asks to switch.
    if (this.#closed || !(response instanceof ServerResponse)) {
      socket.destroy()
      return
    }
    this.#switched = true
    const about = {
      services: this.#services,
      record: this.#record,
      facts: this.#facts,
      recognised: this.#recognised,
      // Its messages are not redacted, so that none are kept where they would have to be.
      previewChars: this.#services.decider.redacts
        ? 0
        : this.#services.policy.promptPreviewChars,
      caller: this.#from.state.caller.address,
      elapsed: () => this.#elapsed(),
      judge: this.#waits ? this.#judge : undefined,
    }
    const answer = response as ServerResponse
    const served = serveSocket(answer, this.#from.socket, { rawHeaders, socket }, about)
    void served.then((end) => this.#hungUp(end))
  }

  async #hungUp(end: SocketEnd): Promise<void> {
    this.#socket = end
    this.#responseBytes = end.bytesToClient
    try {
      await this.#read()
    } catch (cause) {
      this.#services.log.error({ err: cause }, 'the decision on a WebSocket failed')
    }
    this.#close(end.wasBlocked ? 'block' : 'response')
    this.#from.ended()
  }

  /** Of a message of a WebSocket; what is decided goes into the record that is given. */
  readonly #judge = (content: Content, record: ExchangeRecord) => {
    const { device } = this.#from.state.record
    // Messages are not redacted: one that would have to be cannot be inspected.
    const redaction = new BodyRedaction(undefined, [])
    const about = { request: this.#request, record, device, redaction }
    return decide(this.#services, about, content)
  }

  onError(error: YoriError, stale: boolean): void {
    if (this.#closed) return
    if (
      stale &&
      !this.#retried &&
      this.#sent !== undefined &&
      this.#sent.kind !== 'stream'
    ) {
      this.#retried = true
      if (this.#record !== undefined) this.#record.retried = true
      this.#send(this.#sent, true)
      return
    }
    // The provider may have acted on it: an invented 502 would make libraries send it again.
    this.#fail(error, stale)
  }

  #send(body: UpstreamBody, fresh: boolean): void {
    if (this.#closed) return
    const { target, path, head, upgrade } = this.#facts
    const known = this.#from.state.intercepted?.known
    this.#sent = body
    this.#upstream = this.#services.upstream.send(
      {
        target,
        method: this.#request.method ?? 'GET',
        path,
        host: hostField(target.host, target.port, target.plain === true ? 80 : 443),
        fields: this.#redaction?.fields(head.fields) ?? head.fields,
        body,
        fresh,
        ...(known === undefined ? {} : { known }),
        ...(upgrade === undefined ? {} : { upgrade }),
        ...(this.#overH2 ? h2Words(this.#request) : {}),
      },
      this,
    )
  }

  #arrived(body: UpstreamBody): void {
    if (!this.#waits) {
      this.#send(body, false)
      return
    }
    const goOn = (): void => this.#send(this.#redaction?.body ?? body, false)
    const settle = (decision: Decision | undefined): void => {
      if (decision?.enforce === true) void this.#blockedBy(decision, goOn)
      else goOn()
    }
    const decision = this.#read(body)
    if (!(decision instanceof Promise)) settle(decision)
    else decision.then(settle, (cause: unknown) => this.#fail(internal(cause)))
  }

  /** Reads what was kept of the request, and decides on it; once. `body`: if it is held. */
  #read(body?: UpstreamBody): Decision | Promise<Decision | undefined> | undefined {
    const record = this.#record
    if (record === undefined || this.#isRead) return undefined
    this.#isRead = true
    const redaction = new BodyRedaction(body, this.#request.rawHeaders)
    this.#redaction = redaction
    const { bytes, whole } = this.#body.preview()
    const read =
      this.#socket === undefined
        ? this.#reading?.request(bytes, whole, this.#facts.head)
        : undefined
    const { device } = this.#from.state.record
    const about = { request: this.#request, record, device, redaction }
    const decided = (content: Content | undefined) => {
      const read = this.#facts.upgrade === undefined ? content : this.#spoken(content)
      const known = this.#isGrpc ? unreadCall(record) : read
      if (known?.state !== 'whole') redaction.leave()
      const decision = decide(this.#services, about, known ?? unrecognised(bytes.length))
      const recorded = (made: Decision | undefined): Decision | undefined => {
        if (!this.#closed || !this.#waits) this.#reading?.decided(redaction.outcome(made))
        return made
      }
      return decision instanceof Promise ? decision.then(recorded) : recorded(decision)
    }
    return read instanceof Promise ? read.then(decided) : decided(read)
  }

  /** What a WebSocket said; before it was opened only its model is known. */
  #spoken(asked: Content | undefined): Content {
    if (this.#socket !== undefined) return this.#socket.content
    // Where a policy may block, each message waits for its own decision.
    const willWait = this.#waits && canRead(this.#recognised, this.#facts)
    return { ...(willWait ? noContent() : unreadSocket()), model: asked?.model }
  }

  async #blockedBy(decision: Decision, goOn: () => void): Promise<void> {
    const record = this.#record
    if (record === undefined) return
    const { head, path, target } = this.#facts
    const blocked = {
      request: this.#request,
      response: this.#response,
      record,
      device: this.#from.state.record.device,
      head,
      host: target.host,
      path,
      provider: this.#recognised?.provider.name,
      services: this.#services,
    }
    const left = await overridden(blocked, decision)
    if (this.#closed) return
    if (left === undefined) {
      const passages = this.#redaction?.passages
      if (passages !== undefined) record.redacted = passages
      goOn()
      return
    }
    answerBlocked(blocked, left)
    this.#close('block')
  }

  /** What follows the request's head cannot be read any further. */
  malformed(): boolean {
    if (this.#request.complete) return false
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
    this.#learn(error)
    const record = this.#record
    if (record !== undefined) {
      record.code = error.code
      record.reason = error.message
    }
    const broken = silent || this.#response.headersSent
    if (broken) {
      if (record !== undefined) record.truncated = this.#response.headersSent
    } else if (!this.#from.gone) {
      if (record !== undefined) record.status = error.status
      refuse(this.#response, {
        ...refusalOf(error, this.#requestId, this.#recognised?.provider.name),
        close: !this.#request.complete,
        grpc: this.#isGrpc,
      })
    }
    this.#close('error')
    // Only now: the break closes the response within the call.
    if (broken) this.#from.breakOff(rstCodeOf(error.cause))
    if (error.source !== 'client' && !isOrdinaryEnd(error.cause)) {
      const { host } = this.#facts.target
      const fields = {
        requestId: this.#requestId,
        code: error.code,
        host,
        reason: error.message,
      }
      this.#services.log.warn(fields, 'exchange failed')
    }
  }

  #learn(error: YoriError): void {
    if (error.code !== 'YORI_UPSTREAM_CLIENT_CERTIFICATE') return
    const { device } = this.#from.state.record
    this.#services.memory.wantsClientCertificate(device, this.#facts.target.host)
  }

  /** The client has everything, or is gone. */
  #responseClosed(): void {
    if (this.#switched) return
    if (!this.#closed) {
      // What aborting brings back is no news.
      this.#failing = true
      this.#upstream?.abort()
      if (this.#record !== undefined) {
        const stalled = this.#from.stalled
        this.#record.code = stalled ? 'YORI_CLIENT_STALLED' : 'YORI_CLIENT_GONE'
        this.#record.reason = stalled
          ? 'the client took nothing of the response for too long'
          : 'the client closed before the response was complete'
        this.#record.truncated = this.#response.headersSent
      }
      this.#close('error')
    }
    this.#from.ended(this)
  }

  #close(outcome: ExchangeOutcome): void {
    if (this.#closed) return
    this.#closed = true
    this.#services.deadlines.unwatch(this)
    if (this.#admitted) this.#services.admission.leave(this.#facts.target.host)
    const record = this.#record
    if (record === undefined) {
      this.#hold.release()
      return
    }
    void this.#read()
    if (this.#reading === undefined) this.#hold.release()
    record.outcome = outcome
    record.policyDecision ??= 'allow'
    record.requestBytes = this.#body.bytes + (this.#socket?.bytesFromClient ?? 0)
    record.responseBytes = this.#responseBytes
    record.latencyMs = this.#elapsed()
    const trailers = this.#request.rawTrailers.length / 2
    if (trailers > 0 && !this.#overH2) record.trailersDropped = trailers
    const closed = (): void => {
      this.#services.audit.exchangeClosed(record)
      if (this.#services.policy.logExchanges) this.#log(record)
    }
    if (this.#reading === undefined) closed()
    else this.#reading.end(outcome === 'response', closed)
  }

  #log(record: ExchangeRecord): void {
    const { requestId, endpointDomain, method, path, status, outcome, latencyMs } = record
    const fields = { requestId, endpointDomain, method, path, status, outcome, latencyMs }
    this.#services.log.info(fields, 'exchange')
  }

  #newReading(): Reading | undefined {
    if (this.#record === undefined || this.#recognised === undefined) return undefined
    const { policy, catalogue, conversations } = this.#services
    const about = {
      record: this.#record,
      path: this.#facts.path,
      hold: this.#hold,
      own: this.#facts.head.own,
      elapsed: () => this.#elapsed(),
    }
    return new Reading(this.#recognised, about, {
      json: policy.json,
      previewChars: policy.promptPreviewChars,
      bodies: policy.bodies,
      withheld: this.#services.decider.redacts,
      coding: policy.coding,
      catalogue,
      conversations,
    })
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000
  }
}

function internal(cause: unknown): YoriError {
  return new YoriError('YORI_INTERNAL', 'the decision failed', { cause })
}
