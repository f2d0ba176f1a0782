/**
 * Orders the steps of a body so that each finds bound what it needs, keeping the author's
 * order where that is possible. A variable that no order can bind is unsafe.
 */
import { LoadError, unreachable } from './errors.js'
import { isWithin } from './plan.js'
import type { Change, Operand, Root, Scope, SlotInfo, Step } from './plan.js'

export type Bound = Set<number>

/** Orders `steps` in place and adds what they bind to `bound`. Throws LoadError. */
export function schedule(steps: Step[], bound: Bound, slots: readonly SlotInfo[]): void {
  const left = reorder(steps, bound, slots)
  if (left.length > 0) throw unsafe(left, bound, slots)
}

/** Throws when a value given at the end of a body is not bound. */
export function requireBound(
  operands: readonly Operand[],
  bound: Bound,
  slots: readonly SlotInfo[],
): void {
  const missing = new Set<number>()
  for (const operand of operands) {
    for (const slot of slotsOf(operand)) if (!bound.has(slot)) missing.add(slot)
  }
  if (missing.size > 0) throw unsafeSlots(missing, slots)
}

/** Puts the ready steps in order at the front of `steps`; returns those that never were. */
function reorder(steps: Step[], bound: Bound, slots: readonly SlotInfo[]): Step[] {
  const ready: Step[] = []
  let waiting = [...steps]
  for (;;) {
    const still: Step[] = []
    for (const step of waiting) {
      if (prepare(step, bound, slots)) ready.push(step)
      else still.push(step)
    }
    const stuck = still.length === waiting.length
    waiting = still
    if (stuck || waiting.length === 0) break
  }
  steps.splice(0, steps.length, ...ready, ...waiting)
  return waiting
}

/** When the step can run now: orders what is inside it, notes what it binds. */
function prepare(step: Step, bound: Bound, slots: readonly SlotInfo[]): boolean {
  switch (step.kind) {
    case 'unify': {
      const ready =
        (isBound(step.left, bound) && isPattern(step.right, bound)) ||
        (isBound(step.right, bound) && isPattern(step.left, bound))
      if (ready) bind([step.left, step.right], bound)
      return ready
    }
    case 'equal':
      return isBound(step.left, bound) && isBound(step.right, bound)
    case 'test':
      return isBound(step.operand, bound)
    case 'ref': {
      if (!isRootBound(step.root, bound)) return false
      const outs = step.out === undefined ? step.path : [...step.path, step.out]
      if (!outs.every((out) => isPattern(out, bound))) return false
      bind(outs, bound)
      return true
    }
    case 'call':
      if (!step.args.every((arg) => isBound(arg, bound))) return false
      if (step.out === undefined) return true
      if (!isPattern(step.out, bound)) return false
      bind([step.out], bound)
      return true
    case 'comprehension': {
      if (unboundOutside(step, step.scope, bound, slots).length > 0) return false
      const inner = new Set(bound)
      schedule(step.body, inner, slots)
      requireBound(
        step.key === undefined ? [step.head] : [step.key, step.head],
        inner,
        slots,
      )
      bound.add(step.out)
      return true
    }
    case 'not':
      if (unboundOutside(step, step.scope, bound, slots).length > 0) return false
      schedule(step.body, new Set(bound), slots)
      return true
    case 'every': {
      if (!isBound(step.domain, bound)) return false
      if (unboundOutside(step, step.scope, bound, slots).length > 0) return false
      const inner = new Set(bound).add(step.value)
      if (step.key !== undefined) inner.add(step.key)
      schedule(step.body, inner, slots)
      return true
    }
    case 'with': {
      if (!step.changes.every((change) => isChangeBound(change, bound))) return false
      const inner = new Set(bound)
      if (reorder(step.body, inner, slots).length > 0) return false
      for (const slot of inner) bound.add(slot)
      return true
    }
    default:
      return unreachable(step)
  }
}

function isRootBound(root: Root, bound: Bound): boolean {
  return root === 'input' || root === 'data' || isBound(root, bound)
}

function isChangeBound(change: Change, bound: Bound): boolean {
  if (change.kind !== 'function') return isBound(change.value, bound)
  return change.by.kind === 'callee' || isBound(change.by.value, bound)
}

export function isBound(operand: Operand, bound: ReadonlySet<number>): boolean {
  switch (operand.kind) {
    case 'constant':
      return true
    case 'slot':
      return bound.has(operand.slot)
    case 'array':
    case 'set':
      return operand.items.every((item) => isBound(item, bound))
    case 'object':
      return operand.items.every(
        ([key, value]) => isBound(key, bound) && isBound(value, bound),
      )
    default:
      return unreachable(operand)
  }
}

/** Can a value be matched against it? Sets and the keys of objects must be known. */
function isPattern(operand: Operand, bound: Bound): boolean {
  switch (operand.kind) {
    case 'constant':
    case 'slot':
      return true
    case 'array':
      return operand.items.every((item) => isPattern(item, bound))
    case 'set':
      return isBound(operand, bound)
    case 'object':
      return operand.items.every(
        ([key, value]) => isBound(key, bound) && isPattern(value, bound),
      )
    default:
      return unreachable(operand)
  }
}

function bind(operands: readonly Operand[], bound: Bound): void {
  for (const operand of operands) for (const slot of slotsOf(operand)) bound.add(slot)
}

/** Slots that a closure takes from outside and that are not bound yet. */
function unboundOutside(
  step: Step,
  scope: Scope,
  bound: Bound,
  slots: readonly SlotInfo[],
): number[] {
  return [...slotsOfStep(step)].filter((slot) => {
    const home = slots[slot]?.scope
    if (home === undefined || bound.has(slot) || isWithin(home, scope)) return false
    return !(step.kind === 'comprehension' && slot === step.out)
  })
}

function* slotsOf(operand: Operand): Generator<number> {
  switch (operand.kind) {
    case 'constant':
      return
    case 'slot':
      yield operand.slot
      return
    case 'array':
    case 'set':
      for (const item of operand.items) yield* slotsOf(item)
      return
    case 'object':
      for (const [key, value] of operand.items) {
        yield* slotsOf(key)
        yield* slotsOf(value)
      }
      return
    default:
      unreachable(operand)
  }
}

export function* slotsOfStep(step: Step): Generator<number> {
  for (const operand of operandsOf(step)) yield* slotsOf(operand)
  if (step.kind === 'comprehension') yield step.out
  if ('body' in step) for (const inner of step.body) yield* slotsOfStep(inner)
}

function* operandsOf(step: Step): Generator<Operand> {
  switch (step.kind) {
    case 'unify':
    case 'equal':
      yield step.left
      yield step.right
      return
    case 'test':
      yield step.operand
      return
    case 'ref':
      if (typeof step.root === 'object') yield step.root
      yield* step.path
      if (step.out !== undefined) yield step.out
      return
    case 'call':
      yield* step.args
      if (step.out !== undefined) yield step.out
      return
    case 'comprehension':
      if (step.key !== undefined) yield step.key
      yield step.head
      return
    case 'every':
      yield step.domain
      return
    case 'not':
      return
    case 'with':
      for (const change of step.changes) {
        if (change.kind !== 'function') yield change.value
        else if (change.by.kind === 'value') yield change.by.value
      }
      return
    default:
      unreachable(step)
  }
}

function unsafe(
  steps: readonly Step[],
  bound: Bound,
  slots: readonly SlotInfo[],
): LoadError {
  const missing = new Set<number>()
  for (const step of steps) {
    for (const slot of slotsOfStep(step)) if (!bound.has(slot)) missing.add(slot)
  }
  return unsafeSlots(missing, slots)
}

function unsafeSlots(
  missing: ReadonlySet<number>,
  slots: readonly SlotInfo[],
): LoadError {
  const named = [...missing].flatMap((slot) => slots[slot] ?? [])
  const written = named.filter((info) => info.name !== undefined)
  const names = [
    ...new Set((written.length > 0 ? written : named).map((info) => info.name ?? '_')),
  ]
  const at = (written[0] ?? named[0])?.at ?? { line: 1, column: 1 }
  const message = names.map((name) => `var ${name} is unsafe`).join('; ')
  return new LoadError('rego_unsafe_var_error', message, at)
}
