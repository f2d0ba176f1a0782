/** Objects, and JSON documents addressed by paths. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import {
  RegoObject,
  RegoSet,
  equal,
  integerOf,
  isArray,
  isRegoNumber,
  keyOf,
  objectOf,
  setOf,
} from '../value.js'
import type { RegoArray, Value } from '../value.js'
import {
  Refusal,
  arrayAt,
  define,
  membersOf,
  objectAt,
  refuseElement,
  refuseType,
  valueAt,
} from './define.js'
import { applyPatch } from './json-patch.js'
import { filterValue, pathsAt, removePaths } from './paths.js'

function get(args: readonly Value[]): Value {
  const object = objectAt(args, 0)
  const key = valueAt(args, 1)
  const otherwise = valueAt(args, 2)
  if (!isArray(key)) return object.get(key) ?? otherwise
  let value: Value | undefined = object
  for (const segment of key) value = value === undefined ? value : childOf(value, segment)
  return value ?? otherwise
}

function childOf(value: Value, key: Value): Value | undefined {
  if (value instanceof RegoObject || value instanceof RegoSet) return value.get(key)
  if (!isArray(value) || !isRegoNumber(key)) return undefined
  const index = integerOf(key)
  return index === undefined ? undefined : value[Number(index)]
}

/** The right side wins, save where both are objects: those are joined. */
function union(left: RegoObject, right: RegoObject): RegoObject {
  const joined: [Value, Value][] = [...left.entries()]
  for (const [key, value] of right.entries()) {
    const other = value instanceof RegoObject ? left.get(key) : undefined
    const both = value instanceof RegoObject && other instanceof RegoObject
    joined.push([key, both ? union(other, value) : value])
  }
  return objectOf(joined)
}

function unionOfAll(args: readonly Value[]): Value {
  const collection = arrayAt(args, 0)
  return collection.reduce<RegoObject>(
    (joined, element) =>
      element instanceof RegoObject
        ? union(joined, element)
        : refuseElement(1, { collection, element }, 'object'),
    RegoObject.empty,
  )
}

/** Keys given as an array, a set, or an object that has them. */
function keysAt(args: readonly Value[], index: number): ReadonlySet<unknown> {
  const value = valueAt(args, index)
  const keys =
    value instanceof RegoObject
      ? value.keys()
      : (membersOf(value) ?? refuseType(index + 1, value, 'object', 'set', 'array'))
  return new Set(keys.map(keyOf))
}

/** The object with only those members whose key is among the given ones, or is not. */
function pick(args: readonly Value[], among: boolean): Value {
  const object = objectAt(args, 0)
  const keys = keysAt(args, 1)
  const kept: [Value, Value][] = []
  for (const [key, value] of object.entries())
    if (keys.has(keyOf(key)) === among) kept.push([key, value])
  return objectOf(kept)
}

function isSubset(whole: Value, part: Value): boolean | undefined {
  if (whole instanceof RegoObject && part instanceof RegoObject)
    return [...part.entries()].every(([key, value]) => {
      const other = whole.get(key)
      if (other === undefined) return false
      return equal(other, value) || isSubset(other, value) === true
    })
  if (whole instanceof RegoSet && part instanceof RegoSet)
    return part.values().every((member) => whole.has(member))
  if (!isArray(whole)) return undefined
  if (isArray(part)) return containsRun(whole, part)
  if (part instanceof RegoSet)
    return part.values().every((member) => whole.some((other) => equal(other, member)))
  return undefined
}

/** True when `run` lies in the array, in order and without gaps. */
function containsRun(array: RegoArray, run: RegoArray): boolean {
  for (let start = 0; start + run.length <= array.length; start++)
    if (run.every((member, index) => equal(member, array[start + index] as Value)))
      return true
  return false
}

function subset(args: readonly Value[]): Value {
  const answer = isSubset(valueAt(args, 0), valueAt(args, 1))
  if (answer !== undefined) return answer
  throw new Refusal(
    'both arguments object.subset must be of the same type or array and set',
    'type',
  )
}

const keys = t.oneOf(t.array(), t.set(), t.object())
const path = t.oneOf(t.string, t.array())
const paths = t.oneOf(t.array(path), t.set(path))
const whole = t.oneOf(t.object(), t.set(), t.array())

export const objects: readonly Builtin[] = [
  define('object.get', [t.object(), t.any, t.any], t.any, get),
  define('object.keys', [t.object()], t.set(), (args) => setOf(objectAt(args, 0).keys())),
  define('object.remove', [t.object(), keys], t.any, (args) => pick(args, false)),
  define('object.filter', [t.object(), keys], t.any, (args) => pick(args, true)),
  define('object.subset', [whole, whole], t.any, subset),
  define('object.union', [t.object(), t.object()], t.any, (args) =>
    union(objectAt(args, 0), objectAt(args, 1)),
  ),
  define('object.union_n', [t.array(t.object())], t.any, unionOfAll),
  define('json.filter', [t.object(), paths], t.any, (args) =>
    filterValue(objectAt(args, 0), pathsAt(args, 1)),
  ),
  define('json.remove', [t.object(), paths], t.any, (args) =>
    removePaths(objectAt(args, 0), pathsAt(args, 1)),
  ),
  define('json.patch', [t.any, t.array(t.object())], t.any, (args) =>
    applyPatch(valueAt(args, 0), arrayAt(args, 1)),
  ),
]
