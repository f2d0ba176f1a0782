/**
 * How a built-in is written down: its name, the types it declares, its work; and the operand
 * readers, which refuse in OPA's words (`operand 1 must be string but got number`).
 */
import { BuiltinError } from '../builtin.js'
import type { Builtin, BuiltinContext, BuiltinErrorKind } from '../builtin.js'
import type { TypeSpec } from '../type-spec.js'
import {
  BigDecimal,
  RegoObject,
  RegoSet,
  integerOf,
  isArray,
  isRegoNumber,
  typeName,
} from '../value.js'
import type { RegoArray, RegoNumber, Value } from '../value.js'

export type Evaluate = (
  args: readonly Value[],
  context: BuiltinContext,
) => Value | undefined

/** Work that was refused; `define` puts the name of the built-in before the message. */
export class Refusal extends Error {
  readonly kind: BuiltinErrorKind

  constructor(message: string, kind: BuiltinErrorKind = 'builtin') {
    super(message)
    this.kind = kind
  }
}

export function define(
  name: string,
  args: readonly TypeSpec[],
  result: TypeSpec,
  evaluate: Evaluate,
): Builtin {
  return {
    name,
    arity: args.length,
    args,
    result,
    evaluate(values, context) {
      try {
        return evaluate(values, context)
      } catch (cause) {
        if (cause instanceof Refusal)
          throw new BuiltinError(name, cause.message, cause.kind)
        throw cause
      }
    },
  }
}

/** A refusal that is not about an operand's type: `eval_builtin_error`. */
export function refuse(message: string): never {
  throw new Refusal(message)
}

/** More work than this evaluator does: ends the evaluation. */
export function refuseWork(message: string): never {
  throw new Refusal(message, 'limit')
}

/** A refusal of an operand's type or shape: `eval_type_error`. Positions count from 1. */
export function refuseOperand(position: number, message: string): never {
  throw new Refusal(`operand ${position} ${message}`, 'type')
}

export function refuseType(position: number, got: Value, ...expected: string[]): never {
  const wanted =
    expected.length === 1 ? String(expected[0]) : `one of {${expected.join(', ')}}`
  refuseOperand(position, `must be ${wanted} but got ${typeName(got)}`)
}

/** A member of a collection has the wrong type. */
export function refuseElement(
  position: number,
  operands: { collection: Value; element: Value },
  ...expected: string[]
): never {
  const whole = typeName(operands.collection)
  const part = typeName(operands.element)
  const wanted =
    expected.length === 1
      ? `${whole} of ${String(expected[0])}s`
      : `${whole} of (any of) {${expected.join(', ')}}`
  refuseOperand(position, `must be ${wanted} but got ${whole} containing ${part}`)
}

export function valueAt(args: readonly Value[], index: number): Value {
  const value = args[index]
  if (value === undefined) throw new RangeError(`no operand ${index + 1}`)
  return value
}

export function stringAt(args: readonly Value[], index: number): string {
  const value = valueAt(args, index)
  return typeof value === 'string' ? value : refuseType(index + 1, value, 'string')
}

export function numberAt(args: readonly Value[], index: number): RegoNumber {
  const value = valueAt(args, index)
  return isRegoNumber(value) ? value : refuseType(index + 1, value, 'number')
}

/** An integer written as one (`1.0` is refused), at most 64 bits; as a double. */
export function intAt(args: readonly Value[], index: number): number {
  return Number(int64At(args, index))
}

export function int64At(args: readonly Value[], index: number): bigint {
  const value = numberAt(args, index)
  const integer = int64Of(value)
  return integer ?? refuseOperand(index + 1, NOT_AN_INTEGER)
}

const NOT_AN_INTEGER = 'must be integer number but got floating-point number'

/** The number when its text is an integer of 64 bits. */
export function int64Of(value: RegoNumber): bigint | undefined {
  if (value instanceof BigDecimal) return undefined
  if (typeof value === 'number')
    return Number.isInteger(value) ? BigInt(value) : undefined
  return BigInt.asIntN(64, value) === value ? value : undefined
}

/** An integer of any size, however spelled. */
export function bigIntAt(args: readonly Value[], index: number): bigint {
  const value = valueAt(args, index)
  if (!isRegoNumber(value)) refuseType(index + 1, value, 'integer')
  return integerOf(value) ?? refuseOperand(index + 1, NOT_AN_INTEGER)
}

export function arrayAt(args: readonly Value[], index: number): RegoArray {
  const value = valueAt(args, index)
  return isArray(value) ? value : refuseType(index + 1, value, 'array')
}

export function objectAt(args: readonly Value[], index: number): RegoObject {
  const value = valueAt(args, index)
  return value instanceof RegoObject ? value : refuseType(index + 1, value, 'object')
}

export function setAt(args: readonly Value[], index: number): RegoSet {
  const value = valueAt(args, index)
  return value instanceof RegoSet ? value : refuseType(index + 1, value, 'set')
}

/** The members of an array, or of a set in its order; undefined for all other values. */
export function membersOf(value: Value): readonly Value[] | undefined {
  if (isArray(value)) return value
  return value instanceof RegoSet ? value.values() : undefined
}

/** The strings of an array or a set. */
export function stringsAt(args: readonly Value[], index: number): readonly string[] {
  const collection = valueAt(args, index)
  const members =
    membersOf(collection) ?? refuseType(index + 1, collection, 'array', 'set')
  return members.map((element) =>
    typeof element === 'string'
      ? element
      : refuseElement(index + 1, { collection, element }, 'string'),
  )
}
