/**
 * Server-sent events: bytes in, events out, whatever the chunking (WHATWG HTML §9.2.6, the
 * event stream interpretation). Knows framing only; what `data` means is for the provider
 * readers. One departure: an event that the end of the stream cuts off before its blank line
 * is given out and marked `unterminated`, since some providers end their streams like that.
 */

import { JsonSkimmer, SKIM_LIMITS } from '../json/json-skim.js'

/** An event that has data. Its `id` and `retry` are not read. */
export interface SseEvent {
  /** The `event` field; empty when there was none. */
  readonly event: string
  /** The `data` lines joined by LF. */
  readonly data: string
  /** The stream ended before the blank line that ends an event. */
  readonly unterminated: boolean
}

/** What is held of one event. `SSE_LIMITS` are the defaults. */
export interface SseLimits {
  /** Bytes of one event's lines, their terminators not counted. */
  readonly maxEventBytes: number
  /**
   * A `data` line longer than this (and than nine bytes) holds an image or the like: it is
   * taken for JSON and shortened as it comes, and counts with what is left. Unset: no line is.
   */
  readonly shortenBytes?: number
}

export const SSE_LIMITS: SseLimits = { maxEventBytes: 1024 * 1024 }

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20

/**
 * An event over `maxEventBytes` is skipped as a whole and counted in `skipped`. Throws
 * nothing.
 */
export class SseReader {
  readonly #maxEventBytes: number
  readonly #shortenBytes: number
  /** At work on a line that is over `shortenBytes`. */
  #skimmer: JsonSkimmer | undefined
  /** Copies of the pieces of a line whose end has not come yet. */
  #held: Buffer[] = []
  #lineBytes = 0
  /** Bytes of the event's finished lines. */
  #eventBytes = 0
  #skipping = false
  #afterCr = false
  #firstLine = true
  #event = ''
  #data: string | undefined
  #skipped = 0

  constructor(limits: SseLimits = SSE_LIMITS) {
    this.#maxEventBytes = limits.maxEventBytes
    // Up to there a line may yet turn out to be another field's.
    this.#shortenBytes = Math.max(limits.shortenBytes ?? Infinity, LONGEST_START)
  }

  /** Events that were over the limit. */
  get skipped(): number {
    return this.#skipped
  }

  /** Does not keep `chunk`. */
  push(chunk: Uint8Array): SseEvent[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const events: SseEvent[] = []
    let start = 0
    if (this.#afterCr && bytes.length > 0) {
      this.#afterCr = false
      if (bytes[0] === LF) start = 1
    }
    let cr = bytes.indexOf(CR, start)
    let lf = bytes.indexOf(LF, start)
    while (cr >= 0 || lf >= 0) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr
      this.#finishLine(bytes.subarray(start, end), events)
      start = end + 1
      if (end === cr) {
        if (start === bytes.length) this.#afterCr = true
        else if (bytes[start] === LF) start++
        cr = bytes.indexOf(CR, start)
      }
      if (lf >= 0 && lf < start) lf = bytes.indexOf(LF, start)
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start))
    return events
  }

  /** What the end of the stream leaves: nothing, or one event without its blank line. */
  end(): SseEvent[] {
    const events: SseEvent[] = []
    if (this.#lineBytes > 0) this.#finishLine(EMPTY, events)
    this.#dispatch(events, true)
    return events
  }

  #hold(piece: Buffer): void {
    this.#lineBytes += piece.length
    if (this.#skipping) return
    if (this.#skimmer !== undefined) {
      this.#skimmer.push(piece)
      return
    }
    this.#held.push(Buffer.from(piece))
    if (this.#lineBytes > this.#shortenBytes) this.#startSkimming()
    // A line that may yet be shortened is judged when its end or its length tells.
    const mayShorten =
      this.#skimmer !== undefined || this.#lineBytes <= this.#shortenBytes
    if (!mayShorten || this.#shortenBytes === Infinity) this.#bound(this.#lineBytes)
  }

  /** Only a line of data is shortened; another one stays under the event's limit. */
  #startSkimming(): void {
    const held = Buffer.concat(this.#held)
    this.#held = [held]
    const line = this.#firstLine ? withoutByteOrderMark(held) : held
    if (!isField(line, DATA)) return
    this.#held = []
    this.#skimmer = new JsonSkimmer({
      ...SKIM_LIMITS,
      maxOutputBytes: this.#maxEventBytes,
    })
    this.#skimmer.push(line.subarray(valueStart(line, DATA.length)))
  }

  /** Lets the event go when `lineBytes` more would be over its limit. */
  #bound(lineBytes: number): void {
    if (this.#eventBytes + lineBytes <= this.#maxEventBytes) return
    this.#skipping = true
    this.#held = []
    this.#data = undefined
  }

  #finishLine(rest: Buffer, events: SseEvent[]): void {
    const length = this.#lineBytes + rest.length
    if (length > this.#shortenBytes && rest.length > 0) {
      this.#hold(rest)
      rest = EMPTY
    }
    this.#lineBytes = 0
    if (this.#skimmer !== undefined) {
      this.#finishSkimming(this.#skimmer)
      return
    }
    if (!this.#skipping) this.#bound(length)
    this.#eventBytes += length
    if (this.#skipping) {
      this.#firstLine = false
      if (length === 0) this.#dispatch(events, false)
      return
    }
    let line = rest
    if (this.#held.length > 0) {
      this.#held.push(rest)
      line = Buffer.concat(this.#held)
      this.#held = []
    }
    if (this.#firstLine) {
      this.#firstLine = false
      line = withoutByteOrderMark(line)
    }
    if (line.length === 0) this.#dispatch(events, false)
    else this.#field(line)
  }

  #finishSkimming(skimmer: JsonSkimmer): void {
    this.#skimmer = undefined
    this.#firstLine = false
    const value = skimmer.end()
    this.#bound(value === undefined ? Infinity : value.length)
    if (value === undefined || this.#skipping) return
    this.#eventBytes += value.length
    this.#addData(value.toString())
  }

  #addData(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
  }

  #dispatch(events: SseEvent[], unterminated: boolean): void {
    if (this.#skipping) this.#skipped++
    else if (this.#data !== undefined)
      events.push({ event: this.#event, data: this.#data, unterminated })
    this.#skipping = false
    this.#eventBytes = 0
    this.#event = ''
    this.#data = undefined
  }

  /** A line with a field name; comments and fields that nobody here reads are passed over. */
  #field(line: Buffer): void {
    if (isField(line, DATA)) {
      this.#addData(line.toString('utf8', valueStart(line, DATA.length)))
    } else if (isField(line, EVENT)) {
      this.#event = line.toString('utf8', valueStart(line, EVENT.length))
    }
  }
}

const EMPTY = Buffer.alloc(0)
const DATA = Buffer.from('data')
const EVENT = Buffer.from('event')
/** What may stand before the value of `data`, a byte order mark included. */
const LONGEST_START = Buffer.byteLength('\ufeffdata: ')

function isField(line: Buffer, name: Buffer): boolean {
  const length = name.length
  if (line.length < length) return false
  if (line.length > length && line[length] !== COLON) return false
  for (let i = 0; i < length; i++) if (line[i] !== name[i]) return false
  return true
}

/** One space after the colon does not belong to the value. */
function valueStart(line: Buffer, colon: number): number {
  return line[colon + 1] === SPACE ? colon + 2 : colon + 1
}

function withoutByteOrderMark(line: Buffer): Buffer {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf
    ? line.subarray(3)
    : line
}
