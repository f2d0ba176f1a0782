/** Counting, adding up, ordering; membership (`in`) and comparison. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import {
  RegoObject,
  RegoSet,
  compare,
  equal,
  integerOf,
  isArray,
  isRegoNumber,
} from '../value.js'
import type { RegoNumber, Value } from '../value.js'
import { plus, times } from './arithmetic.js'
import { add, floatOf, floatToNumber, multiplyDouble } from './big-float.js'
import type { BigFloat } from './big-float.js'
import { define, membersOf, refuseElement, refuseType, valueAt } from './define.js'
import { codePoints } from './code-points.js'

function count(args: readonly Value[]): Value {
  const value = valueAt(args, 0)
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size
  if (isArray(value)) return value.length
  return refuseType(1, value, 'array', 'object', 'set', 'string')
}

function collection(args: readonly Value[]): readonly Value[] {
  const value = valueAt(args, 0)
  return membersOf(value) ?? refuseType(1, value, 'set', 'array')
}

type Fold = {
  start: number
  exact: (a: RegoNumber, b: RegoNumber) => RegoNumber
  float: (a: BigFloat, b: BigFloat) => BigFloat
}

/** Exact while all members are integers; otherwise all of it in floating point. */
function fold({ start, exact, float }: Fold) {
  return (args: readonly Value[]): Value => {
    const members = collection(args)
    const whole = valueAt(args, 0)
    const numbers = members.map((element) =>
      isRegoNumber(element)
        ? element
        : refuseElement(1, { collection: whole, element }, 'number'),
    )
    if (numbers.every((number) => integerOf(number) !== undefined))
      return numbers.reduce<RegoNumber>(exact, start)
    return floatToNumber(
      numbers.reduce((sum, number) => float(sum, floatOf(number)), floatOf(start)),
    )
  }
}

/** The member that no other comes after (`direction` 1) or before (-1). */
function extreme(direction: 1 | -1) {
  return (args: readonly Value[]): Value | undefined => {
    const members = collection(args)
    let best = members[0]
    for (const member of members)
      if (best !== undefined && compare(member, best) * direction >= 0) best = member
    return best
  }
}

function allOrAny(args: readonly Value[]): readonly Value[] {
  const value = valueAt(args, 0)
  return membersOf(value) ?? refuseType(1, value, 'array', 'set')
}

function member(args: readonly Value[]): Value {
  const value = valueAt(args, 0)
  const whole = valueAt(args, 1)
  if (whole instanceof RegoSet) return whole.has(value)
  if (whole instanceof RegoObject)
    return whole.values().some((element) => equal(element, value))
  return isArray(whole) && whole.some((element) => equal(element, value))
}

function memberWithKey(args: readonly Value[]): Value {
  const key = valueAt(args, 0)
  const value = valueAt(args, 1)
  const whole = valueAt(args, 2)
  if (whole instanceof RegoSet) return whole.has(key) && equal(key, value)
  const found = elementAt(whole, key)
  return found !== undefined && equal(found, value)
}

function elementAt(whole: Value, key: Value): Value | undefined {
  if (whole instanceof RegoObject) return whole.get(key)
  if (!isArray(whole) || !isRegoNumber(key)) return undefined
  const index = integerOf(key)
  return index === undefined ? undefined : whole[Number(index)]
}

const anyTwo = [t.any, t.any] as const
const numbers = t.oneOf(t.set(t.number), t.array(t.number))
const several = t.oneOf(t.set(), t.array())

function ordered(name: string, holds: (order: number) => boolean): Builtin {
  return define(name, anyTwo, t.boolean, (args) =>
    holds(compare(valueAt(args, 0), valueAt(args, 1))),
  )
}

export const aggregates: readonly Builtin[] = [
  ordered('equal', (order) => order === 0),
  ordered('neq', (order) => order !== 0),
  ordered('lt', (order) => order < 0),
  ordered('lte', (order) => order <= 0),
  ordered('gt', (order) => order > 0),
  ordered('gte', (order) => order >= 0),
  define('internal.member_2', anyTwo, t.boolean, member),
  define('internal.member_3', [t.any, t.any, t.any], t.boolean, memberWithKey),
  define('count', [t.oneOf(t.set(), t.array(), t.object(), t.string)], t.number, count),
  define('sum', [numbers], t.number, fold({ start: 0, exact: plus, float: add })),
  define(
    'product',
    [numbers],
    t.number,
    fold({ start: 1, exact: times, float: multiplyDouble }),
  ),
  define('max', [several], t.any, extreme(1)),
  define('min', [several], t.any, extreme(-1)),
  define('sort', [several], t.array(), (args) => [...collection(args)].sort(compare)),
  define('all', [several], t.boolean, (args) =>
    allOrAny(args).every((value) => value === true),
  ),
  define('any', [several], t.boolean, (args) =>
    allOrAny(args).some((value) => value === true),
  ),
]
