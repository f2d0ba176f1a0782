/** Operands to functions: reading a value, and matching one against a pattern. */
import { unreachable } from './errors.js'
import { isBound } from './schedule.js'
import { equal, objectOf, RegoObject, setOf } from './value.js'
import type { Frame } from './context.js'
import type { Operand } from './plan.js'
import type { Value } from './value.js'

export type Read = (frame: Frame) => Value
/** Binds the pattern's free slots; false when the value does not fit. */
export type Match = (frame: Frame, value: Value) => boolean

export function readOperand(operand: Operand): Read {
  switch (operand.kind) {
    case 'constant': {
      const { value } = operand
      return () => value
    }
    case 'slot': {
      const { slot } = operand
      return (frame) => frame.slots[slot] as Value
    }
    case 'array': {
      const items = operand.items.map(readOperand)
      return (frame) => items.map((read) => read(frame))
    }
    case 'set': {
      const items = operand.items.map(readOperand)
      return (frame) => setOf(items.map((read) => read(frame)))
    }
    case 'object': {
      const items = operand.items.map(
        ([key, value]) => [readOperand(key), readOperand(value)] as const,
      )
      return (frame) =>
        objectOf(items.map(([key, value]) => [key(frame), value(frame)] as const))
    }
    default:
      return unreachable(operand)
  }
}

/** Adds the slots that the match binds to `bound`. */
export function matchOperand(operand: Operand, bound: Set<number>): Match {
  if (operand.kind === 'slot' && !bound.has(operand.slot)) {
    const { slot } = operand
    bound.add(slot)
    return (frame, value) => {
      frame.slots[slot] = value
      return true
    }
  }
  if (isBound(operand, bound)) {
    const read = readOperand(operand)
    return (frame, value) => equal(read(frame), value)
  }
  if (operand.kind === 'array') {
    const items = operand.items.map((item) => matchOperand(item, bound))
    return (frame, value) => {
      if (!Array.isArray(value) || value.length !== items.length) return false
      for (let i = 0; i < items.length; i++) {
        if (!(items[i] as Match)(frame, value[i] as Value)) return false
      }
      return true
    }
  }
  if (operand.kind === 'object') return matchObject(operand.items, bound)
  throw new Error('a pattern that the scheduler should have refused')
}

function matchObject(
  items: readonly (readonly [Operand, Operand])[],
  bound: Set<number>,
): Match {
  const entries = items.map(
    ([key, value]) => [readOperand(key), matchOperand(value, bound)] as const,
  )
  return (frame, value) => {
    if (!(value instanceof RegoObject) || value.size !== entries.length) return false
    for (const [key, match] of entries) {
      const member = value.get(key(frame))
      if (member === undefined || !match(frame, member)) return false
    }
    return true
  }
}
