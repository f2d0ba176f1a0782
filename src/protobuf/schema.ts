/**
 * Descriptions of messages of Protocol Buffers, and a message as the JSON that it has by them
 * (protobuf.dev/programming-guides/json). What a description does not know is kept, so that
 * somebody can look at it. Which services there are is for others. Pure; rests as it goes.
 */
import type { Resting } from '../core/resting.js'
import { fieldsOf, varintAt } from './wire.js'
import type { FieldCount, ProtoField } from './wire.js'

interface FieldType {
  readonly name: string
  /** A scalar, `Struct`, `Value`, or a message or an enum of the same descriptions. */
  readonly type: string
  readonly isList: boolean
  readonly isMap: boolean
}

/** Descriptions of messages: their fields by number, by the name of each message. */
export interface ProtoSchema {
  readonly messages: ReadonlyMap<string, ReadonlyMap<number, FieldType>>
  /** Names by number; an empty one is told as nothing. */
  readonly enums: ReadonlyMap<string, readonly string[]>
}

const MESSAGE = /^\s*(\w+):\s*([^]*)$/
const FIELD = /^(\d+) (\w+) (\w+)([*%]?)$/

/**
 * `Name: 1 field type, 2 field type*`, each message from a line of its own; `*` is repeated,
 * `%` a map by names.
 * @throws Error where the text is none
 */
export function protoSchema(
  text: string,
  enums: Readonly<Record<string, readonly string[]>> = {},
): ProtoSchema {
  const messages = new Map<string, ReadonlyMap<number, FieldType>>()
  for (const part of text.split(/\n(?=\s*\w+:)/)) {
    if (part.trim() === '') continue
    const [, message, list = ''] = MESSAGE.exec(part) ?? []
    if (message === undefined) throw new Error(`no message: ${part}`)
    const fields = list.trim() === '' ? [] : list.trim().split(/,\s*/)
    messages.set(message, new Map(fields.map(fieldOf)))
  }
  return { messages, enums: new Map(Object.entries(enums)) }
}

function fieldOf(text: string): [number, FieldType] {
  const [, number, name, type, mark] = FIELD.exec(text) ?? []
  if (name === undefined || type === undefined) throw new Error(`no field: ${text}`)
  return [Number(number), { name, type, isList: mark === '*', isMap: mark === '%' }]
}

/** What one message may hold to be read. */
export interface ProtoLimits {
  /** Messages inside of one another, the first included. */
  readonly maxDepth: number
  /** Fields, in all messages together. */
  readonly maxFields: number
}

export type ProtoJson =
  | { readonly kind: 'whole'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'over-limit'; readonly limit: 'depth' | 'values' }

type Fields = readonly ProtoField[]

interface ReadOptions {
  readonly limits: ProtoLimits
  /** What is given of fields that are not known. */
  readonly ofUnknown: (fields: Fields, count: FieldCount) => Resting<unknown>
}

/**
 * One message, in the names that the description has. Fields that it does not know, or of
 * another form than it says, are given where they stand as `unknown_fields`. Throws
 * nothing of what is in `bytes`: see `ProtoJson`.
 */
export function* protoJson(
  schema: ProtoSchema,
  type: string,
  bytes: Buffer,
  options: ReadOptions,
): Resting<ProtoJson> {
  const reader = new Reader(schema, options)
  try {
    const value = yield* reader.message(type, bytes, 1)
    return value === undefined ? { kind: 'invalid' } : { kind: 'whole', value }
  } catch (cause) {
    if (cause instanceof OverLimit) return { kind: 'over-limit', limit: cause.limit }
    throw cause
  }
}

class OverLimit extends Error {
  readonly limit: 'depth' | 'values'

  constructor(limit: 'depth' | 'values') {
    super(limit)
    this.limit = limit
  }
}

type Json = Record<string, unknown>

class Reader {
  readonly #schema: ProtoSchema
  readonly #maxDepth: number
  readonly #count: FieldCount
  readonly #ofUnknown: (fields: Fields, count: FieldCount) => Resting<unknown>

  constructor(schema: ProtoSchema, { limits, ofUnknown }: ReadOptions) {
    this.#schema = schema
    this.#maxDepth = limits.maxDepth
    this.#count = { left: limits.maxFields }
    this.#ofUnknown = ofUnknown
  }

  *message(type: string, bytes: Buffer, depth: number): Resting<Json | undefined> {
    if (depth > this.#maxDepth) throw new OverLimit('depth')
    const fields = yield* fieldsOf(bytes, this.#count)
    if (fields === undefined) return undefined
    if (fields === 'too-many') throw new OverLimit('values')
    if (type === 'Struct') return yield* this.#struct(fields, depth)
    const known = this.#schema.messages.get(type)
    const value: Json = {}
    const unknown: ProtoField[] = []
    for (const field of fields) {
      const as = known?.get(field.number)
      const before = as === undefined ? undefined : value[as.name]
      const single = as !== undefined && !as.isList && !as.isMap
      // Of several, the last counts, and the others are looked at.
      if (single && typeof before === 'string')
        unknown.push({ kind: 'bytes', number: field.number, bytes: Buffer.from(before) })
      if (as === undefined || !(yield* this.#field(value, as, field, depth)))
        unknown.push(field)
    }
    if (unknown.length > 0) {
      const other = yield* this.#ofUnknown(unknown, this.#count)
      if (this.#count.left < 0) throw new OverLimit('values')
      value.unknown_fields = other
    }
    return value
  }

  /** False: it is of another form than its description. */
  *#field(
    value: Json,
    as: FieldType,
    field: ProtoField,
    depth: number,
  ): Resting<boolean> {
    const { name, type } = as
    if (as.isMap) {
      const entry = yield* this.#entry(type, field, depth)
      if (entry === undefined) return false
      const map = (value[name] ??= {}) as Json
      // Of two of one name one counts, and both are looked at.
      if (Object.hasOwn(map, entry.key)) return false
      put(map, entry.key, entry.value)
      return true
    }
    const numbers = as.isList ? packed(type, field) : undefined
    const one = numbers === undefined ? yield* this.#value(type, field, depth) : undefined
    if (numbers === undefined && one === undefined) return false
    if (!as.isList) {
      const before = value[name]
      // Parts of one message are one message.
      value[name] = isJson(before) && isJson(one) ? merged(before, one) : one
      return true
    }
    const list = (value[name] ??= []) as unknown[]
    for (const item of numbers ?? [one]) list.push(item)
    return true
  }

  *#value(type: string, field: ProtoField, depth: number): Resting<unknown> {
    const scalar = scalarOf(type, field)
    if (scalar !== undefined) return scalar
    const names = this.#schema.enums.get(type)
    if (names !== undefined) {
      if (field.kind !== 'varint') return undefined
      const number = Number(field.value)
      return names[number] ?? number
    }
    if (field.kind !== 'bytes') return undefined
    if (type === 'Value') return yield* this.#any(field.bytes, depth)
    if (type !== 'Struct' && !this.#schema.messages.has(type)) return undefined
    return yield* this.message(type, field.bytes, depth + 1)
  }

  *#entry(
    type: string,
    field: ProtoField,
    depth: number,
  ): Resting<{ readonly key: string; readonly value: unknown } | undefined> {
    if (field.kind !== 'bytes') return undefined
    const fields = yield* fieldsOf(field.bytes, this.#count)
    if (fields === 'too-many') throw new OverLimit('values')
    if (fields?.some(({ number }) => number > 2) !== false) return undefined
    const key = fields.findLast(({ number }) => number === 1)
    const held = fields.findLast(({ number }) => number === 2)
    const name = key === undefined ? '' : scalarOf('string', key)
    if (typeof name !== 'string') return undefined
    const value = held === undefined ? null : yield* this.#value(type, held, depth)
    return value === undefined ? undefined : { key: name, value }
  }

  /** google.protobuf.Struct: any object of JSON. */
  *#struct(fields: Fields, depth: number): Resting<Json | undefined> {
    const value: Json = {}
    for (const field of fields) {
      const entry =
        field.number === 1 ? yield* this.#entry('Value', field, depth) : undefined
      if (entry === undefined || Object.hasOwn(value, entry.key)) return undefined
      put(value, entry.key, entry.value)
    }
    return value
  }

  /** google.protobuf.Value: any value of JSON. */
  *#any(bytes: Buffer, depth: number): Resting<unknown> {
    if (depth > this.#maxDepth) throw new OverLimit('depth')
    const fields = yield* fieldsOf(bytes, this.#count)
    if (fields === 'too-many') throw new OverLimit('values')
    const field = fields?.at(-1)
    if (fields === undefined || fields.length > 1) return undefined
    switch (field?.number) {
      case undefined:
      case 1:
        return null
      case 2:
        return scalarOf('double', field)
      case 3:
        return scalarOf('string', field)
      case 4:
        return scalarOf('bool', field)
      case 5:
        return yield* this.#value('Struct', field, depth + 1)
      case 6:
        return yield* this.#items(field, depth + 1)
      default:
        return undefined
    }
  }

  *#items(field: ProtoField, depth: number): Resting<unknown[] | undefined> {
    if (field.kind !== 'bytes') return undefined
    const fields = yield* fieldsOf(field.bytes, this.#count)
    if (fields === 'too-many') throw new OverLimit('values')
    const items: unknown[] = []
    for (const item of fields ?? [undefined]) {
      const isItem = item?.kind === 'bytes' && item.number === 1
      const value = isItem ? yield* this.#any(item.bytes, depth + 1) : undefined
      if (value === undefined) return undefined
      items.push(value)
    }
    return items
  }
}

/** An own property, whatever its name. */
function put(value: Json, key: string, item: unknown): void {
  Object.defineProperty(value, key, {
    ...{ value: item, writable: true, enumerable: true, configurable: true },
  })
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function merged(before: Json, after: Json): Json {
  const value: Json = { ...before }
  const lost: unknown[] = []
  for (const [name, item] of Object.entries(after)) {
    const old = value[name]
    if (typeof old === 'string' && old !== item) lost.push(old)
    if (Array.isArray(old) && Array.isArray(item))
      put(value, name, [...(old as unknown[]), ...(item as unknown[])])
    else put(value, name, isJson(old) && isJson(item) ? merged(old, item) : item)
  }
  if (lost.length > 0) value.unknown_fields = [value.unknown_fields ?? '', ...lost]
  return value
}

/** By the JSON mapping: bytes are base64, and whole numbers that are not exact are texts. */
function scalarOf(type: string, field: ProtoField): unknown {
  switch (type) {
    case 'string':
      return field.kind === 'bytes' ? field.bytes.toString() : undefined
    case 'bytes':
      return field.kind === 'bytes' ? field.bytes.toString('base64') : undefined
    case 'bool':
      return field.kind === 'varint' ? field.value !== 0n : undefined
    case 'int':
      return field.kind === 'varint' ? wholeNumber(field.value) : undefined
    case 'double':
      return field.kind === 'fixed64' ? field.bytes.readDoubleLE() : undefined
    case 'float':
      return field.kind === 'fixed32' ? field.bytes.readFloatLE() : undefined
    default:
      return undefined
  }
}

function wholeNumber(value: bigint): number | string {
  const signed = BigInt.asIntN(64, value)
  const number = Number(signed)
  return Number.isSafeInteger(number) ? number : String(signed)
}

/** More numbers than that say nothing to whom they would be shown. */
const MAX_PACKED_BYTES = 4096

/** Numbers of a list, one behind the other in one field. */
function packed(type: string, field: ProtoField): unknown[] | undefined {
  if (field.kind !== 'bytes' || field.bytes.length > MAX_PACKED_BYTES) return undefined
  const { bytes } = field
  const size = type === 'double' ? 8 : type === 'float' ? 4 : 0
  if (size > 0) {
    if (bytes.length % size !== 0) return undefined
    return Array.from({ length: bytes.length / size }, (_, i) =>
      size === 8 ? bytes.readDoubleLE(i * 8) : bytes.readFloatLE(i * 4),
    )
  }
  if (type !== 'int' && type !== 'bool') return undefined
  const numbers: unknown[] = []
  for (let at = 0; at < bytes.length;) {
    const varint = varintAt(bytes, at)
    if (varint === undefined) return undefined
    numbers.push(type === 'bool' ? varint.value !== 0n : wholeNumber(varint.value))
    at = varint.end
  }
  return numbers
}
