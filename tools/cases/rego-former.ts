/**
 * Built-ins as OPA had them before it mended them, so that a recorded case can be told from a
 * wrong answer. `graph.reachable_paths` until 1.16 kept one set of visited nodes for all
 * branches below a start, and so lost or ran together paths through a node that another branch
 * had reached (its issues 5871 and 6128).
 */
import { isArray, keyOf, RegoObject, RegoSet, SetBuilder } from '@yori/rego'
import type { Builtin, BuiltinContext, Key, Value } from '@yori/rego'

type Search = {
  readonly graph: RegoObject
  readonly paths: SetBuilder
  readonly context: BuiltinContext
}

function membersOf(value: Value): readonly Value[] {
  if (isArray(value)) return value
  return value instanceof RegoSet ? value.values() : []
}

function follow(
  search: Search,
  node: Value,
  path: readonly Value[],
  reached: Set<Key>,
): void {
  search.context.step(1)
  const edges = search.graph.get(node)
  const longer = edges === undefined ? path : [...path, node]
  const neighbours = edges === undefined ? [] : membersOf(edges)
  if (neighbours.length === 0) search.paths.add(longer)
  const kept: Value[] = []
  for (const neighbour of neighbours) {
    if (reached.has(keyOf(neighbour))) {
      kept.push(...longer)
      search.paths.add([...kept])
    } else {
      reached.add(keyOf(node))
      follow(search, neighbour, longer, reached)
    }
  }
}

function formerPaths(args: readonly Value[], context: BuiltinContext): Value | undefined {
  const [graph, starts] = args
  if (!(graph instanceof RegoObject) || starts === undefined) return undefined
  const search: Search = { graph, paths: new SetBuilder(), context }
  for (const node of membersOf(starts)) {
    const edges = graph.get(node)
    if (edges === undefined) continue
    const neighbours = membersOf(edges)
    if (neighbours.length === 0) search.paths.add([node])
    for (const neighbour of neighbours) {
      follow(search, neighbour, [node], new Set([keyOf(node)]))
    }
  }
  return search.paths.build()
}

const any = { kind: 'any' } as const

export const formerBuiltins: readonly Builtin[] = [
  {
    name: 'graph.reachable_paths',
    arity: 2,
    args: [any, any],
    result: any,
    evaluate: formerPaths,
  },
]
