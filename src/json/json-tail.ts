/**
 * The end of a JSON text (RFC 8259) whose middle is not there. It is gone through from its last
 * byte to its first, since what closes there tells what stands open before, and then made a
 * JSON text of its own, with its values as deep as they stood. Names that are not there are
 * given. Pure; rests as it goes.
 */
import type { Resting } from '../core/resting.js'
import { isSpace, JSON_LIMITS } from './json-scanner.js'
import type { JsonLimits } from './json-scanner.js'

/** Where a text begins in the midst of another, and what stands behind that. */
export interface JsonTail {
  /** What is left of the text in which it begins, with its escapes. */
  readonly text: Buffer | undefined
  /** From the next value on; undefined where there is none. */
  readonly json: Buffer | undefined
}

const REST_STEPS = 8 * 1024
/** More before a quote, and it is not told whether that ends the text. */
const MAX_SLASHES = 16 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_OBJECT = 0x7b
const OPEN_ARRAY = 0x5b

/**
 * Undefined for what is no end of a JSON text, or of a deeper one than the limits allow. Of two
 * ends that look alike by their brackets, only building its JSON tells.
 *
 * @param name for the fields in which stand the values that have begun before
 */
export function* jsonTail(
  bytes: Buffer,
  name: string,
  limits: JsonLimits = JSON_LIMITS,
): Resting<JsonTail | undefined> {
  const before = yield* openBefore(bytes, limits.maxDepth)
  if (before === undefined) return undefined
  const { open, textEnd } = before
  const text = textEnd < 0 ? undefined : bytes.subarray(0, textEnd)
  const comma = yield* firstComma(bytes, textEnd + 1, open)
  if (comma === undefined) return { text, json: undefined }
  const field = `${JSON.stringify(name)}:`
  const begin = open
    .map((kind, i) => {
      if (kind === OPEN_ARRAY) return '['
      return i === open.length - 1 ? '{' : `{${field}`
    })
    .join('')
  return { text, json: Buffer.concat([Buffer.from(begin), bytes.subarray(comma + 1)]) }
}

/**
 * Kinds of what stands open where it begins, the outermost first; `textEnd`: the closing quote
 * of the text in which it begins, 0 where it begins in none.
 */
function* openBefore(
  bytes: Buffer,
  maxDepth: number,
): Resting<{ open: number[]; textEnd: number } | undefined> {
  const open: number[] = []
  let at = bytes.length - 1
  for (let steps = 1; at >= 0; steps++) {
    if (steps % REST_STEPS === 0) yield
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      const start = yield* textStart(bytes, at)
      if (start === undefined) return undefined
      if (start < 0) return { open, textEnd: at }
      at = start - 1
      continue
    }
    if (byte === 0x7d || byte === 0x5d) {
      if (open.length === maxDepth) return undefined
      open.push(byte - 2)
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (open.pop() !== byte) return undefined
      // Only the whole would open nothing.
    } else if (open.length === 0 && !isSpace(byte)) return undefined
    at--
  }
  return { open, textEnd: -1 }
}

/** The opening quote of the text that ends at `end`; -1: it stands before all. */
function* textStart(bytes: Buffer, end: number): Resting<number | undefined> {
  let at = end - 1
  for (let steps = 1; at >= 0; steps++) {
    if (steps % REST_STEPS === 0) yield
    const quote = bytes.lastIndexOf(QUOTE, at)
    if (quote < 0) return -1
    let slash = quote
    while (slash > 0 && bytes[slash - 1] === BACKSLASH) slash--
    if (quote - slash > MAX_SLASHES) return undefined
    if ((quote - slash) % 2 === 0) return quote
    at = slash - 1
  }
  return -1
}

/** The next that stands in no text; `open` becomes what stands open there. */
function* firstComma(
  bytes: Buffer,
  from: number,
  open: number[],
): Resting<number | undefined> {
  let at = from
  for (let steps = 1; at < bytes.length; steps++) {
    if (steps % REST_STEPS === 0) yield
    const byte = bytes[at] as number
    if (byte === COMMA) return at
    if (byte === QUOTE) {
      at = yield* textEndOf(bytes, at + 1)
      continue
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) open.push(byte)
    else if (byte === 0x7d || byte === 0x5d) open.pop()
    at++
  }
  return undefined
}

/** Behind the closing quote. */
function* textEndOf(bytes: Buffer, from: number): Resting<number> {
  let at = from
  for (let steps = 1; ; steps++) {
    if (steps % REST_STEPS === 0) yield
    const quote = bytes.indexOf(QUOTE, at)
    if (quote < 0) return bytes.length
    let slash = quote
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--
    if ((quote - slash) % 2 === 0) return quote + 1
    at = quote + 1
  }
}
