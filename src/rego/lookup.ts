/** Looking into values by key, as references do. */
import { integerOf, isRegoNumber, RegoObject, RegoSet } from './value.js'
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
