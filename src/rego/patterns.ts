/** Patterns taken apart while a rule is lowered. */
import { equal, objectOf, setOf } from './value.js'
import type { Location } from './ast.js'
import type { Operand, Step } from './plan.js'
import type { Value } from './value.js'

/** Equates two patterns, part by part where both show their parts. */
export function unifyOperands(
  left: Operand,
  right: Operand,
  steps: Step[],
  at: Location,
): void {
  if (left.kind === 'constant' && right.kind === 'constant') {
    const value = equal(left.value, right.value)
    steps.push({ kind: 'test', operand: { kind: 'constant', value }, at })
  } else if (left.kind === 'array' && right.kind === 'array') {
    if (left.items.length !== right.items.length) return fail(steps, at)
    for (const [index, item] of left.items.entries()) {
      unifyOperands(item, right.items[index] as Operand, steps, at)
    }
  } else if (left.kind === 'array' && isConstantArray(right)) {
    if (left.items.length !== right.value.length) return fail(steps, at)
    for (const [index, item] of left.items.entries()) {
      const value = right.value[index] as Value
      unifyOperands(item, { kind: 'constant', value }, steps, at)
    }
  } else if (right.kind === 'array' && isConstantArray(left)) {
    unifyOperands(right, left, steps, at)
  } else if (left.kind === 'object' && right.kind === 'object') {
    unifyObjects(left, right, steps, at)
  } else {
    steps.push({ kind: 'unify', left, right, at })
  }
}

type ObjectOperand = Extract<Operand, { kind: 'object' }>

function unifyObjects(
  left: ObjectOperand,
  right: ObjectOperand,
  steps: Step[],
  at: Location,
): void {
  const mine = constantKeys(left)
  const theirs = constantKeys(right)
  if (mine === undefined || theirs === undefined) {
    steps.push({ kind: 'unify', left, right, at })
    return
  }
  if (mine.length !== theirs.length) return fail(steps, at)
  for (const [key, value] of mine) {
    const other = theirs.find(([candidate]) => equal(candidate, key))
    if (other === undefined) return fail(steps, at)
    unifyOperands(value, other[1], steps, at)
  }
}

function constantKeys(object: ObjectOperand): [Value, Operand][] | undefined {
  const keys: [Value, Operand][] = []
  for (const [key, value] of object.items) {
    if (key.kind !== 'constant') return undefined
    if (keys.some(([seen]) => equal(seen, key.value))) return undefined
    keys.push([key.value, value])
  }
  return keys
}

function isConstantArray(
  operand: Operand,
): operand is { kind: 'constant'; value: readonly Value[] } {
  return operand.kind === 'constant' && Array.isArray(operand.value)
}

function fail(steps: Step[], at: Location): void {
  steps.push({ kind: 'test', operand: { kind: 'constant', value: false }, at })
}

/** A collection of constants is a constant. */
export function fold(operand: Operand): Operand {
  if (operand.kind === 'object') {
    const entries: [Value, Value][] = []
    for (const [key, value] of operand.items) {
      if (key.kind !== 'constant' || value.kind !== 'constant') return operand
      entries.push([key.value, value.value])
    }
    const value = objectOf(entries)
    return value.size === entries.length ? { kind: 'constant', value } : operand
  }
  if (operand.kind !== 'array' && operand.kind !== 'set') return operand
  const values: Value[] = []
  for (const item of operand.items) {
    if (item.kind !== 'constant') return operand
    values.push(item.value)
  }
  return { kind: 'constant', value: operand.kind === 'array' ? values : setOf(values) }
}
