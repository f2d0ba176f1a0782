/**
 * Finds a head in bytes as they come: one pass, no text made, the same verdict however they are
 * cut. Strict: whatever two readers might take for two things is a problem, and nothing is
 * repaired. Here are the field lines and what is kept of a head that comes in pieces; the first
 * line is `start-line.ts`, what its fields say `framing-fields.ts`, what follows `body.ts`.
 * RFC 9112 §2 and §5.
 */
import { COLON, CR, LF, SP, TAB, TOKEN, VALUE } from './bytes.js'
import { framingField, framingProblem, withoutBlanks } from './framing-fields.js'
import type { Place, Side } from './framing-fields.js'
import { Head } from './head.js'
import type { Problem } from './head.js'
import { StartLine } from './start-line.js'

/** A head that has as many bytes and no end is `head-too-large`. */
export interface HeadLimits {
  /** A whole head, from its first byte to its last line end. */
  readonly maxHeadBytes: number
}

/** What `push` came to. */
export const MORE = 0
export const WHOLE = 1
export const BAD = 2
export type Progress = typeof MORE | typeof WHOLE | typeof BAD

/** Where the scanner stands behind the first line: what the next byte belongs to. */
const LINE_START = 0
const NAME = 1
const BEFORE_VALUE = 2
const VALUE_TEXT = 3
const VALUE_LF = 4
const LAST_LF = 5

/** While a head comes in pieces, so much is kept at first. */
const FIRST_KEPT_BYTES = 2048

/**
 * One head after the other of a connection: `push` until `progress` is `WHOLE` or `BAD`,
 * then `reset`. Of a head that comes in pieces it keeps a copy, up to `maxHeadBytes`; of
 * one that comes at once nothing. Throws nothing.
 */
export class HeadScanner {
  readonly head = new Head()
  progress: Progress = MORE
  /** Why `progress` is `BAD`. */
  problem: Problem | undefined
  readonly #side: Side
  readonly #max: number
  /** Undefined for trailers, which have none. */
  readonly #start: StartLine | undefined
  #state = LINE_START
  /** The bytes so far of a head that did not come at once. */
  #kept: Buffer | undefined
  #keptBytes = 0
  /** Of the field that is read; places count from the head's first byte. */
  #nameFrom = 0
  #nameTo = 0
  #valueFrom = 0
  #valueTo = 0
  readonly #place: Place = { nameFrom: 0, nameTo: 0, from: 0, to: 0 }

  constructor(side: Side, limits: HeadLimits) {
    this.#side = side
    this.#max = limits.maxHeadBytes
    if (side !== 'trailer') this.#start = new StartLine(this.head, side === 'request')
  }

  /** For the next head. What was read of the last one is gone. */
  reset(): void {
    this.head.clear()
    this.#start?.reset()
    this.progress = MORE
    this.problem = undefined
    this.#state = LINE_START
    this.#kept = undefined
    this.#keptBytes = 0
  }

  /** Something of a head has come that is not whole yet; empty lines before it do not count. */
  get begun(): boolean {
    return this.progress === MORE && this.#keptBytes > 0 && this.#start?.begun !== false
  }

  /**
   * Reads on in `bytes[from..to)` and returns where it stopped: `to`, unless the head is whole
   * or bad. `head` lies in `bytes` if it came at once: texts are to be taken before they change.
   */
  push(bytes: Buffer, from: number, to: number): number {
    if (this.#kept === undefined) {
      const end = this.#scan(bytes, from, from, to)
      if (this.progress === WHOLE) this.head.lies(bytes, from)
      if (this.progress === MORE && end > from) this.#keep(bytes, from, end)
      return end
    }
    const before = this.#keptBytes
    this.#keep(bytes, from, Math.min(to, from + this.#max + 1 - before))
    const end = this.#scan(this.#kept, 0, before, this.#keptBytes)
    if (this.progress === WHOLE) this.head.lies(this.#kept, 0)
    return from + end - before
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const needed = this.#keptBytes + to - from
    if (this.#kept === undefined || this.#kept.length < needed) {
      const room = Math.max(FIRST_KEPT_BYTES, Math.min(2 * needed, this.#max + 1))
      const grown = Buffer.allocUnsafeSlow(Math.max(room, needed))
      this.#kept?.copy(grown, 0, 0, this.#keptBytes)
      this.#kept = grown
    }
    bytes.copy(this.#kept, this.#keptBytes, from, to)
    this.#keptBytes = needed
  }

  #bad(problem: Problem, at: number): number {
    this.progress = BAD
    this.problem = problem
    return at
  }

  /** `base`: where the head begins in `bytes`; `from`: where this call goes on. */
  #scan(bytes: Uint8Array, base: number, from: number, to: number): number {
    const end = Math.min(to, base + this.#max)
    let at = from
    const start = this.#start
    if (start !== undefined && !start.done) {
      at = start.scan(bytes, base, at, end)
      if (start.problem !== undefined) return this.#bad(start.problem, at)
    }
    if (at < end) at = this.#fields(bytes, base, at, end)
    const isOver = this.progress === MORE && at - base >= this.#max
    return isOver ? this.#bad('head-too-large', at) : at
  }

  #fields(bytes: Uint8Array, base: number, from: number, end: number): number {
    let at = from
    while (at < end) {
      switch (this.#state) {
        case LINE_START: {
          const byte = bytes[at] as number
          if (byte === CR) {
            at++
            this.#state = LAST_LF
            break
          }
          if (byte === SP || byte === TAB) return this.#bad('folded-line', at)
          this.#nameFrom = at - base
          this.#state = NAME
          break
        }
        case NAME:
          while (at < end && TOKEN[bytes[at] as number] === 1) at++
          if (at === end) break
          this.#nameTo = at - base
          if (bytes[at] !== COLON || this.#nameTo === this.#nameFrom)
            return this.#bad('field-name', at)
          at++
          this.#state = BEFORE_VALUE
          break
        case BEFORE_VALUE:
          while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++
          if (at === end) break
          this.#valueFrom = at - base
          this.#state = VALUE_TEXT
          break
        case VALUE_TEXT:
          while (at < end && VALUE[bytes[at] as number] === 1) at++
          if (at === end) break
          if (bytes[at] !== CR) return this.#bad('field-value', at)
          this.#valueTo = withoutBlanks(bytes, base + this.#valueFrom, at) - base
          at++
          this.#state = VALUE_LF
          break
        case VALUE_LF: {
          if (bytes[at] !== LF) return this.#bad('line-end', at)
          at++
          this.#state = LINE_START
          const problem = this.#field(bytes, base)
          if (problem !== undefined) return this.#bad(problem, at)
          break
        }
        case LAST_LF:
          if (bytes[at] !== LF) return this.#bad('line-end', at)
          return this.#finish(at + 1, base)
      }
    }
    return at
  }

  #field(bytes: Uint8Array, base: number): Problem | undefined {
    this.head.add(this.#nameFrom, this.#nameTo, this.#valueFrom, this.#valueTo)
    const place = this.#place
    place.nameFrom = base + this.#nameFrom
    place.nameTo = base + this.#nameTo
    place.from = base + this.#valueFrom
    place.to = base + this.#valueTo
    return framingField(this.head, this.#side, bytes, place)
  }

  #finish(at: number, base: number): number {
    const problem = framingProblem(this.head, this.#side)
    if (problem !== undefined) return this.#bad(problem, at)
    this.head.length = at - base
    this.progress = WHOLE
    return at
  }
}
