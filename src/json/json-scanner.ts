/**
 * One pass over JSON text (RFC 8259) that builds nothing: depth, values and keys are counted,
 * keys of watched objects compared, scalar fields of the top object picked out. No recursion,
 * so that no depth of nesting is dear. `json-bounds.ts` says what is asked of it.
 */
import type { Resting } from '../core/resting.js'
import { Keys } from './json-keys.js'
import { stringEndFrom } from './string-end.js'

/**
 * What a text may hold to be built. `JSON_LIMITS` are the defaults. Beside them a key of
 * more than `MAX_KEY_BYTES` (64 KiB) is `too-many`.
 */
export interface JsonLimits {
  /** Objects and arrays inside of one another. */
  readonly maxDepth: number
  /**
   * Objects, arrays and scalars together. What is built and read of as many, in the dearest of
   * shapes, stays below 5 ms on one slow core (`tools/bench/loop.ts`).
   */
  readonly maxValues: number
  readonly maxBytes: number
  /** Keys of one object: a parser's cost a key grows with them. */
  readonly maxKeys: number
}

export const JSON_LIMITS: JsonLimits = {
  maxDepth: 64,
  maxValues: 20_000,
  maxBytes: 1024 * 1024,
  maxKeys: 1_000,
}

export type JsonMeasure =
  | {
      readonly kind: 'ok'
      readonly depth: number
      readonly values: number
      /** Of all objects, those that stand twice counted twice. */
      readonly keys: number
      /** Keys that stand twice in one watched object, once each, in order. */
      readonly duplicateKeys: readonly string[]
    }
  | {
      readonly kind: 'too-deep' | 'too-many' | 'too-large' | 'invalid' | 'truncated'
      /** The byte at which it was known. */
      readonly offset: number
    }

export type JsonScalar = string | number | boolean | null

/**
 * Watched for duplicate keys: the top object, and below these of its keys the objects of
 * messages and of their parts. Tool schemas and embeddings are not: nothing decides on them.
 */
const WATCHED_KEYS: ReadonlySet<string> = new Set([
  'messages',
  'input',
  'contents',
  'system',
  'systemInstruction',
  'system_instruction',
])
const WATCHED_DEPTH = 6
const MAX_DUPLICATES = 16
/** A longer name of a field is none. */
const MAX_KEY_BYTES = 64 * 1024

type State = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma' | 'done'

/** Tokens after which a long text rests. */
const REST_STEPS = 4096
const STEP_BYTES = 64

const OBJECT = 0
const ARRAY = 1
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Up to here a string's end is looked for in place; the native search pays beyond. */
const SHORT_STRING = 24

const newScratch = (maxDepth: number) => ({
  kinds: new Uint8Array(maxDepth + 1),
  keyCounts: new Uint32Array(maxDepth + 1),
  keys: [] as Keys[],
})

/** A small text costs less to scan than these to make; a pass has them to itself. */
let scratch = newScratch(JSON_LIMITS.maxDepth)

/** One pass over one text, to be run and asked before the next is begun. */
export class JsonScanner {
  readonly duplicates: string[] = []
  readonly #bytes: Buffer
  readonly #limits: JsonLimits
  readonly #fields: Map<string, JsonScalar> | undefined
  readonly #kinds: Uint8Array
  /** Keys so far of the open object, by depth. */
  readonly #keyCounts: Uint32Array
  /** By depth; reused from object to object. */
  readonly #keys: Keys[]
  #at = 0
  /** Where in a long string it goes on; -1: in none. */
  #inside = -1
  #farFrom = 0
  readonly #rests: boolean
  #depth = 0
  #deepest = 0
  #values = 0
  #allKeys = 0
  #state: State = 'value'
  #watching = false
  /** The string at hand holds a backslash. */
  #escaped = false
  /** Up to here the text could be closed, and how many brackets that would take. */
  #safeAt = 0
  #safeDepth = 0
  /** Where a value's text begins whose end is not there; -1: none. */
  #openText = -1
  /** The key at depth 1 that the next value belongs to. */
  #topKey = ''

  constructor(
    bytes: Uint8Array,
    limits: JsonLimits,
    fields: Map<string, JsonScalar> | undefined,
    rests = false,
  ) {
    this.#bytes = asBuffer(bytes)
    this.#limits = limits
    this.#fields = fields
    if (limits.maxDepth >= scratch.kinds.length) scratch = newScratch(limits.maxDepth)
    this.#rests = rests
    // Others have a pass of their own while this one rests.
    const { kinds, keyCounts, keys } = rests ? newScratch(limits.maxDepth) : scratch
    // What a pass before has left of its text goes now.
    for (const known of keys) known?.clear()
    this.#keys = keys
    this.#kinds = kinds
    this.#keyCounts = keyCounts
  }

  /** The whole text in one go; never throws. `maxBytes` is for the caller to see to. */
  run(): JsonMeasure {
    return this.#pass(Infinity) ?? this.#measured()
  }

  /** As `run`, with rests between: for a scanner that was made for it. */
  *resting(): Resting<JsonMeasure> {
    while (this.#at < this.#bytes.length) {
      const failed = this.#pass(REST_STEPS)
      if (failed !== undefined) return failed
      yield
    }
    return this.#measured()
  }

  /** Tokens, and the spaces between. */
  #pass(steps: number): JsonMeasure | undefined {
    const bytes = this.#bytes
    const length = bytes.length
    const from = this.#at
    for (let left = steps; this.#at < length && left > 0; left--) {
      // Long tokens take as long as many short ones.
      if (this.#at - from > steps * STEP_BYTES) return undefined
      const byte = bytes[this.#at] ?? 0
      if (isSpace(byte)) {
        this.#at++
        continue
      }
      const failed = this.#token(byte)
      if (failed !== undefined) return { kind: failed, offset: this.#at }
      if (this.#inside >= 0) return undefined
    }
    return undefined
  }

  #measured(): JsonMeasure {
    if (this.#state !== 'done') return { kind: 'truncated', offset: this.#bytes.length }
    return {
      kind: 'ok',
      depth: this.#deepest,
      values: this.#values,
      keys: this.#allKeys,
      duplicateKeys: this.duplicates,
    }
  }

  /**
   * After `run`: what was read, cut behind the last whole value (or inside the text that was
   * not whole) and closed, so that it is JSON. Undefined when nothing was.
   */
  closed(): Buffer | undefined {
    const inText = this.#openText >= 0
    const end = inText ? wholeCharacters(this.#bytes, this.#openText) : this.#safeAt
    if (end === 0) return undefined
    let closers = inText ? '"' : ''
    for (let depth = inText ? this.#depth : this.#safeDepth; depth > 0; depth--)
      closers += this.#kinds[depth] === OBJECT ? '}' : ']'
    return Buffer.concat([this.#bytes.subarray(0, end), Buffer.from(closers)])
  }

  #safe(): void {
    this.#safeAt = this.#at
    this.#safeDepth = this.#depth
  }

  #token(byte: number): Failure | undefined {
    switch (byte) {
      case QUOTE:
        return this.#string()
      case 0x7b: // {
        return this.#open(OBJECT)
      case 0x5b: // [
        return this.#open(ARRAY)
      case 0x7d: // }
        return this.#close(OBJECT)
      case 0x5d: // ]
        return this.#close(ARRAY)
      case 0x2c: // ,
        if (this.#state !== 'comma') return 'invalid'
        this.#state = this.#kinds[this.#depth] === OBJECT ? 'key' : 'value'
        this.#at++
        return undefined
      case 0x3a: // :
        if (this.#state !== 'colon') return 'invalid'
        this.#state = 'value'
        this.#at++
        return undefined
      default:
        return this.#scalar()
    }
  }

  #open(kind: number): Failure | undefined {
    if (!this.#expectsValue()) return 'invalid'
    if (this.#values === this.#limits.maxValues) return 'too-many'
    if (this.#depth === this.#limits.maxDepth) return 'too-deep'
    this.#values++
    this.#depth++
    if (this.#depth > this.#deepest) this.#deepest = this.#depth
    this.#kinds[this.#depth] = kind
    if (kind === OBJECT) {
      this.#keyCounts[this.#depth] = 0
      if (this.#isWatched()) (this.#keys[this.#depth] ??= new Keys()).clear()
    }
    this.#state = kind === OBJECT ? 'key-or-end' : 'value-or-end'
    this.#at++
    this.#safe()
    return undefined
  }

  #close(kind: number): Failure | undefined {
    const empty = kind === OBJECT ? 'key-or-end' : 'value-or-end'
    if (this.#depth === 0 || this.#kinds[this.#depth] !== kind) return 'invalid'
    if (this.#state !== 'comma' && this.#state !== empty) return 'invalid'
    this.#depth--
    this.#state = this.#depth === 0 ? 'done' : 'comma'
    this.#at++
    this.#safe()
    return undefined
  }

  #string(): Failure | undefined {
    const start = this.#at + 1
    if (this.#inside >= 0) return this.#stringEnds(start, this.#farEnd(this.#inside))
    const isKey = this.#state === 'key' || this.#state === 'key-or-end'
    if (!isKey && !this.#expectsValue()) return 'invalid'
    if (!isKey && this.#values === this.#limits.maxValues) return 'too-many'
    return this.#stringEnds(start, this.#stringEnd(start))
  }

  /** `end`: -1 where there is none. */
  #stringEnds(start: number, end: number): Failure | undefined {
    if (this.#inside >= 0) return undefined
    const isKey = this.#state === 'key' || this.#state === 'key-or-end'
    if (isKey && end - start > MAX_KEY_BYTES) return 'too-many'
    if (end < 0) {
      this.#at = this.#bytes.length
      if (!isKey) this.#openText = start
      return 'truncated'
    }
    this.#at = end + 1
    if (isKey) {
      const count = (this.#keyCounts[this.#depth] ?? 0) + 1
      if (count > this.#limits.maxKeys) return 'too-many'
      this.#keyCounts[this.#depth] = count
      this.#allKeys++
      if (this.#isWatched()) this.#watchKey(start, end)
      this.#state = 'colon'
      return undefined
    }
    this.#values++
    this.#valueDone()
    if (this.#fields !== undefined && this.#isTopField()) {
      this.#fields.set(this.#topKey, this.#text(start, end))
    }
    return undefined
  }

  #scalar(): Failure | undefined {
    if (!this.#expectsValue()) return 'invalid'
    if (this.#values === this.#limits.maxValues) return 'too-many'
    const start = this.#at
    let at = start
    while (at < this.#bytes.length && isScalarByte(this.#bytes[at] ?? 0)) at++
    if (at === start) return 'invalid'
    this.#at = at
    this.#values++
    if (at === this.#bytes.length && (this.#depth > 0 || !this.#parses(start, at)))
      return 'truncated'
    this.#valueDone()
    if (this.#fields !== undefined && this.#isTopField() && this.#parses(start, at)) {
      const text = this.#bytes.toString('latin1', start, at)
      this.#fields.set(this.#topKey, JSON.parse(text) as JsonScalar)
    }
    return undefined
  }

  #expectsValue(): boolean {
    return this.#state === 'value' || this.#state === 'value-or-end'
  }

  #valueDone(): void {
    this.#state = this.#depth === 0 ? 'done' : 'comma'
    this.#safe()
  }

  #isTopField(): boolean {
    return this.#depth === 1 && this.#kinds[1] === OBJECT
  }

  #isWatched(): boolean {
    return this.#depth === 1 || (this.#watching && this.#depth <= WATCHED_DEPTH)
  }

  #watchKey(start: number, end: number): void {
    if (this.#depth === 1) {
      this.#topKey = this.#text(start, end)
      this.#watching = WATCHED_KEYS.has(this.#topKey)
    }
    const keys = this.#keys[this.#depth]
    if (keys === undefined) return
    const twice = this.#escaped
      ? keys.addText(this.#bytes, this.#text(start, end))
      : keys.add(this.#bytes, start, end)
    if (!twice || this.duplicates.length === MAX_DUPLICATES) return
    const key = this.#text(start, end)
    if (!this.duplicates.includes(key)) this.duplicates.push(key)
  }

  /**
   * The index of the closing quote, or -1. Looks at a few bytes in place, then leaps to the
   * next quote, and so on: both many escapes and long plain runs stay cheap.
   */
  #stringEnd(start: number): number {
    const bytes = this.#bytes
    let at = start
    this.#escaped = false
    const near = Math.min(at + SHORT_STRING, bytes.length)
    while (at < near) {
      const byte = bytes[at]
      if (byte === QUOTE) return at
      if (byte === BACKSLASH) {
        this.#escaped = true
        at++
      }
      at++
    }
    this.#farFrom = at
    return this.#farEnd(at)
  }

  /** Pauses inside of a long one where this pass rests: then `#inside` says where to go on. */
  #farEnd(from: number): number {
    const bytes = this.#bytes
    this.#inside = -1
    for (let at = from; at < bytes.length;) {
      const end = stringEndFrom(bytes, at)
      if (end >= 0) return this.#closeFar(this.#farFrom, end)
      at = ~end
      if (this.#rests && at < bytes.length) {
        this.#inside = at
        return -1
      }
    }
    return -1
  }

  /** A long string: whether it holds a backslash matters for keys only. */
  #closeFar(from: number, quote: number): number {
    if (quote - from > MAX_KEY_BYTES) return quote
    const key = this.#state === 'key' || this.#state === 'key-or-end'
    if (key && this.#isWatched())
      this.#escaped ||= this.#bytes.subarray(from, quote).includes(BACKSLASH)
    return quote
  }

  #text(start: number, end: number): string {
    const raw = this.#bytes.toString('utf8', start, end)
    if (!raw.includes('\\')) return raw
    try {
      return JSON.parse(`"${raw}"`) as string
    } catch {
      return raw
    }
  }

  #parses(start: number, end: number): boolean {
    try {
      JSON.parse(this.#bytes.toString('latin1', start, end))
      return true
    } catch {
      return false
    }
  }
}

/** Where a text that breaks off can be cut: never inside a character or an escape. */
function wholeCharacters(bytes: Buffer, start: number): number {
  let end = bytes.length
  let lead = end - 1
  while (lead >= start && end - lead < 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--
  if (
    lead >= start &&
    (bytes[lead] ?? 0) >= 0xc0 &&
    lead + utf8Length(bytes[lead] ?? 0) > end
  )
    end = lead
  const slash = bytes.subarray(Math.max(start, end - 5), end).lastIndexOf(BACKSLASH)
  if (slash < 0) return end
  const at = Math.max(start, end - 5) + slash
  let before = at
  while (before > start && bytes[before - 1] === BACKSLASH) before--
  const begins = (at - before) % 2 === 0
  const length = bytes[at + 1] === 0x75 ? 6 : 2
  return begins && at + length > end ? at : end
}

function utf8Length(lead: number): number {
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
}

/** The same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

type Failure = 'too-deep' | 'too-many' | 'invalid' | 'truncated'

/** White space of JSON, RFC 8259 §2: no other is any. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Digits, sign, point, and the letters of numbers and literals. */
function isScalarByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x45
  )
}
