/**
 * Builds the value of a long JSON text (RFC 8259) a little at a time, so that others have
 * their turn meanwhile. It is measured first, as a short one is (`json-bounds.ts`); what is
 * built is what `JSON.parse` would build.
 */
import type { LongTexts } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'
import { outcomeOf, parseBounded } from './json-bounds.js'
import type { BoundedJson } from './json-bounds.js'
import { isSpace, JSON_LIMITS, JsonScanner } from './json-scanner.js'
import type { JsonLimits, JsonScalar } from './json-scanner.js'
import { stringEndFrom } from './string-end.js'

/** Shorter ones take less than a slice. */
export const AT_ONCE_BYTES = 256 * 1024
/** `maxValues` are those of so many bytes; a longer text may have as many more. */
const VALUES_BYTES = 1024 * 1024
const PIECE_BYTES = 64 * 1024
const REST_TOKENS = 512

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * As `parseBounded`; rests as it goes where the text is longer than `AT_ONCE_BYTES`.
 * There `maxValues` count for each MiB that was begun. `bytes` must not change meanwhile.
 * `long`: keeps the pieces of its long texts.
 */
export function* parseInSlices(
  bytes: Buffer,
  limits: JsonLimits = JSON_LIMITS,
  long?: LongTexts,
): Resting<BoundedJson> {
  if (bytes.length <= AT_ONCE_BYTES) return parseBounded(bytes, limits)
  if (bytes.length > limits.maxBytes)
    return outcomeOf(bytes, { kind: 'too-large', offset: limits.maxBytes })
  const maxValues = limits.maxValues * Math.ceil(bytes.length / VALUES_BYTES)
  const scanner = new JsonScanner(bytes, { ...limits, maxValues }, undefined, true)
  const measure = yield* scanner.resting()
  if (measure.kind !== 'ok') return outcomeOf(bytes, measure)
  const { keys, duplicateKeys } = measure
  try {
    const value = yield* new Builder(bytes, long).run()
    return { kind: 'whole', value, keys, duplicateKeys }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'invalid', offset: bytes.length }
    throw error
  }
}

/** As `partialJson`; rests as it goes. */
export function* partialInSlices(
  prefix: Buffer,
  limits: JsonLimits = JSON_LIMITS,
): Resting<ReadonlyMap<string, JsonScalar>> {
  const fields = new Map<string, JsonScalar>()
  const scanner = new JsonScanner(prefix, limits, fields, true)
  const measure = yield* scanner.resting()
  if (measure.kind === 'invalid') fields.clear()
  for (const key of scanner.duplicates) fields.delete(key)
  return fields
}

/**
 * As `parsePrefix`, of all of the beginning that is there; undefined also where it is over a
 * limit, so that nothing of it would be left out unsaid.
 */
export function* prefixInSlices(
  bytes: Buffer,
  limits: JsonLimits = JSON_LIMITS,
  long?: LongTexts,
): Resting<unknown> {
  const maxValues = limits.maxValues * Math.ceil(bytes.length / VALUES_BYTES)
  const scanner = new JsonScanner(bytes, { ...limits, maxValues }, undefined, true)
  const measure = yield* scanner.resting()
  const closed = measure.kind === 'truncated' ? scanner.closed() : undefined
  if (closed === undefined) return undefined
  const read = yield* parseInSlices(closed, { ...limits, maxBytes: closed.length }, long)
  return read.kind === 'whole' ? read.value : undefined
}

type Container = Record<string, unknown> | unknown[]

interface Open {
  readonly container: Container
  /** Of an object, that the next value belongs to; undefined: the next text is one. */
  key: string | undefined
}

/** Of a text that was measured: its brackets, commas and colons are where they should be. */
class Builder {
  readonly #bytes: Buffer
  readonly #open: Open[] = []
  #at = 0
  #value: unknown

  readonly #long: LongTexts | undefined

  constructor(bytes: Buffer, long: LongTexts | undefined) {
    this.#bytes = bytes
    this.#long = long
  }

  *run(): Resting<unknown> {
    const bytes = this.#bytes
    for (let tokens = 1; this.#at < bytes.length; tokens++) {
      if (tokens % REST_TOKENS === 0) yield
      const byte = bytes[this.#at] as number
      if (byte === QUOTE) yield* this.#string()
      else if (byte === 0x7b) this.#begin({})
      else if (byte === 0x5b) this.#begin([])
      else if (byte === 0x7d || byte === 0x5d) this.#close()
      else if (byte === 0x2c || byte === 0x3a || isSpace(byte)) this.#at++
      else this.#scalar()
    }
    return this.#value
  }

  #begin(container: Container): void {
    this.#add(container)
    this.#open.push({ container, key: undefined })
    this.#at++
  }

  #close(): void {
    this.#open.pop()
    this.#at++
  }

  *#string(): Resting<void> {
    const start = this.#at + 1
    let end = stringEndFrom(this.#bytes, start)
    for (; end < 0; end = stringEndFrom(this.#bytes, ~end)) {
      if (~end >= this.#bytes.length) throw new SyntaxError('a text without an end')
      yield
    }
    this.#at = end + 1
    const text = yield* this.#text(start, end)
    const open = this.#open.at(-1)
    const isKey =
      open !== undefined && open.key === undefined && !Array.isArray(open.container)
    if (isKey) open.key = text
    else this.#add(text)
  }

  *#text(start: number, end: number): Resting<string> {
    if (end - start <= PIECE_BYTES) return plain(this.#bytes, start, end)
    const pieces: string[] = []
    for (let at = start; at < end;) {
      const until = pieceEnd(this.#bytes, at, end)
      pieces.push(plain(this.#bytes, at, until))
      at = until
      yield
    }
    return this.#long?.join(pieces) ?? pieces.join('')
  }

  #scalar(): void {
    const bytes = this.#bytes
    const start = this.#at
    let end = start
    while (end < bytes.length && !isEnd(bytes[end] as number)) end++
    this.#at = end
    this.#add(JSON.parse(bytes.toString('latin1', start, end)))
  }

  #add(value: unknown): void {
    const open = this.#open.at(-1)
    if (open === undefined) this.#value = value
    else if (Array.isArray(open.container)) open.container.push(value)
    else {
      const key = open.key as string
      if (key === '__proto__') define(open.container, key, value)
      else open.container[key] = value
      open.key = undefined
    }
  }
}

function define(container: object, key: string, value: unknown): void {
  const own = { configurable: true, enumerable: true, writable: true }
  Object.defineProperty(container, key, { ...own, value })
}

/** Never inside a character or an escape. */
function pieceEnd(bytes: Buffer, start: number, end: number): number {
  let until = start + PIECE_BYTES
  if (until >= end) return end
  while (((bytes[until] as number) & 0xc0) === 0x80 && until > start + 1) until--
  for (let back = 1; back <= 5; back++) {
    const at = until - back
    if (bytes[at] !== BACKSLASH) continue
    let before = at
    while (before > start && bytes[before - 1] === BACKSLASH) before--
    if ((at - before) % 2 === 1) continue
    const length = bytes[at + 1] === 0x75 ? 6 : 2
    return back < length ? at : until
  }
  return until
}

function plain(bytes: Buffer, start: number, end: number): string {
  return JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string
}

function isEnd(byte: number): boolean {
  return isSpace(byte) || byte === 0x2c || byte === 0x5d || byte === 0x7d
}
