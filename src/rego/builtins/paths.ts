/**
 * Paths into values: JSON pointers as text (RFC 6901, where the leading slash may be missing) or
 * arrays of keys; and the tree of several paths, by which `json.filter` and `json.remove` work.
 */
import {
  RegoObject,
  RegoSet,
  isArray,
  keyOf,
  objectOf,
  setOf,
  typeName,
} from '../value.js'
import type { Key, Value } from '../value.js'
import { membersOf, refuseOperand, refuseType, valueAt } from './define.js'

/** One path; undefined when the value is none. */
export function pathOf(value: Value): readonly Value[] | undefined {
  if (isArray(value)) return value
  if (typeof value !== 'string') return undefined
  if (value === '') return []
  let start = 0
  while (value[start] === '/') start++
  return value
    .slice(start)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Keys below a place; `undefined` where a path ends. */
export type PathTree = ReadonlyMap<Key, PathTree | undefined>

type Growing = Map<Key, Growing | undefined>

/** The second operand of `json.filter` and `json.remove`. A path covers all longer ones. */
export function pathsAt(args: readonly Value[], index: number): PathTree {
  const value = valueAt(args, index)
  const members = membersOf(value) ?? refuseType(index + 1, value, 'set', 'array')
  const root: Growing = new Map()
  for (const member of members) {
    const path = pathOf(member)
    if (path === undefined)
      refuseOperand(
        index + 1,
        'must be one of {set, array} containing string paths or array of path segments ' +
          `but got ${typeName(member)}`,
      )
    plant(root, path)
  }
  return root
}

function plant(root: Growing, path: readonly Value[]): void {
  let node = root
  for (const [index, segment] of path.entries()) {
    const key = keyOf(segment)
    if (index === path.length - 1) {
      node.set(key, undefined)
      return
    }
    let next = node.get(key)
    if (next === undefined) {
      if (node.has(key)) return
      next = new Map()
      node.set(key, next)
    }
    node = next
  }
}

/** What the paths lead to. Members of arrays go by the text of their index. */
export function filterValue(value: Value, tree: PathTree | undefined): Value {
  if (tree === undefined) return value
  if (isArray(value))
    return value.flatMap((member, index) =>
      tree.has(String(index)) ? [filterValue(member, tree.get(String(index)))] : [],
    )
  if (value instanceof RegoSet)
    return setOf(
      value
        .values()
        .filter((member) => tree.has(keyOf(member)))
        .map((member) => filterValue(member, tree.get(keyOf(member)))),
    )
  if (!(value instanceof RegoObject)) return value
  const kept: [Value, Value][] = []
  for (const [key, member] of value.entries())
    if (tree.has(keyOf(key))) kept.push([key, filterValue(member, tree.get(keyOf(key)))])
  return objectOf(kept)
}

/** All but what the paths lead to. */
export function removePaths(value: Value, tree: PathTree): Value {
  if (isArray(value))
    return value.flatMap((member, index) => without(member, String(index), tree))
  if (value instanceof RegoSet)
    return setOf(value.values().flatMap((member) => without(member, keyOf(member), tree)))
  if (!(value instanceof RegoObject)) return value
  const kept: [Value, Value][] = []
  for (const [key, member] of value.entries())
    for (const left of without(member, keyOf(key), tree)) kept.push([key, left])
  return objectOf(kept)
}

/** The member without what lies below it, or nothing when a path ends at it. */
function without(member: Value, key: Key, tree: PathTree): readonly Value[] {
  const below = tree.get(key)
  if (below !== undefined) return [removePaths(member, below)]
  return tree.has(key) ? [] : [member]
}
