/**
 * JSON Patch (RFC 6902) on Rego values: sets too, where a member is its own key, and paths that
 * are arrays of keys. All operations or none: any that fails makes the result undefined.
 */
import {
  RegoObject,
  RegoSet,
  equal,
  isArray,
  isRegoNumber,
  objectOf,
  setOf,
} from '../value.js'
import type { RegoArray, Value } from '../value.js'
import { int64Of } from './define.js'
import { pathOf } from './paths.js'

/** An operation that cannot be applied; never leaves this module. */
class NotApplicable extends Error {}

type Path = readonly Value[]

export function applyPatch(document: Value, operations: RegoArray): Value | undefined {
  try {
    return operations.reduce(apply, document)
  } catch (cause) {
    if (cause instanceof NotApplicable) return undefined
    throw cause
  }
}

function apply(document: Value, operation: Value): Value {
  if (!(operation instanceof RegoObject)) throw new NotApplicable()
  const path = pathMember(operation, 'path')
  switch (operation.get('op')) {
    case 'add':
      return insert(document, path, member(operation, 'value'))
    case 'remove':
      return remove(document, path)
    case 'replace':
      return replace(document, path, member(operation, 'value'))
    case 'move': {
      const from = pathMember(operation, 'from')
      return insert(removeBeforeMove(document, from), path, find(document, from))
    }
    case 'copy':
      return insert(document, path, find(document, pathMember(operation, 'from')))
    case 'test':
      if (equal(find(document, path), member(operation, 'value'))) return document
      throw new NotApplicable()
    default:
      throw new NotApplicable()
  }
}

function member(operation: RegoObject, name: string): Value {
  const value = operation.get(name)
  if (value === undefined) throw new NotApplicable()
  return value
}

function pathMember(operation: RegoObject, name: string): Path {
  const path = pathOf(member(operation, name))
  if (path === undefined) throw new NotApplicable()
  return path
}

function find(document: Value, path: Path): Value {
  let value = document
  for (const key of path) value = childOf(value, key)
  return value
}

function childOf(value: Value, key: Value): Value {
  let child: Value | undefined
  if (isArray(value)) child = value[indexIn(value, key)]
  else if (value instanceof RegoObject || value instanceof RegoSet) child = value.get(key)
  if (child === undefined) throw new NotApplicable()
  return child
}

/** The document with one place changed by `change`, which gets the collection and the key. */
function edit(
  document: Value,
  path: Path,
  change: (collection: Value, key: Value) => Value,
): Value {
  const [key, ...rest] = path
  if (key === undefined) throw new NotApplicable()
  if (rest.length === 0) return change(document, key)
  const child = edit(childOf(document, key), rest, change)
  if (isArray(document)) return document.with(indexIn(document, key), child)
  if (document instanceof RegoObject) return objectOf([...document, [key, child]])
  if (document instanceof RegoSet) return setOf([...leaveOut(document, key), child])
  throw new NotApplicable()
}

function insert(document: Value, path: Path, value: Value): Value {
  if (path.length === 0) return value
  return edit(document, path, (collection, key) => {
    if (isArray(collection)) {
      const index = indexIn(collection, key)
      if (index < 0 || index > collection.length) throw new NotApplicable()
      return collection.toSpliced(index, 0, value)
    }
    if (collection instanceof RegoObject) return objectOf([...collection, [key, value]])
    if (collection instanceof RegoSet && equal(key, value))
      return setOf([...collection, value])
    throw new NotApplicable()
  })
}

function remove(document: Value, path: Path): Value {
  return edit(document, path, (collection, key) => {
    childOf(collection, key)
    if (isArray(collection)) return collection.toSpliced(indexIn(collection, key), 1)
    if (collection instanceof RegoObject)
      return objectOf([...collection].filter(([other]) => !equal(other, key)))
    if (collection instanceof RegoSet) return setOf(leaveOut(collection, key))
    throw new NotApplicable()
  })
}

function replace(document: Value, path: Path, value: Value): Value {
  return path.length === 0 ? value : insert(remove(document, path), path, value)
}

/** Moving the whole document leaves nothing that could hold it, unless it moves onto itself. */
function removeBeforeMove(document: Value, from: Path): Value {
  return from.length === 0 ? null : remove(document, from)
}

function leaveOut(set: RegoSet, member: Value): readonly Value[] {
  return set.values().filter((other) => !equal(other, member))
}

/** `-` is the place behind the last; leading zeros are no index (RFC 6901 §4). */
function indexIn(array: RegoArray, key: Value): number {
  if (isRegoNumber(key)) {
    const index = int64Of(key)
    if (index !== undefined) return Number(index)
  } else if (key === '-') {
    return array.length
  } else if (typeof key === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(key)) {
    return Number(key)
  }
  throw new NotApplicable()
}
