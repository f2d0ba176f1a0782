/** Ranges of numbers, and numbers at random that stay the same within one evaluation. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { t } from '../type-spec.js'
import { numberFromBigInt } from '../value.js'
import type { Value } from '../value.js'
import { bigIntAt, define, int64At, refuse, refuseWork, stringAt } from './define.js'

/** Members that a range may have, whatever the step budget. */
export const maxRangeLength = 1_000_000

type Range = { from: bigint; to: bigint; step: bigint }

function range({ from, to, step }: Range, context: BuiltinContext): Value {
  const distance = from <= to ? to - from : from - to
  const length = distance / step + 1n
  if (length > BigInt(maxRangeLength))
    refuseWork(`range is over the limit of ${maxRangeLength} numbers`)
  context.step(Number(length))
  const by = from <= to ? step : -step
  const numbers: Value[] = []
  for (let next = from; numbers.length < Number(length); next += by)
    numbers.push(numberFromBigInt(next))
  return numbers
}

function rangeStep(args: readonly Value[], context: BuiltinContext): Value {
  const [from, to, step] = [bigIntAt(args, 0), bigIntAt(args, 1), bigIntAt(args, 2)]
  if (step <= 0n) refuse('numbers.range_step: step must be a positive integer')
  return range({ from, to, step }, context)
}

function randomInteger(args: readonly Value[], context: BuiltinContext): Value {
  const seed = stringAt(args, 0)
  const limit = int64At(args, 1)
  const size = limit < 0n ? -limit : limit
  if (size === 0n) return 0
  const name = `rand.intn ${size} ${seed}`
  const known = context.cache.get(name)
  if (typeof known === 'number' || typeof known === 'bigint') return known
  // 53 bits of chance: evenly spread for every limit that a policy has a use for.
  const chosen = numberFromBigInt(
    (size * BigInt(Math.floor(context.random() * 2 ** 53))) >> 53n,
  )
  context.cache.set(name, chosen)
  return chosen
}

const numbersType = t.array(t.number)

export const numbers: readonly Builtin[] = [
  define('numbers.range', [t.number, t.number], numbersType, (args, context) =>
    range({ from: bigIntAt(args, 0), to: bigIntAt(args, 1), step: 1n }, context),
  ),
  define('numbers.range_step', [t.number, t.number, t.number], numbersType, rangeStep),
  {
    ...define('rand.intn', [t.string, t.number], t.number, randomInteger),
    nondeterministic: true,
  },
]
