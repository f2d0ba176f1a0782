/** Fields of Protocol Buffers, written, and read where a message comes from a processor. Pure. */
import { atOnce } from '../core/resting.js'
import { fieldsOf } from '../protobuf/wire.js'
import { ProcessorFailure } from './words.js'

/** Of one message. */
const MAX_FIELDS = 1024

export type ProtoValue = number | Buffer

export interface ReadField {
  readonly number: number
  /** Of a varint as far as a number holds it; of all else its bytes. */
  readonly value: ProtoValue
}

/** @throws ProcessorFailure where the bytes are no message */
export function readFields(bytes: Buffer): readonly ReadField[] {
  const fields = atOnce(fieldsOf(bytes, { left: MAX_FIELDS }))
  if (fields === undefined || fields === 'too-many')
    throw new ProcessorFailure('malformed', 'no message of Protocol Buffers')
  return fields.map((field) => ({
    number: field.number,
    value: field.kind === 'varint' ? Number(field.value) : field.bytes,
  }))
}

/** Text, bytes, or a message. */
export function lengthField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  do {
    const low = left % 128
    left = Math.floor(left / 128)
    bytes.push(left > 0 ? low + 128 : low)
  } while (left > 0)
  return Buffer.from(bytes)
}
