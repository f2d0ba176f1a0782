/**
 * One turn on a WebSocket: a request in one message of the client, answered by messages of the
 * provider until a closing one. It is an exchange with a record of its own, read as the same
 * request by POST would be, and its answer as the same events in a stream.
 */
import { shareOf } from '../../core/device-id.js'
import { orderedId } from '../../core/ordered-id.js'
import type { ExchangeOutcome, ExchangeRecord } from '../../core/record.js'
import { Hold } from '../bounds/byte-budget.js'
import { openReading } from '../reading/open-reading.js'
import type { Reading } from '../reading/reading.js'
import { unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { ExchangeAbout, Judgement } from '../words/exchange-about.js'
import type { Observers } from '../words/observer.js'
import type { WebsocketPort } from './port.js'

export type JudgeMessage = (
  content: Content,
  record: ExchangeRecord,
  reading?: Pick<Reading, 'decided' | 'passed'>,
) => Judgement

export interface TurnAbout {
  /** Of the WebSocket. */
  readonly exchange: ExchangeAbout<WebsocketPort>
  readonly record: ExchangeRecord
  /** False for what only prepares a turn. */
  readonly generates: boolean
}

export class Turn {
  readonly record: ExchangeRecord
  readonly #content: Content | Promise<Content>
  readonly #reading: Reading | undefined
  readonly #observers: Observers
  /** Whoever waits to be judged waits no longer. */
  readonly #giveUp: () => void
  readonly #began = performance.now()
  #decided: Promise<unknown> = Promise.resolve()
  #answered = false
  #closed: Promise<void> | undefined

  /** `text` is the message: the JSON of the request. */
  constructor(text: string, { exchange, record, generates }: TurnAbout) {
    const { services, from } = exchange
    const bytes = Buffer.from(text)
    this.#observers = services.observers
    this.#giveUp = () => services.decider.giveUp(this.record.requestId)
    this.record = turnRecord(record, bytes.length, services.clock.now())
    this.record.call = generates
    services.observers.requestHead(this.record)
    const about = {
      requestId: this.record.requestId,
      recognised: exchange.recognised,
      facts: exchange.facts,
      services,
      elapsed: () => this.#elapsed(),
      generates,
    }
    const hold = new Hold(services.held, shareOf(from.state.record.device))
    this.#reading = openReading(about, this.record, hold)
    this.#content =
      this.#reading?.request(bytes, true, JSON_HEAD) ??
      unreadable('invalid', 'no reader knows this API')
    this.record.stream = true
  }

  /** Decides on the request; what is decided stands in its record. */
  judge(ask: JudgeMessage): Judgement {
    const made = this.#judge(ask)
    if (made instanceof Promise) this.#decided = made.catch(() => undefined)
    return made
  }

  #judge(ask: JudgeMessage): Judgement {
    const content = this.#content
    return content instanceof Promise
      ? content.then((known) => ask(known, this.record, this.#reading))
      : ask(content, this.record, this.#reading)
  }

  /** One message of the answer; `status` as HTTP would have it, where it says no. */
  answer(text: string, status = 200): void {
    const { record } = this
    if (!this.#answered) {
      this.#answered = true
      record.firstByteMs = this.#elapsed()
      record.status = status
      this.#reading?.responseHead(status, { ...EVENTS_HEAD, contentLength: undefined })
      this.#observers.responseHead(this.record)
    }
    record.status = status
    record.responseBytes += Buffer.byteLength(text)
    this.#reading?.push(Buffer.from(`data: ${text.replaceAll('\n', '\ndata: ')}\n\n`))
  }

  /** It was not let through; the client was told with this status. */
  block(status: number): Promise<void> {
    this.record.status = status
    return this.end('block')
  }

  /** Resolves when its record is complete; call again for the same. */
  end(outcome: ExchangeOutcome): Promise<void> {
    this.#closed ??= this.#close(outcome)
    return this.#closed
  }

  async #close(outcome: ExchangeOutcome): Promise<void> {
    const { record } = this
    record.outcome = outcome
    record.latencyMs = this.#elapsed()
    this.#giveUp()
    await this.#decided
    record.policyDecision ??= 'allow'
    await new Promise<void>((resolve) => {
      if (this.#reading === undefined) resolve()
      else this.#reading.end(outcome === 'response', resolve)
    })
    this.#observers.ended(this.record)
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#began) * 1000) / 1000
  }
}

const JSON_HEAD = { contentType: 'application/json', contentEncoding: undefined }
const EVENTS_HEAD = { contentType: 'text/event-stream', contentEncoding: undefined }

function turnRecord(
  socket: ExchangeRecord,
  requestBytes: number,
  startedAt: number,
): ExchangeRecord {
  const { connectionId, device, endpointDomain, httpVersion, method, path } = socket
  const { userAgent, provider, api } = socket
  return {
    requestId: orderedId(startedAt),
    ...{ connectionId, device, startedAt, endpointDomain, httpVersion, method, path },
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(provider === undefined ? {} : { provider }),
    ...(api === undefined ? {} : { api }),
    requestBytes,
    responseBytes: 0,
  }
}
