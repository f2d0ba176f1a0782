/**
 * One turn on a WebSocket: a request in one message of the client, answered by messages of the
 * provider until a closing one. It is an exchange with a record of its own, read as the same
 * request by POST would be, and its answer as the same events in a stream.
 */
import { shareOf } from '../../core/device-id.js'
import { orderedId } from '../../core/ordered-id.js'
import type { ExchangeOutcome } from '../../core/record.js'
import { Hold } from '../bounds/byte-budget.js'
import { openReading } from '../reading/open-reading.js'
import type { Reading } from '../reading/reading.js'
import { unreadable } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { ExchangeAbout, Judgement } from '../words/exchange-about.js'
import { ExchangeLog } from '../words/exchange-log.js'
import type { Observers, SeenExchange } from '../words/observer.js'
import type { WebsocketPort } from './port.js'

export type JudgeMessage = (
  content: Content,
  log: ExchangeLog,
  reading?: Pick<Reading, 'decided' | 'passed'>,
) => Judgement

export interface TurnAbout {
  /** Of the WebSocket. */
  readonly exchange: ExchangeAbout<WebsocketPort>
  readonly record: SeenExchange
  /** False for what only prepares a turn. */
  readonly generates: boolean
}

export class Turn {
  readonly log: ExchangeLog
  readonly #content: Content | Promise<Content>
  /** The message, until it has been judged. */
  #text: string | undefined
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
    this.#giveUp = () => services.decider.giveUp(this.log.record.requestId)
    this.log = turnLog(record, bytes.length, services.clock.now())
    this.log.isCall(generates)
    services.observers.requestHead(this.log.record)
    const about = {
      requestId: this.log.record.requestId,
      recognised: exchange.recognised,
      facts: exchange.facts,
      services,
      elapsed: () => this.#elapsed(),
      generates,
    }
    const hold = new Hold(services.held, shareOf(from.state.record.device))
    this.#reading = openReading(about, this.log, hold)
    this.#content =
      this.#reading?.request(bytes, true, JSON_HEAD) ??
      unreadable('invalid', 'no reader knows this API')
    this.#text = text
    this.log.streams()
  }

  /** Decides on the request; what is decided stands in its row. */
  judge(ask: JudgeMessage): Judgement {
    const made = this.#judge(ask)
    if (made instanceof Promise) this.#decided = made.catch(() => undefined)
    return made
  }

  #judge(ask: JudgeMessage): Judgement {
    const content = this.#content
    const message = this.#text
    this.#text = undefined
    const judge = (known: Content): Judgement =>
      ask({ ...known, message }, this.log, this.#reading)
    return content instanceof Promise ? content.then(judge) : judge(content)
  }

  /** One message of the answer; `status` as HTTP would have it, where it says no. */
  answer(text: string, status = 200): void {
    const { log } = this
    log.status(status)
    if (!this.#answered) {
      this.#answered = true
      log.firstByte(this.#elapsed())
      this.#reading?.responseHead(status, { ...EVENTS_HEAD, contentLength: undefined })
      this.#observers.responseHead(log.record)
    }
    log.responseBytes(Buffer.byteLength(text))
    this.#reading?.push(Buffer.from(`data: ${text.replaceAll('\n', '\ndata: ')}\n\n`))
  }

  /** It was not let through; the client was told with this status. */
  block(status: number, outcome: 'block' | 'error' = 'block'): Promise<void> {
    this.log.status(status)
    return this.end(outcome)
  }

  /** Resolves when its record is complete; call again for the same. */
  end(outcome: ExchangeOutcome): Promise<void> {
    this.#closed ??= this.#close(outcome)
    return this.#closed
  }

  async #close(outcome: ExchangeOutcome): Promise<void> {
    const { log } = this
    log.ended({ outcome, latencyMs: this.#elapsed() })
    this.#giveUp()
    await this.#decided
    log.undisputed()
    await new Promise<void>((resolve) => {
      if (this.#reading === undefined) resolve()
      else this.#reading.end(outcome === 'response', resolve)
    })
    this.#observers.ended(log.record)
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#began) * 1000) / 1000
  }
}

const JSON_HEAD = { contentType: 'application/json', contentEncoding: undefined }
const EVENTS_HEAD = { contentType: 'text/event-stream', contentEncoding: undefined }

function turnLog(
  socket: SeenExchange,
  requestBytes: number,
  startedAt: number,
): ExchangeLog {
  const { connectionId, device, endpointDomain, httpVersion, method, path } = socket
  const { userAgent, program, provider, api, key, keySubjects, tags } = socket
  return new ExchangeLog({
    requestId: orderedId(startedAt),
    ...{ connectionId, device, startedAt, endpointDomain, httpVersion, method, path },
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(program === undefined ? {} : { program }),
    ...(provider === undefined ? {} : { provider }),
    ...(api === undefined ? {} : { api }),
    ...{ key, keySubjects, tags },
    requestBytes,
  })
}
