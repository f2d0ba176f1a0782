/** Graphs as objects of neighbours, and the walk through a document. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import { RegoObject, RegoSet, SetBuilder, isArray, keyOf } from '../value.js'
import type { Key, Value } from '../value.js'
import { define, membersOf, objectAt, refuseType, valueAt } from './define.js'

function startsAt(args: readonly Value[], index: number): readonly Value[] {
  const value = valueAt(args, index)
  return membersOf(value) ?? refuseType(index + 1, value, '{array, set}')
}

function reachable(args: readonly Value[], context: BuiltinContext): Value {
  const graph = objectAt(args, 0)
  const waiting = [...startsAt(args, 1)]
  const seen = new SetBuilder()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    context.step(1)
    const edges = graph.get(node)
    if (edges === undefined || !seen.add(node)) continue
    waiting.push(...(membersOf(edges) ?? []))
  }
  return seen.build()
}

/** Nodes on one path that a walk may visit, so that it cannot exhaust the stack. */
export const maxPathLength = 1000

type PathSearch = {
  readonly graph: RegoObject
  readonly paths: SetBuilder
  readonly context: BuiltinContext
}

/** A path ends at a node without edges, before one that is not there, or at a circle. */
function followPaths(
  search: PathSearch,
  node: Value,
  path: readonly Value[],
  seen: ReadonlySet<Key>,
): void {
  search.context.step(path.length + 1)
  const edges = search.graph.get(node)
  if (edges === undefined || path.length >= maxPathLength) {
    search.paths.add(path)
    return
  }
  const longer = [...path, node]
  const neighbours = membersOf(edges) ?? []
  if (neighbours.length === 0) search.paths.add(longer)
  const visited = new Set(seen).add(keyOf(node))
  for (const neighbour of neighbours) {
    if (visited.has(keyOf(neighbour))) search.paths.add(longer)
    else followPaths(search, neighbour, longer, visited)
  }
}

function reachablePaths(args: readonly Value[], context: BuiltinContext): Value {
  const graph = objectAt(args, 0)
  const search: PathSearch = { graph, paths: new SetBuilder(), context }
  for (const node of startsAt(args, 1)) {
    const edges = graph.get(node)
    if (edges === undefined) continue
    const neighbours = membersOf(edges) ?? []
    if (neighbours.length === 0) search.paths.add([node])
    for (const neighbour of neighbours)
      followPaths(search, neighbour, [node], new Set([keyOf(node)]))
  }
  return search.paths.build()
}

/** `[path, value]` for the document and for everything in it, outer before inner. */
function walk(args: readonly Value[], context: BuiltinContext): Value {
  const pairs: Value[] = []
  const visit = (path: readonly Value[], value: Value): void => {
    context.step(path.length + 1)
    pairs.push([path, value])
    if (isArray(value)) {
      for (const [index, member] of value.entries()) visit([...path, index], member)
    } else if (value instanceof RegoObject) {
      for (const [key, member] of value.entries()) visit([...path, key], member)
    } else if (value instanceof RegoSet) {
      for (const member of value) visit([...path, member], member)
    }
  }
  visit([], valueAt(args, 0))
  return pairs
}

const several = t.oneOf(t.set(), t.array())
const graphType = t.object(t.any, several)

export const graphs: readonly Builtin[] = [
  define('graph.reachable', [graphType, several], t.set(), reachable),
  define('graph.reachable_paths', [graphType, several], t.set(t.array()), reachablePaths),
  { ...define('walk', [t.any], t.tuple(t.array(), t.any), walk), relation: true },
]
