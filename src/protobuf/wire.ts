/**
 * Protocol Buffers on the wire (protobuf.dev/programming-guides/encoding): the fields of one
 * message by their numbers, without its description. What a field means is for others. Pure.
 */
import type { Resting } from '../core/resting.js'

export type ProtoField =
  | { readonly kind: 'varint'; readonly number: number; readonly value: bigint }
  /** Fixed32 and fixed64, as they stand; a text, bytes, a message or packed numbers; a group. */
  | {
      readonly kind: 'fixed32' | 'fixed64' | 'bytes' | 'group'
      readonly number: number
      readonly bytes: Buffer
    }

/** Counts the fields that are read, of one message and of those in it. */
export interface FieldCount {
  left: number
}

/** Fields after which it rests. */
const REST_FIELDS = 512
/** Of a varint (64 bits), and of a tag (32 bits). */
const MAX_VARINT_BYTES = 10
const MAX_TAG_BYTES = 5
/** Groups in groups, which nobody writes any more; fields in them count as others. */
const MAX_GROUPS = 64

/**
 * The fields in their order. Undefined: these bytes are no message, to their end.
 * `'too-many'`: more fields than may be read. `count.left` goes down by each. Values are
 * views of `bytes`.
 */
export function* fieldsOf(
  bytes: Buffer,
  count: FieldCount,
): Resting<readonly ProtoField[] | 'too-many' | undefined> {
  const fields: ProtoField[] = []
  const groups: { readonly number: number; readonly from: number }[] = []
  let read = 0
  for (let at = 0; at < bytes.length;) {
    if (++read % REST_FIELDS === 0) yield
    const tag = tagAt(bytes, at)
    if (tag === undefined) return undefined
    if (count.left-- <= 0) return 'too-many'
    const { number, wire } = tag
    const start = tag.end
    const open = groups.at(-1)
    if (wire === END_GROUP) {
      if (open?.number !== number) return undefined
      groups.pop()
      if (groups.length === 0)
        fields.push({ kind: 'group', number, bytes: bytes.subarray(open.from, at) })
      at = start
      continue
    }
    if (wire === START_GROUP) {
      if (groups.length >= MAX_GROUPS) return undefined
      groups.push({ number, from: start })
      at = start
      continue
    }
    const value = valueAt(bytes, start, wire, number)
    if (value === undefined) return undefined
    // Of a group, all of it is read with it.
    if (open === undefined) fields.push(value.field)
    at = value.end
  }
  return groups.length > 0 ? undefined : fields
}

const START_GROUP = 3
const END_GROUP = 4

interface Tag {
  readonly number: number
  readonly wire: number
  readonly end: number
}

function tagAt(bytes: Buffer, at: number): Tag | undefined {
  let value = 0
  for (let i = 0; i < MAX_TAG_BYTES; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    const number = Math.floor(value / 8)
    return number === 0 || value > 0xffffffff
      ? undefined
      : { number, wire: value % 8, end: at + i + 1 }
  }
  return undefined
}

function valueAt(
  bytes: Buffer,
  at: number,
  wire: number,
  number: number,
): { readonly field: ProtoField; readonly end: number } | undefined {
  switch (wire) {
    case 0: {
      const varint = varintAt(bytes, at)
      if (varint === undefined) return undefined
      return { field: { kind: 'varint', number, value: varint.value }, end: varint.end }
    }
    case 1:
      return pieceAt(bytes, at, at + 8, { kind: 'fixed64', number })
    case 2: {
      const length = varintAt(bytes, at)
      if (length === undefined || length.value > bytes.length) return undefined
      const end = length.end + Number(length.value)
      return pieceAt(bytes, length.end, end, { kind: 'bytes', number })
    }
    case 5:
      return pieceAt(bytes, at, at + 4, { kind: 'fixed32', number })
    default:
      return undefined
  }
}

function pieceAt(
  bytes: Buffer,
  at: number,
  end: number,
  field: { readonly kind: 'fixed32' | 'fixed64' | 'bytes'; readonly number: number },
): { readonly field: ProtoField; readonly end: number } | undefined {
  if (end > bytes.length) return undefined
  return { field: { ...field, bytes: bytes.subarray(at, end) }, end }
}

/**
 * The number (64 bits, in at most ten bytes) that begins there, and where it ends;
 * undefined: it has no end.
 */
export function varintAt(
  bytes: Buffer,
  at: number,
): { readonly value: bigint; readonly end: number } | undefined {
  let low = 0
  let value = 0n
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    // Up to 49 bits are exact as they are, which most are.
    if (i < 7) low += (byte & 0x7f) * 2 ** (7 * i)
    else value += BigInt(byte & 0x7f) << BigInt(7 * i)
    if (byte < 0x80)
      return { value: BigInt.asUintN(64, value + BigInt(low)), end: at + i + 1 }
  }
  return undefined
}
