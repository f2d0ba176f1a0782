/**
 * `+ - * / %`, rounding and bits. Integers are exact at any size; fractions are calculated with
 * a mantissa of 64 bits (`big-float.ts`). `floor` and `ceil` of numbers between -1 and 0 are the
 * integers below and above, which OPA gets wrong by one.
 */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import {
  RegoSet,
  compareNumbers,
  integerOf,
  isRegoNumber,
  numberFromBigInt,
  setOf,
} from '../value.js'
import type { RegoNumber, Value } from '../value.js'
import {
  add,
  divide,
  floatOf,
  floatToNumber,
  isInteger,
  multiply,
  negate,
  truncate,
} from './big-float.js'
import type { BigFloat } from './big-float.js'
import {
  bigIntAt,
  define,
  numberAt,
  refuse,
  refuseOperand,
  refuseType,
  refuseWork,
} from './define.js'

type Operation = {
  /** On safe integers; the result counts when it is one too. */
  fast(x: number, y: number): number
  exact(x: bigint, y: bigint): bigint
  float(x: BigFloat, y: BigFloat): BigFloat
}

function calculate(operation: Operation, a: RegoNumber, b: RegoNumber): RegoNumber {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isInteger(a) && Number.isInteger(b)) {
      const result = operation.fast(a, b)
      if (Number.isSafeInteger(result)) return result + 0
    }
  }
  const x = integerOf(a)
  const y = integerOf(b)
  if (x !== undefined && y !== undefined) return numberFromBigInt(operation.exact(x, y))
  return floatToNumber(operation.float(floatOf(a), floatOf(b)))
}

const sumOf: Operation = {
  fast: (x, y) => x + y,
  exact: (x, y) => x + y,
  float: add,
}

const differenceOf: Operation = {
  fast: (x, y) => x - y,
  exact: (x, y) => x - y,
  float: (x, y) => add(x, negate(y)),
}

const productOf: Operation = {
  fast: (x, y) => x * y,
  exact: (x, y) => x * y,
  float: multiply,
}

export function plus(a: RegoNumber, b: RegoNumber): RegoNumber {
  return calculate(sumOf, a, b)
}

export function times(a: RegoNumber, b: RegoNumber): RegoNumber {
  return calculate(productOf, a, b)
}

function quotient(a: RegoNumber, b: RegoNumber): RegoNumber {
  if (compareNumbers(b, 0) === 0) refuse('divide by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const result = a / b
    if (
      Number.isSafeInteger(a) &&
      Number.isSafeInteger(b) &&
      Number.isSafeInteger(result)
    )
      if (a % b === 0) return result + 0
  }
  return floatToNumber(divide(floatOf(a), floatOf(b)))
}

function remainder(a: RegoNumber, b: RegoNumber): RegoNumber {
  const x = integerOf(a)
  const y = integerOf(b)
  if (x === undefined || y === undefined) refuse('modulo on floating-point number')
  if (y === 0n) refuse('modulo by zero')
  return numberFromBigInt(x % y)
}

function minus([a, b]: readonly Value[]): Value {
  if (a instanceof RegoSet && b instanceof RegoSet)
    return setOf(a.values().filter((member) => !b.has(member)))
  if (a === undefined || b === undefined) throw new RangeError('two operands')
  if (isRegoNumber(a))
    return isRegoNumber(b) ? calculate(differenceOf, a, b) : refuseType(2, b, 'number')
  if (!(a instanceof RegoSet)) refuseType(1, a, 'number', 'set')
  return refuseType(2, b, isRegoNumber(b) ? 'set' : 'number')
}

const half: BigFloat = floatOf(0.5)

/** Applies `whole` to numbers that are no integer yet. */
function rounding(whole: (value: BigFloat, truncated: bigint) => bigint) {
  return (args: readonly Value[]): Value => {
    const value = numberAt(args, 0)
    if (typeof value === 'number' && Number.isInteger(value)) return value
    const integer = integerOf(value)
    if (integer !== undefined) return numberFromBigInt(integer)
    const float = floatOf(value)
    return numberFromBigInt(
      isInteger(float) ? truncate(float) : whole(float, truncate(float)),
    )
  }
}

const round = rounding((value) =>
  truncate(add(value, value.mantissa < 0n ? negate(half) : half)),
)
const ceil = rounding((value, integer) => (value.mantissa < 0n ? integer : integer + 1n))
const floor = rounding((value, integer) => (value.mantissa < 0n ? integer - 1n : integer))

function abs(args: readonly Value[]): Value {
  const value = numberAt(args, 0)
  return compareNumbers(value, 0) < 0 ? calculate(differenceOf, 0, value) : value
}

/** Bits by which a number may be shifted to the left. */
export const maxShift = 65_536

function shiftLeft(args: readonly Value[]): Value {
  const value = bigIntAt(args, 0)
  const by = shiftAt(args)
  if (by > maxShift) refuseWork(`shift is over the limit of ${maxShift} bits`)
  return numberFromBigInt(value << BigInt(by))
}

function shiftRight(args: readonly Value[]): Value {
  const value = bigIntAt(args, 0)
  const by = shiftAt(args)
  return numberFromBigInt(
    by > maxShift * 16 ? (value < 0n ? -1n : 0n) : value >> BigInt(by),
  )
}

function shiftAt(args: readonly Value[]): number {
  const by = bigIntAt(args, 1)
  if (by < 0n)
    refuseOperand(2, 'must be an unsigned integer number but got a negative integer')
  return Number(by)
}

const one = [t.number] as const
const two = [t.number, t.number] as const
const numberOrSet = t.oneOf(t.number, t.set())

function infix(
  name: string,
  operation: (a: RegoNumber, b: RegoNumber) => RegoNumber,
): Builtin {
  return define(name, two, t.number, (args) =>
    operation(numberAt(args, 0), numberAt(args, 1)),
  )
}

function bits(name: string, operation: (a: bigint, b: bigint) => bigint): Builtin {
  return define(name, two, t.number, (args) =>
    numberFromBigInt(operation(bigIntAt(args, 0), bigIntAt(args, 1))),
  )
}

export const arithmetic: readonly Builtin[] = [
  infix('plus', plus),
  define('minus', [numberOrSet, numberOrSet], numberOrSet, minus),
  infix('mul', times),
  infix('div', quotient),
  infix('rem', remainder),
  define('round', one, t.number, round),
  define('ceil', one, t.number, ceil),
  define('floor', one, t.number, floor),
  define('abs', one, t.number, abs),
  bits('bits.or', (a, b) => a | b),
  bits('bits.and', (a, b) => a & b),
  bits('bits.xor', (a, b) => a ^ b),
  define('bits.negate', one, t.number, (args) => numberFromBigInt(~bigIntAt(args, 0))),
  define('bits.lsh', two, t.number, shiftLeft),
  define('bits.rsh', two, t.number, shiftRight),
]
