/**
 * Makes long JSON short as it streams by: long strings are cut and long runs of numbers are
 * left out, so that what stands around and behind them (a model's name, the tokens used) can
 * still be read within a limit. Answers with images and embeddings are such. The result is
 * JSON if the input was; nothing else is judged here.
 */
import { isSpace } from './json-scanner.js'

/** What is left of a text. `SKIM_LIMITS` are the defaults. */
export interface SkimLimits {
  /** Bytes kept of one string. */
  readonly maxStringBytes: number
  /** Numbers kept at the start of one array. */
  readonly maxNumbers: number
  /** Values with a comma before them, numbers that are left out apart; beyond: no result. */
  readonly maxValues: number
  /** Bytes of the result. From half of it on, strings and numbers are kept far shorter. */
  readonly maxOutputBytes: number
}

export const SKIM_LIMITS: SkimLimits = {
  maxStringBytes: 64 * 1024,
  maxNumbers: 32,
  maxValues: 20_000,
  maxOutputBytes: 1024 * 1024,
}

const SHORT_STRING_BYTES = 64
const MAX_DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COMMA_BYTE = Buffer.from(',')
const ARRAY = 1
const OBJECT = 2

/**
 * One text, in any pieces. It holds at most `maxOutputBytes`. Brackets deeper than 64,
 * more than `maxValues` or a result over the limit make it give up: `end` is then
 * undefined. Never throws.
 */
export class JsonSkimmer {
  readonly #limits: SkimLimits
  readonly #pieces: Buffer[] = []
  #outputBytes = 0
  #values = 0
  #givenUp = false
  #elided = false
  #depth = 0
  readonly #kinds = new Uint8Array(MAX_DEPTH + 1)
  readonly #counts = new Uint32Array(MAX_DEPTH + 1)
  #inString = false
  /** Bytes of the escape at hand that are still to come. */
  #escape = 0
  #afterBackslash = false
  #stringBytes = 0
  /** How many of them are kept: settled where the string begins. */
  #stringMost = 0
  #cutting = false
  #droppingNumber = false
  /** A comma whose value may yet be left out. */
  #heldComma = false
  /** Where it stands in the chunk at hand; -1: in one before. */
  #heldAt = -1
  /** In the chunk at hand, where the bytes that are kept begin; -1 while none are. */
  #from = 0

  constructor(limits: SkimLimits = SKIM_LIMITS) {
    this.#limits = limits
  }

  /** Something was left out. */
  get elided(): boolean {
    return this.#elided
  }

  /** Copies what it keeps of `chunk`. */
  push(chunk: Uint8Array): void {
    if (this.#givenUp) return
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#from = this.#keeping() ? 0 : -1
    this.#heldAt = -1
    let at = 0
    while (at < bytes.length && !this.#givenUp)
      at = this.#inString ? this.#string(bytes, at) : this.#structure(bytes, at)
    if (this.#from < 0) return
    const end = this.#heldComma && this.#heldAt >= 0 ? this.#heldAt : bytes.length
    this.#keep(bytes.subarray(this.#from, end))
  }

  /** The shortened text; undefined when even that is over the limit, or too deep. */
  end(): Buffer | undefined {
    return this.#givenUp ? undefined : Buffer.concat(this.#pieces)
  }

  #keeping(): boolean {
    return !this.#cutting && !this.#droppingNumber && !this.#heldComma
  }

  #string(bytes: Buffer, start: number): number {
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (this.#escape > 0) this.#escape--
      else if (this.#afterBackslash) {
        this.#afterBackslash = false
        if (byte === 0x75) this.#escape = 4
      } else if (byte === QUOTE) {
        this.#inString = false
        if (this.#cutting) this.#from = at
        this.#cutting = false
        return at + 1
      } else {
        // Never inside a character or an escape: the cut string must stay a string.
        if (
          !this.#cutting &&
          this.#stringBytes >= this.#stringMost &&
          (byte & 0xc0) !== 0x80
        )
          this.#cut(bytes, at)
        if (byte === BACKSLASH) this.#afterBackslash = true
        else if (this.#cutting) at = leap(bytes, at)
      }
      this.#stringBytes++
    }
    return bytes.length
  }

  #cut(bytes: Buffer, at: number): void {
    this.#keep(bytes.subarray(this.#from, at))
    this.#from = -1
    this.#cutting = true
    this.#elided = true
  }

  /** Up to the next string, or the end of the chunk. Locals: this runs for every byte. */
  #structure(bytes: Buffer, start: number): number {
    const kinds = this.#kinds
    const counts = this.#counts
    let depth = this.#depth
    let at = start
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (this.#droppingNumber) {
        if (byte !== COMMA && byte !== 0x5d && byte !== 0x7d) continue
        this.#droppingNumber = false
        if (byte !== COMMA) this.#from = at
      }
      if (byte === COMMA) {
        const count = (counts[depth] ?? 0) + 1
        counts[depth] = count
        if (kinds[depth] === ARRAY && this.#many(count, at)) {
          this.#heldAt = at
          this.#heldComma = true
        } else if (++this.#values > this.#limits.maxValues) break
        continue
      }
      if (this.#heldComma) {
        if (isSpace(byte)) continue
        this.#heldComma = false
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
          this.#dropNumber(bytes)
          continue
        }
        if (++this.#values > this.#limits.maxValues) break
        // Mostly the comma stands in the run that is kept anyway; blanks behind it go, since
        // they are gone where a chunk ended among them.
        if (this.#from < 0) {
          this.#keep(COMMA_BYTE)
          this.#from = at
        } else if (at > this.#heldAt + 1) {
          this.#keep(bytes.subarray(this.#from, this.#heldAt + 1))
          this.#from = at
        }
      }
      if (byte === QUOTE) {
        this.#inString = true
        this.#stringBytes = 0
        this.#stringMost = this.#late(at)
          ? SHORT_STRING_BYTES
          : this.#limits.maxStringBytes
        at++
        break
      }
      if (byte === 0x5b || byte === 0x7b) {
        if (depth === MAX_DEPTH) {
          this.#giveUp()
          break
        }
        depth++
        kinds[depth] = byte === 0x5b ? ARRAY : OBJECT
        counts[depth] = 0
      } else if (byte === 0x5d || byte === 0x7d) depth = depth > 0 ? depth - 1 : 0
    }
    this.#depth = depth
    if (this.#values > this.#limits.maxValues) this.#giveUp()
    return at
  }

  #many(count: number, at: number): boolean {
    return count >= this.#limits.maxNumbers || this.#late(at)
  }

  #dropNumber(bytes: Buffer): void {
    if (this.#from >= 0) this.#keep(bytes.subarray(this.#from, this.#heldAt))
    this.#from = -1
    this.#droppingNumber = true
    this.#elided = true
  }

  /** More than half of the room is taken: by what was kept, and by the run up to `at`. */
  #late(at: number): boolean {
    const run = this.#from < 0 ? 0 : at - this.#from
    return this.#outputBytes + run > this.#limits.maxOutputBytes / 2
  }

  #keep(piece: Buffer): void {
    this.#outputBytes += piece.length
    if (this.#outputBytes > this.#limits.maxOutputBytes) this.#giveUp()
    else if (piece.length > 0) this.#pieces.push(Buffer.from(piece))
  }

  #giveUp(): void {
    this.#givenUp = true
    this.#pieces.length = 0
  }
}

/** In a string that is being cut: to just before the next byte that matters. */
function leap(bytes: Buffer, at: number): number {
  const quote = bytes.indexOf(QUOTE, at)
  const end = quote < 0 ? bytes.length : quote
  const slash = bytes.subarray(at, end).indexOf(BACKSLASH)
  return (slash < 0 ? end : at + slash) - 1
}
