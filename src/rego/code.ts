/**
 * Plans to functions. A body becomes one function of a frame; each step calls the next, so
 * that going back is returning. A run says true to stop: the first answer was enough.
 * Variables live in the frame's slots: which are bound at each step is known here, so nothing
 * is undone on the way back.
 */
import { Context, upsert, upsertData } from './context.js'
import { EvalError, unreachable } from './errors.js'
import { BuiltinError } from './builtin.js'
import { RegexLimitError } from './regex.js'
import { matchOperand, readOperand } from './operand-code.js'
import { referenceStep } from './ref-code.js'
import { isBound, slotsOfStep } from './schedule.js'
import { someMember } from './lookup.js'
import { intrinsics, isMember } from './intrinsics.js'
import { compare, equal, keyOf, ObjectBuilder, SetBuilder } from './value.js'
import { calleeName } from './plan.js'
import type { Builtin } from './builtin.js'
import type { Frame, Mock, Remembered } from './context.js'
import type { Match, Read } from './operand-code.js'
import type {
  CallStep,
  Callee,
  Change,
  ComprehensionStep,
  Operand,
  Step,
} from './plan.js'
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
      return callCode(step, bound, context)
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

type ApplyChange = (frame: Frame, outer: Context, from: Context) => Context

function changeCode(change: Change, program: Rules): ApplyChange {
  switch (change.kind) {
    case 'input': {
      const read = readOperand(change.value)
      const { path } = change
      return (frame, outer, from) => {
        const input = upsert(from.input, path, read(frame))
        const { data, mocks, masked } = from
        return new Context(from.query, { input, data, mocks, masked }, outer)
      }
    }
    case 'data': {
      const read = readOperand(change.value)
      const { path } = change
      const hidden = program.nodesUnder(path)
      return (frame, outer, from) => {
        const { input, mocks } = from
        const data = upsertData(from.data, path, read(frame))
        const masked =
          hidden.length === 0 ? from.masked : new Set([...(from.masked ?? []), ...hidden])
        return new Context(from.query, { input, data, mocks, masked }, outer)
      }
    }
    case 'function': {
      const { name, by } = change
      const read = by.kind === 'value' ? readOperand(by.value) : undefined
      const callee = by.kind === 'callee' ? by.callee : undefined
      return (frame, outer, from) => {
        const mock: Mock =
          callee === undefined
            ? { kind: 'value', value: (read as Read)(frame) }
            : { kind: 'callee', callee }
        const { input, data, masked } = from
        const mocks = new Map(from.mocks).set(name, mock)
        return new Context(from.query, { input, data, mocks, masked }, outer)
      }
    }
    default:
      return unreachable(change)
  }
}

/** A call that gives at most one value. */
export type Call = (frame: Frame, args: readonly Value[]) => Value | undefined

function callCode(step: CallStep, bound: Set<number>, context: CodeContext): Op {
  const { callee } = step
  const name = calleeName(callee)
  const args = step.args.map(readOperand)
  const quick = step.out === undefined ? comparison(name, args) : undefined
  const match = step.out === undefined ? undefined : matchOperand(step.out, bound)
  const builtin = builtinOf(callee, context.program)
  if (builtin?.relation === true)
    return relationCode(builtin, { name, args, match }, context)
  const call = mockable(name, calleeCode(callee, context), context)
  const value =
    arithmetic(name, args, call) ?? ((frame: Frame) => call(frame, readAll(args, frame)))
  const run: Run =
    match === undefined
      ? (frame) => {
          const result = value(frame)
          return result !== undefined && result !== false
        }
      : (frame) => {
          const result = value(frame)
          return result !== undefined && match(frame, result)
        }
  if (quick === undefined) return { kind: 'once', run }
  return {
    kind: 'once',
    run: (frame) => {
      const holds = frame.context.mocks === undefined ? quick(frame) : run(frame)
      frame.meter.compared()
      return holds
    },
  }
}

function readAll(args: readonly Read[], frame: Frame): Value[] {
  const values = new Array<Value>(args.length)
  for (let i = 0; i < args.length; i++) values[i] = (args[i] as Read)(frame)
  return values
}

/** Comparisons as statements, without the way through a call. */
function comparison(name: string, args: readonly Read[]): Run | undefined {
  const [a, b] = args
  if (a === undefined || b === undefined) return undefined
  switch (name) {
    case 'neq':
      return (frame) => !equal(a(frame), b(frame))
    case 'lt':
      return (frame) => compare(a(frame), b(frame)) < 0
    case 'lte':
      return (frame) => compare(a(frame), b(frame)) <= 0
    case 'gt':
      return (frame) => compare(a(frame), b(frame)) > 0
    case 'gte':
      return (frame) => compare(a(frame), b(frame)) >= 0
    case 'internal.member_2':
      return (frame) => {
        const collection = b(frame)
        if (Array.isArray(collection)) frame.meter.step(collection.length >> 3)
        return isMember(a(frame), collection)
      }
    default:
      return undefined
  }
}

/** Whole numbers that stay whole and small; all else goes to the built-in. */
function arithmetic(
  name: string,
  args: readonly Read[],
  call: Call,
): ((frame: Frame) => Value | undefined) | undefined {
  const [first, second] = args
  if (first === undefined || second === undefined) return undefined
  const compute = SMALL_ARITHMETIC.get(name)
  if (compute === undefined) return undefined
  return (frame) => {
    const a = first(frame)
    const b = second(frame)
    if (
      frame.context.mocks === undefined &&
      Number.isSafeInteger(a) &&
      Number.isSafeInteger(b)
    ) {
      const result = compute(a as number, b as number)
      if (Number.isSafeInteger(result)) return result + 0
    }
    return call(frame, [a, b])
  }
}

const SMALL_ARITHMETIC: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ['plus', (a: number, b: number) => a + b],
  ['minus', (a: number, b: number) => a - b],
  ['mul', (a: number, b: number) => a * b],
])

function builtinOf(callee: Callee, program: Rules): Builtin | undefined {
  return callee.kind === 'builtin' ? program.builtin(callee.name) : undefined
}

export function calleeCode(callee: Callee, context: CodeContext): Call {
  const { program } = context
  if (callee.kind === 'function') {
    const { node } = callee
    return (frame, args) => program.callFunction(frame.context, node, args)
  }
  const builtin = program.builtin(callee.name)
  if (builtin === undefined) throw new Error(`no built-in ${callee.name}`)
  return (frame, args) => callBuiltin(builtin, args, frame.context)
}

/** The call, or what `with` has put in its place. */
function mockable(name: string, call: Call, context: CodeContext): Call {
  return (frame, args) => {
    if (--frame.meter.left < 0) frame.meter.refill()
    frame.meter.compared()
    const mock = frame.context.mocks?.get(name)
    if (mock === undefined) return call(frame, args)
    if (mock.kind === 'value') return mock.value
    const { callee } = mock
    const within = frame.context.unmocked
    if (callee.kind === 'function')
      return context.program.callFunction(within, callee.node, args)
    const builtin = context.program.builtin(callee.name)
    return builtin === undefined ? undefined : callBuiltin(builtin, args, within)
  }
}

function callBuiltin(
  builtin: Builtin,
  args: readonly Value[],
  context: Context,
): Value | undefined {
  const { query } = context
  try {
    if (builtin.nondeterministic === true) return remembered(builtin, args, context)
    return builtin.evaluate(args, query.builtins)
  } catch (cause) {
    if (cause instanceof RegexLimitError) {
      throw new EvalError('eval_budget_error', `${builtin.name}: ${cause.message}`)
    }
    if (!(cause instanceof BuiltinError)) throw cause
    if (cause.kind === 'limit') throw new EvalError('eval_budget_error', cause.message)
    if (!query.strict) return undefined
    throw new EvalError(
      cause.kind === 'type' ? 'eval_type_error' : 'eval_builtin_error',
      cause.message,
    )
  }
}

function remembered(
  builtin: Builtin,
  args: readonly Value[],
  context: Context,
): Value | undefined {
  const memory = context.query.nondeterministic
  const key = `${builtin.name}${String(keyOf(args))}`
  const known: Remembered | undefined = memory.get(key)
  if (known !== undefined) return typeof known === 'symbol' ? undefined : known
  const value = builtin.evaluate(args, context.query.builtins)
  if (value !== undefined) memory.set(key, value)
  return value
}

/** A built-in with several results: each is tried in turn. */
function relationCode(
  builtin: Builtin,
  call: { name: string; args: readonly Read[]; match: Match | undefined },
  context: CodeContext,
): Op {
  const single = mockable(
    call.name,
    (frame, args) => callBuiltin(builtin, args, frame.context),
    context,
  )
  const { match } = call
  return {
    kind: 'many',
    around: (next) => (frame) => {
      const mocked = frame.context.mocks?.has(call.name) === true
      const result = single(frame, readAll(call.args, frame))
      if (result === undefined) return false
      if (match === undefined) return next(frame)
      const alternatives = mocked ? [result] : (result as readonly Value[])
      for (const alternative of alternatives) {
        if (--frame.meter.left < 0) frame.meter.refill()
        if (match(frame, alternative) && next(frame)) return true
      }
      return false
    },
  }
}

export const intrinsicNames: ReadonlyMap<string, Builtin> = new Map(
  intrinsics.map((builtin) => [builtin.name, builtin]),
)
