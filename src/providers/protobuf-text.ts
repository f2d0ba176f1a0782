/**
 * All text of a message of Protocol Buffers whose description nobody here has. What stands in
 * a field with a length may be a text, bytes, or a message, which only who knows the
 * description can tell: what could be two of these is looked at as both. Pure; rests as it goes.
 */
import { isUtf8 } from 'node:buffer'
import type { Resting } from '../core/resting.js'
import { mediaOf, otherText } from '../detect/text-shape.js'
import { fieldsOf } from '../protobuf/wire.js'
import type { FieldCount, ProtoField } from '../protobuf/wire.js'
import type { ProtoLimits } from '../protobuf/schema.js'

/** All that could be text in one message, in the order in which it stands. */
export interface ProtoText {
  readonly texts: readonly string[]
  /** What may say the same once more: a message as the text that it could be, and the like. */
  readonly again: readonly string[]
  /** It holds bytes that are neither text nor message, nor a picture or sound. */
  readonly hasBytes: boolean
  /** The limit that was met: then some of it is not there. */
  readonly over: 'depth' | 'values' | undefined
}

/** Control characters that stand in no text. */
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/
/** Shorter bytes are numbers, hashes and the like. */
const LEAST_BYTES = 64
/** Of a text in one that is looked at, what stands before it might hide its beginning. */
const SHORT_CHARS = 256
/** Numbers with fewer digits say nothing of a person. */
const LEAST_NUMBER = 100_000_000
const MOST_NUMBER = 1e19

/**
 * Of one message, whatever its description. Bytes that are no message are one text, or
 * bytes. Never throws. `limits`: messages inside of one another, fields in all.
 */
export function* protoTexts(bytes: Buffer, limits: ProtoLimits): Resting<ProtoText> {
  const reader = new TextReader(limits.maxDepth, { left: limits.maxFields })
  yield* reader.node(bytes, 1, { isAgain: false, isCovered: false })
  return reader
}

/** The same of fields of a message that is read otherwise; texts alone. */
export function* textsOfFields(
  fields: readonly ProtoField[],
  maxDepth: number,
  count: FieldCount,
): Resting<readonly string[]> {
  const reader = new TextReader(maxDepth, count)
  yield* reader.fields(fields, 1, { isAgain: false, isCovered: false })
  // A message that tells too much is refused by who counts.
  if (reader.over !== undefined) count.left = -1
  return [...reader.texts, ...reader.again]
}

/** How what is found in a node counts. */
interface Within {
  /** It is part of what is looked at as a text already. */
  readonly isAgain: boolean
  /** A text that it is part of is looked at in any case. */
  readonly isCovered: boolean
}

class TextReader implements ProtoText {
  readonly texts: string[] = []
  readonly again: string[] = []
  hasBytes = false
  over: 'depth' | 'values' | undefined
  readonly #maxDepth: number
  readonly #count: FieldCount

  constructor(maxDepth: number, count: FieldCount) {
    this.#maxDepth = maxDepth
    this.#count = count
  }

  /** A text, a message, both, or neither. */
  *node(bytes: Buffer, depth: number, within: Within): Resting<void> {
    if (bytes.length === 0) return
    if (depth > this.#maxDepth) {
      this.over = 'depth'
      return
    }
    yield
    const fields = yield* fieldsOf(bytes, this.#count)
    if (fields === 'too-many') {
      this.over = 'values'
      return
    }
    const text = isUtf8(bytes) ? bytes.toString() : undefined
    if (fields === undefined) {
      if (text !== undefined) this.#add(text, within.isAgain)
      else yield* this.#bytes(bytes, within)
      return
    }
    if (text === undefined) {
      yield* this.fields(fields, depth, within)
      return
    }
    const isPlain = !CONTROL.test(text)
    // A long one is in what covers it.
    if (!within.isCovered || text.length <= SHORT_CHARS)
      this.#add(text, within.isAgain || !isPlain)
    yield* this.fields(fields, depth, {
      isAgain: within.isAgain || isPlain,
      isCovered: true,
    })
  }

  *fields(fields: readonly ProtoField[], depth: number, within: Within): Resting<void> {
    for (const field of fields) {
      if (field.kind === 'bytes' || field.kind === 'group')
        yield* this.node(field.bytes, depth + 1, within)
      else if (!within.isAgain) this.#number(field)
    }
  }

  #number(field: Exclude<ProtoField, { kind: 'bytes' | 'group' }>): void {
    if (field.kind === 'fixed32') return
    const value = field.kind === 'varint' ? whole(field.value) : fixed(field.bytes)
    if (value !== undefined) this.#add(value, false)
  }

  *#bytes(bytes: Buffer, { isAgain }: Within): Resting<void> {
    const text = yield* otherText(bytes)
    const media = mediaOf(bytes)
    if (text !== undefined) this.#add(text.join(''), isAgain)
    else if (bytes.length >= LEAST_BYTES && media?.startsWith('application/') !== false)
      this.hasBytes = true
  }

  #add(text: string, isAgain: boolean): void {
    ;(isAgain ? this.again : this.texts).push(text)
  }
}

function whole(value: bigint): string | undefined {
  return value >= LEAST_NUMBER && value < MOST_NUMBER ? String(value) : undefined
}

/** A whole number that is a double, or one of 64 bits. */
function fixed(bytes: Buffer): string | undefined {
  const asInteger = bytes.readBigUInt64LE()
  const asDouble = bytes.readDoubleLE()
  // What is small as a double is none.
  if (Math.abs(asDouble) < Number.MIN_VALUE * 2 ** 53) return whole(asInteger)
  return Number.isInteger(asDouble) && asDouble >= LEAST_NUMBER && asDouble < MOST_NUMBER
    ? String(BigInt(asDouble))
    : undefined
}
