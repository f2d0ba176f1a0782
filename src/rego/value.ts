/**
 * The values of Rego and their total order. Immutable; compared by content, never by identity;
 * keys of objects are any value, so `__proto__` is a key like others.
 * Text of values (JSON, Rego) is `text.ts`; numbers are `number.ts`.
 */
import {
  BigDecimal,
  compareNumbers,
  keyOfNumber,
  numberFromBigInt,
  numberFromDouble,
  numberToDouble,
} from './number.js'
import type { RegoNumber } from './number.js'

export {
  BigDecimal,
  compareNumbers,
  decimalOf,
  integerOf,
  isRegoNumber,
  numberFromBigInt,
  numberFromDouble,
  numberFromText,
  numberToDouble,
  numberToText,
} from './number.js'
export type { RegoNumber } from './number.js'

/** Any value of Rego. Numbers are those of `RegoNumber`, arrays are frozen by agreement. */
export type Value =
  null | boolean | string | RegoNumber | RegoArray | RegoObject | RegoSet

export type RegoArray = readonly Value[]

/**
 * The identity of a value in a Map: equal values have equal keys. Strings, doubles, booleans
 * and null are their own key; all others are a text that starts with U+0000 (and a string
 * that itself starts with U+0000 is set apart).
 */
export type Key = null | boolean | number | string

export type TypeName =
  'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'set'

/**
 * Members compared and identified since someone last looked: one comparison can be cheap or
 * walk through all of the input, so evaluation charges for it afterwards.
 */
export const comparing = { units: 0 }

type JsonObject = Readonly<Record<string, unknown>>

/** A map from any value to any value. `get` with a string or a number costs one look-up. */
export class RegoObject {
  /** Values by key; filled on demand while `#raw` is set. */
  readonly #values: Map<Key, Value>
  #keys: Value[] | undefined
  /** JSON not yet converted. */
  readonly #raw: JsonObject | undefined
  #sorted: Value[] | undefined
  #key: string | undefined

  /** Use `ObjectBuilder` or `fromJson`. `keys` in the order of `values`. */
  constructor(values: Map<Key, Value>, keys: Value[] | undefined, raw?: JsonObject) {
    this.#values = values
    this.#keys = keys
    this.#raw = raw
  }

  static readonly empty: RegoObject = new RegoObject(new Map(), [])

  get size(): number {
    return this.#allKeys().length
  }

  get(key: Value): Value | undefined {
    const id = typeof key === 'string' ? keyOfString(key) : keyOf(key)
    const value = this.#values.get(id)
    if (value !== undefined || this.#raw === undefined) return value
    if (typeof key !== 'string' || !Object.hasOwn(this.#raw, key)) return undefined
    const raw = this.#raw[key]
    if (raw === undefined) return undefined
    const converted = fromJson(raw)
    this.#values.set(id, converted)
    return converted
  }

  has(key: Value): boolean {
    return this.get(key) !== undefined
  }

  /** The same object in another identity. */
  twin(): RegoObject {
    return new RegoObject(this.#values, this.#keys, this.#raw)
  }

  /** Keys in Rego's order. */
  keys(): readonly Value[] {
    this.#sorted ??= [...this.#allKeys()].sort(compare)
    return this.#sorted
  }

  /** Values in the order of their keys. */
  values(): Value[] {
    return this.keys().map((key) => this.get(key) as Value)
  }

  /** Key and value pairs in the order of their keys. */
  *entries(): Generator<[Value, Value]> {
    for (const key of this.keys()) yield [key, this.get(key) as Value]
  }

  [Symbol.iterator](): Generator<[Value, Value]> {
    return this.entries()
  }

  /** The identity, computed once. */
  get key(): string {
    if (this.#key === undefined) {
      let key = '\u0000{'
      for (const name of this.keys()) {
        key += `${partOf(name)}:${partOf(this.get(name) as Value)},`
      }
      comparing.units += this.size
      this.#key = key
    }
    return this.#key
  }

  #allKeys(): Value[] {
    if (this.#keys === undefined) {
      const raw = this.#raw ?? {}
      this.#keys = Object.keys(raw).filter((name) => raw[name] !== undefined)
    }
    return this.#keys
  }
}

/** A set of any values. */
export class RegoSet {
  readonly #members: Map<Key, Value>
  #sorted: Value[] | undefined
  #key: string | undefined

  /** Use `SetBuilder`. */
  constructor(members: Map<Key, Value>) {
    this.#members = members
  }

  static readonly empty: RegoSet = new RegoSet(new Map())

  get size(): number {
    return this.#members.size
  }

  has(value: Value): boolean {
    return this.#members.has(keyOf(value))
  }

  /** The member that equals `value`. */
  get(value: Value): Value | undefined {
    return this.#members.get(keyOf(value))
  }

  /** Members in Rego's order. */
  values(): readonly Value[] {
    this.#sorted ??= [...this.#members.values()].sort(compare)
    return this.#sorted
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.values()[Symbol.iterator]()
  }

  /** The identity, computed once. */
  get key(): string {
    this.#key ??= `\u0000<${joined(this.values())}`
    return this.#key
  }
}

/** Collects an object. A key set twice keeps the last value. Not to be used after `build`. */
export class ObjectBuilder {
  readonly #values = new Map<Key, Value>()
  readonly #keys: Value[] = []

  set(key: Value, value: Value): this {
    const id = keyOf(key)
    if (!this.#values.has(id)) this.#keys.push(key)
    this.#values.set(id, value)
    return this
  }

  get(key: Value): Value | undefined {
    return this.#values.get(keyOf(key))
  }

  build(): RegoObject {
    return this.#keys.length === 0
      ? RegoObject.empty
      : new RegoObject(this.#values, this.#keys)
  }
}

/** Collects a set. Not to be used after `build`. */
export class SetBuilder {
  readonly #members = new Map<Key, Value>()

  /** True when the value was new. */
  add(value: Value): boolean {
    const id = keyOf(value)
    if (this.#members.has(id)) return false
    this.#members.set(id, value)
    return true
  }

  build(): RegoSet {
    return this.#members.size === 0 ? RegoSet.empty : new RegoSet(this.#members)
  }
}

/** An object of these entries; of two with one key the last counts. */
export function objectOf(entries: Iterable<readonly [Value, Value]>): RegoObject {
  const builder = new ObjectBuilder()
  for (const [key, value] of entries) builder.set(key, value)
  return builder.build()
}

/** The set of these values. */
export function setOf(values: Iterable<Value>): RegoSet {
  const builder = new SetBuilder()
  for (const value of values) builder.add(value)
  return builder.build()
}

/** Is it an array? (`Array.isArray` does not narrow a readonly one.) */
export function isArray(value: Value): value is RegoArray {
  return Array.isArray(value)
}

/** The name that `type_name` gives. */
export function typeName(value: Value): TypeName {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
    case 'bigint':
      return 'number'
    case 'boolean':
      return 'boolean'
    default:
      if (value === null) return 'null'
      if (value instanceof RegoObject) return 'object'
      if (value instanceof RegoSet) return 'set'
      return value instanceof BigDecimal ? 'number' : 'array'
  }
}

/** The value's identity; what it costs is charged to `comparing`. */
export function keyOf(value: Value): Key {
  switch (typeof value) {
    case 'string':
      return keyOfString(value)
    case 'number':
    case 'boolean':
      return value
    case 'bigint':
      return keyOfNumber(value)
    default:
      if (value === null) return null
      if (value instanceof RegoObject || value instanceof RegoSet) return value.key
      if (value instanceof BigDecimal) return value.key
      return `\u0000[${joined(value)}]`
  }
}

function keyOfString(value: string): string {
  return value.charCodeAt(0) === 0 ? '\u0000s' + value : value
}

function joined(values: readonly Value[]): string {
  let key = ''
  for (let i = 0; i < values.length; i++) key += `${partOf(values[i] as Value)},`
  comparing.units += values.length
  return key
}

/** The identity of a value inside a collection's: strings tell their length, so none can lie. */
function partOf(value: Value): string {
  if (typeof value !== 'string') return String(keyOf(value))
  comparing.units += value.length >> 5
  return `s${value.length}:${value}`
}

/** Equal by content: `1` and `1.0` are, a set and an array never. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' && typeof b !== 'object') return false
  return compare(a, b) === 0
}

/** Rego's total order: null < boolean < number < string < array < object < set. */
export function compare(a: Value, b: Value): number {
  if (a === b) return 0
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  const rankA = rankOf(a)
  const rankB = rankOf(b)
  if (rankA !== rankB) return rankA < rankB ? -1 : 1
  switch (rankA) {
    case 0:
      return 0
    case 1:
      return a === false ? -1 : 1
    case 2:
      return compareNumbers(a as RegoNumber, b as RegoNumber)
    case 4:
      return compareLists(a as RegoArray, b as RegoArray)
    case 5:
      return compareObjects(a as RegoObject, b as RegoObject)
    default:
      return compareLists((a as RegoSet).values(), (b as RegoSet).values())
  }
}

function rankOf(value: Value): number {
  switch (typeof value) {
    case 'boolean':
      return 1
    case 'number':
    case 'bigint':
      return 2
    case 'string':
      return 3
    default:
      if (value === null) return 0
      if (value instanceof RegoObject) return 5
      if (value instanceof RegoSet) return 6
      return value instanceof BigDecimal ? 2 : 4
  }
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    comparing.units++
    const order = compare(a[i] as Value, b[i] as Value)
    if (order !== 0) return order
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

/** Key by key in order: the first key that differs decides, then the first value. */
function compareObjects(a: RegoObject, b: RegoObject): number {
  const keysA = a.keys()
  const keysB = b.keys()
  const shared = Math.min(keysA.length, keysB.length)
  for (let i = 0; i < shared; i++) {
    comparing.units += 2
    const keyA = keysA[i] as Value
    const keyB = keysB[i] as Value
    const order =
      compare(keyA, keyB) || compare(a.get(keyA) as Value, b.get(keyB) as Value)
    if (order !== 0) return order
  }
  return keysA.length === keysB.length ? 0 : keysA.length < keysB.length ? -1 : 1
}

/** By code point, as Go compares UTF-8 bytes; UTF-16 units differ from it at surrogates. */
export function compareStrings(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return surrogatesLast(x) < surrogatesLast(y) ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

function surrogatesLast(unit: number): number {
  if (unit < 0xd800) return unit
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000
}

/**
 * A parsed JSON value (what `JSON.parse` gives) as a Rego value. Objects are converted when
 * they are looked at, so the caller must not change `json` afterwards. `undefined` members
 * are left out; Rego values inside stay as they are. Throws TypeError for what JSON has not
 * (functions, symbols) and RangeError for NaN and infinities.
 */
export function fromJson(json: unknown): Value {
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json
    case 'number':
      return numberFromDouble(json)
    case 'bigint':
      return numberFromBigInt(json)
    case 'object':
      if (json === null) return null
      if (Array.isArray(json)) return json.map(fromJson)
      if (json instanceof RegoObject || json instanceof RegoSet) return json
      if (json instanceof BigDecimal) return json
      return new RegoObject(new Map(), undefined, json as JsonObject)
    default:
      throw new TypeError(`not JSON: ${typeof json}`)
  }
}

/**
 * The value as `JSON.stringify` takes it: sets become arrays in order, keys that are no
 * strings become their JSON text. Numbers become doubles: `toJsonText` keeps their digits.
 */
export function toJson(value: Value): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      return Number(value)
    default:
      if (value === null) return null
      if (value instanceof BigDecimal) return numberToDouble(value)
      if (value instanceof RegoSet) return value.values().map(toJson)
      return value instanceof RegoObject ? objectToJson(value) : value.map(toJson)
  }
}

function objectToJson(object: RegoObject): unknown {
  const json: Record<string, unknown> = {}
  for (const [key, value] of object.entries()) {
    const name = typeof key === 'string' ? key : JSON.stringify(toJson(key))
    // Plain assignment to `__proto__` would set the prototype.
    Object.defineProperty(json, name, {
      value: toJson(value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return json
}
