/**
 * One request with its response: read head, check the name, admit, read the body, forward,
 * stream back, meter, record. Bytes go on before they are looked at.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { YoriError } from '../core/errors.js'
import { orderedId } from '../core/ordered-id.js'
import type { ExchangeOutcome, ExchangeRecord } from '../core/record.js'
import { readResponseHead } from '../http/head.js'
import type { RequestHead } from '../http/head.js'
import type { Watched } from '../net/deadlines.js'
import type { Target } from '../net/dial.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
} from '../net/upstream-words.js'
import { isOrdinaryEnd } from '../net/dial.js'
import type { Endpoint } from '../policy/endpoints.js'
import type { Recognised } from '../providers/index.js'
import { Hold } from './byte-budget.js'
import type { Client } from './http-front.js'
import { Reading } from './reading.js'
import { refusalOf, refuse } from './refusal.js'
import { RequestBody } from './request-body.js'
import type { Services } from './services.js'
import { joinUpgraded } from './upgrade.js'

export interface ExchangeFacts {
  readonly head: RequestHead
  readonly target: Target
  /** Origin-form, for the provider. */
  readonly path: string
  /** The endpoint that governs it; undefined for a plain relay, which is not recorded. */
  readonly endpoint: Endpoint | undefined
  /** The value of `Upgrade` when the client asked for WebSocket. */
  readonly upgrade: string | undefined
}

export class Exchange implements UpstreamHandler, Watched {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #from: Client
  readonly #facts: ExchangeFacts
  readonly #services: Services
  readonly #body: RequestBody
  readonly #requestId: string
  readonly #startedAt = performance.now()
  readonly #recognised: Recognised | undefined
  readonly #hold: Hold
  readonly #record: ExchangeRecord | undefined
  readonly #reading: Reading | undefined
  #sent: UpstreamBody | undefined
  #upstream: UpstreamExchange | undefined
  #admitted = false
  #retried = false
  #failing = false
  #isRead = false
  #closed = false
  #responseBytes = 0

  constructor(
    http: { request: IncomingMessage; response: ServerResponse },
    from: Client,
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
    this.#body = new RequestBody(http.request, facts.head, {
      maxBytes: this.#maxBytes(),
      previewBytes: facts.endpoint === undefined ? 0 : services.policy.previewBytes,
      hold: this.#hold,
    })
    this.#record = facts.endpoint === undefined ? undefined : this.#newRecord()
    this.#reading = this.#newReading()
  }

  /** Returns at once; the exchange goes on until its response has closed. */
  begin(): void {
    const services = this.#services
    this.#from.began()
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
    const problem = this.#headProblem()
    if (problem !== undefined) {
      this.#fail(problem)
      return
    }
    if (this.#request.headers.expect !== undefined) this.#response.writeContinue()
    this.#body.read(
      (body) => this.#send(body, false),
      (error) => this.#fail(error),
    )
  }

  tick(now: number): void {
    const { requestBodyMs } = this.#services.policy.timeouts
    if (this.#body.waiting && now - this.#body.lastByteAt > requestBodyMs) {
      this.#fail(new YoriError('YORI_REQUEST_TIMEOUT', 'the request body stalled'))
    }
  }

  onInformation(status: number, rawHeaders: readonly Buffer[]): void {
    if (this.#response.headersSent || this.#request.httpVersionMinor === 0) return
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
    if (this.#record !== undefined) this.#record.status = status
    this.#response.writeHead(status, message, head.fields)
    this.#read()
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
      this.#response.addTrailers(pairs(readResponseHead(rawTrailers).fields))
    }
    this.#response.end()
    this.#close('response')
  }

  onUpgrade(rawHeaders: readonly Buffer[], socket: Duplex): void {
    if (this.#record !== undefined) {
      this.#record.status = 101
      this.#record.uninspectable = 'upgraded'
    }
    const ended = joinUpgraded(this.#response, this.#from.socket, { rawHeaders, socket })
    void ended.then((bytes) => {
      this.#responseBytes = bytes
      this.#close('response')
    })
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
    if (stale) this.#breakOff()
    this.#fail(error)
  }

  #send(body: UpstreamBody, fresh: boolean): void {
    if (this.#closed) return
    const { target, path, head, upgrade } = this.#facts
    const { known } = this.#from.state
    this.#sent = body
    this.#upstream = this.#services.upstream.send(
      {
        target,
        method: this.#request.method ?? 'GET',
        path,
        host: hostField(target),
        fields: head.fields,
        body,
        fresh,
        ...(known === undefined ? {} : { known }),
        ...(upgrade === undefined ? {} : { upgrade }),
      },
      this,
    )
  }

  /** The request has gone up; what was kept of it is read now. */
  #read(): void {
    if (this.#reading === undefined || this.#isRead) return
    this.#isRead = true
    const { bytes, whole } = this.#body.preview()
    this.#reading.request(bytes, whole, this.#facts.head)
  }

  /** Ends the exchange early: an answer when there is none yet, else a visible break. */
  #fail(error: YoriError): void {
    if (this.#closed || this.#failing) return
    // What aborting brings back is no news.
    this.#failing = true
    this.#upstream?.abort()
    this.#learn(error)
    const record = this.#record
    if (this.#response.headersSent) {
      if (record !== undefined) record.truncated = true
      this.#breakOff()
    } else if (!this.#from.socket.destroyed) {
      if (record !== undefined) record.status = error.status
      refuse(this.#response, {
        ...refusalOf(error, this.#requestId, this.#recognised?.provider.name),
        close: !this.#request.complete,
      })
    }
    if (record !== undefined) {
      record.code = error.code
      record.reason = error.message
    }
    this.#close('error')
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

  /** By reset: a FIN would pass for the end of a body that has no other. RFC 9112 §8. */
  #breakOff(): void {
    this.#from.state.raw.resetAndDestroy()
    this.#from.socket.destroy()
  }

  #learn(error: YoriError): void {
    if (error.code !== 'YORI_UPSTREAM_CLIENT_CERTIFICATE') return
    const { device } = this.#from.state.record
    this.#services.memory.wantsClientCertificate(device, this.#facts.target.host)
  }

  /** The client has everything, or is gone. */
  #responseClosed(): void {
    if (!this.#closed) {
      this.#upstream?.abort()
      if (this.#record !== undefined) {
        this.#record.code = 'YORI_CLIENT_GONE'
        this.#record.reason = 'the client closed before the response was complete'
        this.#record.truncated = this.#response.headersSent
      }
      this.#close('error')
    }
    this.#from.ended()
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
    if (this.#reading === undefined) this.#hold.release()
    else this.#read()
    record.outcome = outcome
    record.policyDecision ??= 'allow'
    record.requestBytes = this.#body.bytes
    record.responseBytes = this.#responseBytes
    record.latencyMs = this.#elapsed()
    const trailers = this.#request.rawTrailers.length / 2
    if (trailers > 0) record.trailersDropped = trailers
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

  #headProblem(): YoriError | undefined {
    const { rawHeaders } = this.#request
    const { headerCount, headerNameBytes, headerValueBytes } =
      this.#services.policy.limits
    if (rawHeaders.length / 2 > headerCount) {
      return new YoriError(
        'YORI_REQUEST_HEAD_TOO_LARGE',
        `more than ${headerCount} fields`,
      )
    }
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const [name, value] = [rawHeaders[i] as string, rawHeaders[i + 1] as string]
      if (name.length > headerNameBytes || value.length > headerValueBytes) {
        const over = name.length > headerNameBytes ? headerNameBytes : headerValueBytes
        return new YoriError(
          'YORI_REQUEST_HEAD_TOO_LARGE',
          `a field is over ${over} bytes`,
        )
      }
    }
    return undefined
  }

  #maxBytes(): number | undefined {
    const { maxRequestBytes } = this.#services.policy
    const byWay =
      this.#from.state.intercepted === undefined
        ? maxRequestBytes.direct
        : maxRequestBytes.intercepted
    const byEndpoint = this.#facts.endpoint?.maxBodyBytes
    if (byWay === undefined) return byEndpoint
    return byEndpoint === undefined ? byWay : Math.min(byWay, byEndpoint)
  }

  #newRecord(): ExchangeRecord {
    const { head, path, target } = this.#facts
    const { connectionId, device } = this.#from.state.record
    return {
      requestId: this.#requestId,
      connectionId,
      device,
      startedAt: this.#services.clock.now(),
      endpointDomain: target.host,
      httpVersion: this.#request.httpVersion,
      method: this.#request.method ?? 'GET',
      path: path.split('?', 1)[0] as string,
      ...(head.userAgent === undefined ? {} : { userAgent: head.userAgent }),
      ...this.#whoseRecord(),
      requestBytes: 0,
      responseBytes: 0,
    }
  }

  /** The catalogue's name for the host counts before that of the API that it speaks. */
  #whoseRecord(): Pick<ExchangeRecord, 'provider' | 'uninspectable'> {
    const { catalogue } = this.#services
    const name =
      catalogue.entryFor(this.#facts.target.host)?.name ?? this.#recognised?.provider.name
    return {
      ...(name === undefined ? {} : { provider: name }),
      ...(this.#recognised === undefined ? { uninspectable: 'unknown-api' } : {}),
    }
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
      catalogue,
      conversations,
    })
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#startedAt) * 1000) / 1000
  }
}

function hostField(target: Target): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  const standard = target.plain === true ? 80 : 443
  return target.port === standard ? host : `${host}:${target.port}`
}

function pairs(fields: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    list.push([fields[i] as string, fields[i + 1] as string])
  }
  return list
}
