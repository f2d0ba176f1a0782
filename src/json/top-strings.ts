/**
 * The strings that a JSON object has under one key at its top, found while its bytes pass:
 * nothing is built, and nothing is kept but the strings themselves. What is not well-formed
 * finds nothing more; whether it is, is others' to say. Pure.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])
const COMMA = 0x2c
const COLON = 0x3a
const OBJECT = 0x7b

/** A key or value that is longer is not looked at. */
const MAX_STRING_BYTES = 4096

/** With its quotes: from its first byte to behind its last, of all that was pushed. */
export interface TopString {
  readonly value: string
  readonly start: number
  readonly end: number
}

/** One pass over a body, in pieces of any size; a piece costs its length. */
export class TopStrings {
  readonly found: TopString[] = []
  readonly #name: string
  #at = 0
  #depth = 0
  #begun = false
  #isObject = false
  #inString = false
  #escaped = false
  /** Of the string at hand, where it stands at the top. */
  #kept: number[] | undefined
  #start = 0
  /** What the next string at the top is. */
  #isKey = true
  #key: string | undefined

  constructor(name: string) {
    this.#name = name
  }

  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number
      if (this.#inString) this.#inside(byte)
      else this.#between(byte)
      this.#at++
    }
  }

  #inside(byte: number): void {
    if (this.#kept !== undefined && this.#kept.push(byte) > MAX_STRING_BYTES)
      this.#kept = undefined
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) {
      this.#inString = false
      this.#ended()
    }
  }

  #between(byte: number): void {
    if (byte === QUOTE) {
      this.#inString = true
      this.#start = this.#at
      this.#kept = this.#isObject && this.#depth === 1 ? [byte] : undefined
    } else if (OPEN.has(byte)) {
      if (!this.#begun) this.#isObject = byte === OBJECT
      this.#begun = true
      this.#depth++
    } else if (CLOSE.has(byte)) {
      this.#depth--
    } else if (this.#depth === 1) {
      if (byte === COMMA) this.#isKey = true
      else if (byte === COLON) this.#isKey = false
    }
  }

  /** Its bytes are all there, or it was none at the top. */
  #ended(): void {
    const kept = this.#kept
    this.#kept = undefined
    if (this.#depth !== 1) return
    const value = kept === undefined ? undefined : textOf(kept)
    if (this.#isKey) {
      this.#key = value
      return
    }
    if (this.#key === this.#name && value !== undefined)
      this.found.push({ value, start: this.#start, end: this.#at + 1 })
    this.#key = undefined
  }
}

function textOf(bytes: readonly number[]): string | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
