/**
 * What happens, as it happens: an observer of exchanges that tells readers by server-sent events
 * (WHATWG HTML, section 9.2). With no reader it does nothing; with some, one frame a tick for all
 * of them, and who does not read is cut off: nothing else would notice.
 */
import type { ServerResponse } from 'node:http'
import { seenRow } from '../audit/seen-row.js'
import type { ExchangeObserver, SeenExchange } from '../proxy/words/observer.js'
import { Refusal, SAFE_FIELDS } from './answer.js'
import { exchangeShape } from './shapes.js'

export const TICK_MS = 250
/** Unread by one reader; then it is cut off, and may come again. */
export const MOST_UNREAD_BYTES = 256 * 1024
export const MOST_READERS = 32
/** Exchanges of one frame; those beyond it are counted. */
export const MOST_IN_FRAME = 200
/** A word now and then, so that what lies between does not close it. */
const QUIET_MS = 15_000

interface LiveReader {
  readonly response: ServerResponse
  /** Is whoever it is still let in? */
  readonly isLetIn: () => boolean
}

export class LiveEvents implements ExchangeObserver {
  readonly name = 'live'
  readonly #readers = new Set<LiveReader>()
  #waiting: SeenExchange[] = []
  #left = 0
  #lastId = 0
  #quietMs = 0
  #timer: NodeJS.Timeout | undefined

  get readers(): number {
    return this.#readers.size
  }

  ended(seen: SeenExchange): void {
    if (this.#readers.size === 0) return
    if (this.#waiting.length < MOST_IN_FRAME) this.#waiting.push(seen)
    else this.#left++
  }

  /** @throws Refusal 503 when there are too many */
  refuseBeyond(): void {
    if (this.#readers.size >= MOST_READERS)
      throw new Refusal(503, 'unavailable', `there are ${MOST_READERS} readers already`)
  }

  /** From now on it is told, until either side ends it. */
  open(response: ServerResponse, isLetIn: () => boolean): void {
    const reader = { response, isLetIn }
    this.#readers.add(reader)
    response.once('close', () => this.#gone(reader))
    response.writeHead(200, {
      ...SAFE_FIELDS,
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    })
    response.write(': from now on\n\n')
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  #gone(reader: LiveReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#waiting = []
    this.#left = 0
  }

  #tick(): void {
    const frame = this.#frame()
    this.#quietMs = frame === undefined ? this.#quietMs + TICK_MS : 0
    const isQuiet = this.#quietMs >= QUIET_MS
    if (isQuiet) this.#quietMs = 0
    const text = frame ?? (isQuiet ? ': still here\n\n' : undefined)
    if (text === undefined) return
    for (const { response, isLetIn } of this.#readers) {
      if (response.writableLength > MOST_UNREAD_BYTES) response.destroy()
      else if (!isLetIn()) response.end()
      else response.write(text)
    }
  }

  #frame(): string | undefined {
    if (this.#waiting.length === 0) return undefined
    const exchanges = this.#waiting.map((seen) => {
      const {
        client_ip: _ip,
        endpoint: _endpoint,
        found_marks: _marks,
        ...row
      } = seenRow(seen)
      return exchangeShape(row)
    })
    const data = JSON.stringify({ exchanges, left_out: this.#left })
    this.#waiting = []
    this.#left = 0
    return `id: ${++this.#lastId}\nevent: exchanges\ndata: ${data}\n\n`
  }
}
