/**
 * Where a body ends, and which of the bytes that come are its own: by its length, by chunks, or
 * by the end of the connection. Gives places, copies nothing; the same however the bytes are
 * cut. As strict as the scanner. RFC 9112 §6 and §7.
 */
import {
  BACKSLASH,
  CR,
  EQUALS,
  HEX,
  LF,
  QUOTE,
  SEMICOLON,
  TOKEN,
  VALUE,
} from './bytes.js'
import type { Head, Problem } from './head.js'
import { BAD as HEAD_BAD, HeadScanner, MORE as HEAD_MORE } from './scan.js'

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** A response without either: the end of the connection ends it. */
  | { readonly kind: 'until-close' }

const NONE: Framing = { kind: 'none' }
const CHUNKED: Framing = { kind: 'chunked' }
const UNTIL_CLOSE: Framing = { kind: 'until-close' }

/**
 * RFC 9112 §6.3, of a head that the scanner let pass: without a length and chunks there
 * is no body.
 */
export function requestFraming(head: Head): Framing {
  if (head.chunked) return CHUNKED
  return head.contentLength > 0 ? { kind: 'length', bytes: head.contentLength } : NONE
}

/**
 * RFC 9112 §6.3, of a head that the scanner let pass. `method`: of the request that it
 * answers, in upper case. A 2xx to CONNECT is not treated apart.
 */
export function responseFraming(head: Head, method: string): Framing {
  const { status } = head
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return NONE
  if (head.chunked) return CHUNKED
  if (head.contentLength < 0) return UNTIL_CLOSE
  return head.contentLength === 0 ? NONE : { kind: 'length', bytes: head.contentLength }
}

/**
 * What a chunked body may carry beside its data. Its length is no concern of the reader.
 */
export interface BodyLimits {
  /** What chunk extensions of one body may take, all together. */
  readonly maxExtensionBytes: number
  /** A trailer section, to its last line end. */
  readonly maxTrailerBytes: number
}

/** What `read` came to: a piece of the body lies in `from..to`; its end; more is needed. */
export const DATA = 0
export const END = 1
export const MORE = 2
export const BAD = 3
export type BodyEvent = typeof DATA | typeof END | typeof MORE | typeof BAD

const DONE = 0
const COUNTED = 1
const OPEN = 2
const SIZE_FIRST = 3
const SIZE = 4
const EXTENSION_NAME_FIRST = 5
const EXTENSION_NAME = 6
const EXTENSION_VALUE_FIRST = 7
const EXTENSION_VALUE = 8
const EXTENSION_QUOTED = 9
const EXTENSION_ESCAPED = 10
const EXTENSION_END = 11
const SIZE_LF = 12
const CHUNK = 13
const CHUNK_CR = 14
const CHUNK_LF = 15
const TRAILER = 16

/** Four gigabytes a chunk; every number up to there is exact. */
const MAX_SIZE_DIGITS = 8

/**
 * One body after the other of a connection: `start`, then `read` until `END` or `BAD`.
 * Keeps nothing but where it stands and a trailer section, up to `maxTrailerBytes`. A
 * chunk's size has up to eight digits; more, or extensions over the limit, are `BAD`, as
 * is what might be understood in two ways. Throws nothing.
 */
export class BodyReader {
  /** Of the last `DATA`: the piece of the body in the bytes that were given. */
  from = 0
  to = 0
  /** Where the last `read` stopped. */
  at = 0
  /** Why the last `read` was `BAD`; `at` is then where. */
  problem: Problem | undefined
  readonly #limits: BodyLimits
  #state = DONE
  #left = 0
  #digits = 0
  #extensionBytes = 0
  #trailer: HeadScanner | undefined

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** The next body; what was left of the last is forgotten. */
  start(framing: Framing): void {
    this.problem = undefined
    this.#trailer?.reset()
    switch (framing.kind) {
      case 'none':
        this.#state = DONE
        return
      case 'length':
        this.#left = framing.bytes
        this.#state = COUNTED
        return
      case 'chunked':
        this.#extensionBytes = 0
        this.#state = SIZE_FIRST
        return
      case 'until-close':
        this.#state = OPEN
    }
  }

  /** Ends with the connection, and only then. */
  get isOpen(): boolean {
    return this.#state === OPEN
  }

  /** Flat; empty without any. Of a body that has ended. */
  trailers(): string[] {
    return this.#trailer?.head.fields() ?? []
  }

  /** Reads on in `bytes[from..to)` up to the next event. After `END` or `BAD` no more. */
  read(bytes: Buffer, from: number, to: number): BodyEvent {
    let at = from
    for (;;) {
      switch (this.#state) {
        case DONE:
          this.at = at
          return END
        case OPEN:
          return at < to ? this.#data(at, to) : this.#more(at)
        case COUNTED:
        case CHUNK: {
          if (at === to) return this.#more(at)
          const end = Math.min(to, at + this.#left)
          this.#left -= end - at
          if (this.#left === 0) this.#state = this.#state === COUNTED ? DONE : CHUNK_CR
          return this.#data(at, end)
        }
        case CHUNK_CR:
          if (at === to) return this.#more(at)
          if (bytes[at++] !== CR) return this.#bad('chunk-end', at)
          this.#state = CHUNK_LF
          break
        case CHUNK_LF:
          if (at === to) return this.#more(at)
          if (bytes[at++] !== LF) return this.#bad('chunk-end', at)
          this.#state = SIZE_FIRST
          break
        case TRAILER:
          return this.#readTrailer(bytes, at, to)
        default: {
          if (at === to) return this.#more(at)
          const problem = this.#sizeLine(bytes[at++] as number)
          if (problem !== undefined) return this.#bad(problem, at)
        }
      }
    }
  }

  #data(from: number, to: number): BodyEvent {
    this.from = from
    this.to = to
    this.at = to
    return DATA
  }

  #more(at: number): BodyEvent {
    this.at = at
    return MORE
  }

  #bad(problem: Problem, at: number): BodyEvent {
    this.at = at
    this.problem = problem
    return BAD
  }

  #sizeLine(byte: number): Problem | undefined {
    switch (this.#state) {
      case SIZE_FIRST: {
        const digit = HEX[byte] as number
        if (digit === 255) return 'chunk-size'
        this.#left = digit
        this.#digits = 1
        this.#state = SIZE
        return undefined
      }
      case SIZE: {
        const digit = HEX[byte] as number
        if (digit === 255) return this.#afterWord(byte, 'chunk-size')
        if (this.#digits === MAX_SIZE_DIGITS) return 'chunk-size'
        this.#left = this.#left * 16 + digit
        this.#digits += 1
        return undefined
      }
      case SIZE_LF:
        if (byte !== LF) return 'line-end'
        this.#state = this.#left === 0 ? TRAILER : CHUNK
        return undefined
      default:
        this.#extensionBytes += 1
        return this.#extensionBytes > this.#limits.maxExtensionBytes
          ? 'chunk-extension'
          : this.#extension(byte)
    }
  }

  /** RFC 9112 §7.1.1, without blanks: where they may stand is not agreed on. */
  #extension(byte: number): Problem | undefined {
    switch (this.#state) {
      case EXTENSION_NAME_FIRST:
        return this.#word(byte, EXTENSION_NAME)
      case EXTENSION_NAME:
        if (byte === EQUALS) {
          this.#state = EXTENSION_VALUE_FIRST
          return undefined
        }
        return TOKEN[byte] === 1 ? undefined : this.#afterWord(byte, 'chunk-extension')
      case EXTENSION_VALUE_FIRST:
        if (byte !== QUOTE) return this.#word(byte, EXTENSION_VALUE)
        this.#state = EXTENSION_QUOTED
        return undefined
      case EXTENSION_VALUE:
        return TOKEN[byte] === 1 ? undefined : this.#afterWord(byte, 'chunk-extension')
      case EXTENSION_QUOTED:
        if (byte === QUOTE) this.#state = EXTENSION_END
        else if (byte === BACKSLASH) this.#state = EXTENSION_ESCAPED
        else if (VALUE[byte] !== 1) return 'chunk-extension'
        return undefined
      case EXTENSION_ESCAPED:
        this.#state = EXTENSION_QUOTED
        return VALUE[byte] === 1 ? undefined : 'chunk-extension'
      default:
        return this.#afterWord(byte, 'chunk-extension')
    }
  }

  #word(byte: number, state: number): Problem | undefined {
    this.#state = state
    return TOKEN[byte] === 1 ? undefined : 'chunk-extension'
  }

  /** The end of the line, or another extension. */
  #afterWord(byte: number, otherwise: Problem): Problem | undefined {
    if (byte === CR) this.#state = SIZE_LF
    else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_FIRST
    else return otherwise
    return undefined
  }

  #readTrailer(bytes: Buffer, from: number, to: number): BodyEvent {
    this.#trailer ??= new HeadScanner('trailer', {
      maxHeadBytes: this.#limits.maxTrailerBytes,
    })
    const trailer = this.#trailer
    const at = trailer.push(bytes, from, to)
    if (trailer.progress === HEAD_BAD)
      return this.#bad(trailer.problem ?? 'field-name', at)
    if (trailer.progress === HEAD_MORE) return this.#more(at)
    this.#state = DONE
    this.at = at
    return END
  }
}
