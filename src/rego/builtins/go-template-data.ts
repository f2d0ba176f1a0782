/**
 * Values in Go's templates. Numbers of the data are text, as in Go, where they are json.Number;
 * what is missing prints as `<undefined>`.
 */
import { RegoObject, RegoSet, isArray, isRegoNumber, numberToText } from '../value.js'
import type { Value } from '../value.js'
import { refuse } from './define.js'
import type { GoValue } from './go-format-spec.js'
import { sprintf } from './go-format.js'

/** A value of the data, or a literal; JavaScript numbers are literals only. */
export type Data = Value | undefined

/** Numbers become their text. */
export function dataOf(value: Data): Data {
  return value !== undefined && isRegoNumber(value) ? numberToText(value) : value
}

export function membersOf(value: Data): readonly (readonly [Data, Data])[] {
  if (value === undefined || value === null) return []
  const list = value instanceof RegoSet ? value.values() : value
  if (isArray(list)) return list.map((member, index) => [index, dataOf(member)])
  if (value instanceof RegoObject)
    return [...value.entries()].map(([key, member]) => [dataOf(key), dataOf(member)])
  if (typeof value === 'number')
    return refuse('template: template:1: range over a number is not supported')
  return refuse(`template: template:1: range can't iterate over ${shown(value)}`)
}

export function holds(value: Data): boolean {
  if (value === undefined || value === null || value === false) return false
  if (value === '' || value === 0) return false
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size > 0
  return !isArray(value) || value.length > 0
}

/** As Go's `%v`. */
export function shown(value: Data): string {
  if (value === undefined || value === null) return '<undefined>'
  if (typeof value === 'string') return value
  if (isRegoNumber(value))
    return typeof value === 'number'
      ? sprintf('%v', [goValue(value)])
      : numberToText(value)
  if (typeof value === 'boolean') return String(value)
  if (value instanceof RegoObject) {
    const members = [...value.entries()].map(
      ([key, member]) => `${shown(dataOf(key))}:${shown(dataOf(member))}`,
    )
    return `map[${members.join(' ')}]`
  }
  const list = value instanceof RegoSet ? value.values() : value
  return `[${list.map((member) => shown(dataOf(member))).join(' ')}]`
}

export function goValue(value: Data): GoValue {
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? { kind: 'int', value: BigInt(value) }
      : { kind: 'float', value }
  return { kind: 'string', value: shown(value) }
}
