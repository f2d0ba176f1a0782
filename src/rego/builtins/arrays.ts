/** Arrays and sets as wholes. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import { RegoSet, SetBuilder, isArray, setOf } from '../value.js'
import type { Value } from '../value.js'
import { arrayAt, define, intAt, refuseType, setAt } from './define.js'

function slice(args: readonly Value[]): Value {
  const array = arrayAt(args, 0)
  const from = intAt(args, 1)
  const to = Math.min(Math.max(intAt(args, 2), 0), array.length)
  return array.slice(Math.min(Math.max(from, 0), to), to)
}

/** One level: members that are no arrays stay. */
function flatten(args: readonly Value[]): Value {
  return arrayAt(args, 0).flatMap((member) => (isArray(member) ? member : [member]))
}

function setsAt(args: readonly Value[]): readonly RegoSet[] {
  return setAt(args, 0)
    .values()
    .map((element) =>
      element instanceof RegoSet ? element : refuseType(1, element, 'set'),
    )
}

function both(a: RegoSet, b: RegoSet): RegoSet {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a]
  return setOf(small.values().filter((member) => large.has(member)))
}

function unionOf(sets: readonly RegoSet[]): RegoSet {
  const union = new SetBuilder()
  for (const set of sets) for (const member of set) union.add(member)
  return union.build()
}

function intersectionOf([first, ...others]: readonly RegoSet[]): RegoSet {
  return first === undefined ? RegoSet.empty : others.reduce(both, first)
}

function difference(args: readonly Value[]): Value {
  const without = setAt(args, 1)
  return setOf(
    setAt(args, 0)
      .values()
      .filter((member) => !without.has(member)),
  )
}

const twoSets = [t.set(), t.set()] as const
const manySets = [t.set(t.set())] as const

export const arraysAndSets: readonly Builtin[] = [
  define('array.concat', [t.array(), t.array()], t.array(), (args) => [
    ...arrayAt(args, 0),
    ...arrayAt(args, 1),
  ]),
  define('array.slice', [t.array(), t.number, t.number], t.array(), slice),
  define('array.reverse', [t.array()], t.array(), (args) =>
    [...arrayAt(args, 0)].reverse(),
  ),
  define('array.flatten', [t.array()], t.array(), flatten),
  define('and', twoSets, t.set(), (args) => both(setAt(args, 0), setAt(args, 1))),
  define('or', twoSets, t.set(), (args) => unionOf([setAt(args, 0), setAt(args, 1)])),
  define('set_diff', twoSets, t.set(), difference),
  define('intersection', manySets, t.set(), (args) => intersectionOf(setsAt(args))),
  define('union', manySets, t.set(), (args) => unionOf(setsAt(args))),
]
