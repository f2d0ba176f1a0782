/** Looking into values, and into base data, by key, as references do. */
import { integerOf, isRegoNumber, numberToText, RegoObject, RegoSet } from './value.js'
import type { Value } from './value.js'

/** `collection[key]`; undefined where there is nothing, or nothing to look into. */
export function member(collection: Value, key: Value): Value | undefined {
  if (collection instanceof RegoObject) return collection.get(key)
  if (Array.isArray(collection)) {
    if (typeof key === 'number') return (collection as readonly Value[])[key]
    const index = isRegoNumber(key) ? integerOf(key) : undefined
    return index === undefined ? undefined : (collection as Value[])[Number(index)]
  }
  return collection instanceof RegoSet ? collection.get(key) : undefined
}

/**
 * `collection[key]` in base data. There a path is a list of texts, as in OPA's store: a number
 * finds the member whose key is its text (`data[2]` in `{"2": ...}`), and text that is an
 * integer finds a member of an array. Booleans and null find nothing, nor do collections.
 */
export function baseMember(collection: Value, key: Value): Value | undefined {
  const exact = member(collection, key)
  if (exact !== undefined) return exact
  if (collection instanceof RegoObject) {
    return isRegoNumber(key) ? collection.get(numberToText(key)) : undefined
  }
  if (!Array.isArray(collection) || typeof key !== 'string') return undefined
  return INTEGER.test(key) ? (collection as readonly Value[])[Number(key)] : undefined
}

const INTEGER = /^[+-]?[0-9]+$/

/** Calls `each` with every key and value until it says true. */
export function someMember(
  collection: Value,
  each: (key: Value, value: Value) => boolean,
): boolean {
  if (Array.isArray(collection)) {
    for (let i = 0; i < collection.length; i++) {
      if (each(i, (collection as readonly Value[])[i] as Value)) return true
    }
  } else if (collection instanceof RegoObject) {
    for (const key of collection.keys()) {
      if (each(key, collection.get(key) as Value)) return true
    }
  } else if (collection instanceof RegoSet) {
    for (const value of collection.values()) if (each(value, value)) return true
  }
  return false
}
