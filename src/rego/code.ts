/**
 * Plans to functions. A body becomes one function of a frame; each step calls the next, so
 * that going back is returning. A run says true to stop: the first answer was enough.
 * Variables live in the frame's slots: which are bound at each step is known here, so nothing
 * is undone on the way back.
 */
import { callCode } from './call-code.js'
import { EvalError, unreachable } from './errors.js'
import { someMember } from './lookup.js'
import { matchOperand, readOperand } from './operand-code.js'
import { referenceStep } from './ref-code.js'
import { isBound, slotsOfStep } from './schedule.js'
import { equal, ObjectBuilder, SetBuilder } from './value.js'
import { changeCode } from './with-code.js'
import type { Context } from './context.js'
import type { ComprehensionStep, Operand, Step } from './plan.js'
import type { Op, Rules, Run } from './run.js'
import type { Value } from './value.js'

export interface CodeContext {
  readonly program: Rules
  readonly file: string
}

/** The run of a body: `end` is called for each way in which all steps hold. */
export function bodyCode(
  steps: readonly Step[],
  bound: Set<number>,
  end: Run,
  context: CodeContext,
): Run {
  return chain(
    steps.map((step) => stepCode(step, bound, context)),
    end,
  )
}

function chain(ops: readonly Op[], end: Run): Run {
  let next = end
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i] as Op
    next = op.kind === 'many' ? op.around(next) : once(op.run, next)
  }
  return next
}

function once(run: Run, next: Run): Run {
  return (frame) => run(frame) && next(frame)
}

function stepCode(step: Step, bound: Set<number>, context: CodeContext): Op {
  switch (step.kind) {
    case 'unify': {
      const [known, pattern] = isBound(step.left, bound)
        ? [step.left, step.right]
        : [step.right, step.left]
      const read = readOperand(known)
      const match = matchOperand(pattern, bound)
      return {
        kind: 'once',
        run: (frame) => {
          const fits = match(frame, read(frame))
          frame.meter.compared()
          return fits
        },
      }
    }
    case 'equal': {
      const left = readOperand(step.left)
      const right = readOperand(step.right)
      return {
        kind: 'once',
        run: (frame) => {
          const same = equal(left(frame), right(frame))
          frame.meter.compared()
          return same
        },
      }
    }
    case 'test': {
      const read = readOperand(step.operand)
      return { kind: 'once', run: (frame) => read(frame) !== false }
    }
    case 'ref':
      return referenceStep(step, bound, context.program)
    case 'call':
      return callCode(step, bound, context.program)
    case 'comprehension':
      return comprehensionCode(step, bound, context)
    case 'not': {
      const inner = bodyCode(step.body, new Set(bound), () => true, context)
      return { kind: 'once', run: (frame) => !inner(frame) }
    }
    case 'every':
      return everyCode(step, bound, context)
    case 'with':
      return withCode(step, bound, context)
    default:
      return unreachable(step)
  }
}

function comprehensionCode(
  step: ComprehensionStep,
  bound: Set<number>,
  context: CodeContext,
): Op {
  const { out } = step
  const head = readOperand(step.head)
  const inner = new Set(bound)
  bound.add(out)
  const place = { file: context.file, line: step.at.line, column: step.at.column }
  switch (step.of) {
    case 'array': {
      const end: Run = (frame) => {
        ;(frame.slots[out] as Value[]).push(head(frame))
        return false
      }
      const body = bodyCode(step.body, inner, end, context)
      return {
        kind: 'once',
        run: (frame) => {
          frame.slots[out] = []
          body(frame)
          return true
        },
      }
    }
    case 'set': {
      const end: Run = (frame) => {
        ;(frame.slots[out] as unknown as SetBuilder).add(head(frame))
        frame.meter.compared()
        return false
      }
      const body = bodyCode(step.body, inner, end, context)
      return {
        kind: 'once',
        run: (frame) => {
          const builder = new SetBuilder()
          frame.slots[out] = builder as unknown as Value
          body(frame)
          frame.slots[out] = builder.build()
          return true
        },
      }
    }
    case 'object': {
      const key = readOperand(step.key as Operand)
      const end: Run = (frame) => {
        const builder = frame.slots[out] as unknown as ObjectBuilder
        const id = key(frame)
        const value = head(frame)
        const before = builder.get(id)
        if (before !== undefined && !equal(before, value)) {
          throw new EvalError('eval_conflict_error', 'object keys must be unique', place)
        }
        builder.set(id, value)
        frame.meter.compared()
        return false
      }
      const body = bodyCode(step.body, inner, end, context)
      return {
        kind: 'once',
        run: (frame) => {
          const builder = new ObjectBuilder()
          frame.slots[out] = builder as unknown as Value
          body(frame)
          frame.slots[out] = builder.build()
          return true
        },
      }
    }
    default:
      return unreachable(step.of)
  }
}

/** Every member passes the body: there is none that does not. */
function everyCode(
  step: Extract<Step, { kind: 'every' }>,
  bound: Set<number>,
  context: CodeContext,
): Op {
  const { key, value } = step
  const domain = readOperand(step.domain)
  const inner = new Set(bound).add(value)
  if (key !== undefined) inner.add(key)
  const body = bodyCode(step.body, inner, () => true, context)
  return {
    kind: 'once',
    run: (frame) => {
      const collection = domain(frame)
      if (!isCollection(collection)) return false
      return !someMember(collection, (k, v) => {
        if (--frame.meter.left < 0) frame.meter.refill()
        if (key !== undefined) frame.slots[key] = k
        frame.slots[value] = v
        return !body(frame)
      })
    },
  }
}

function isCollection(value: Value): boolean {
  return typeof value === 'object' && value !== null && !('mantissa' in value)
}

function withCode(
  step: Extract<Step, { kind: 'with' }>,
  bound: Set<number>,
  context: CodeContext,
): Op {
  const changes = step.changes.map((change) => changeCode(change, context.program))
  const inner = new Set(bound)
  const ops = step.body.map((one) => stepCode(one, inner, context))
  for (const one of step.body) for (const slot of slotsOfStep(one)) bound.add(slot)
  return {
    kind: 'many',
    around: (next) => {
      const body = chain(ops, (frame) => {
        const changed = frame.context
        frame.context = changed.outer
        const stop = next(frame)
        frame.context = changed
        return stop
      })
      return (frame) => {
        const outer = frame.context
        let documents: Context = outer
        for (const change of changes) documents = change(frame, outer, documents)
        frame.context = documents
        const stop = body(frame)
        frame.context = outer
        return stop
      }
    },
  }
}
