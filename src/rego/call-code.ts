/** Calls: of built-ins and of functions, and what `with` has put in their place. */
import { BuiltinError } from './builtin.js'
import { EvalError } from './errors.js'
import { isMember } from './intrinsics.js'
import { matchOperand, readOperand } from './operand-code.js'
import { calleeName } from './plan.js'
import { RegexLimitError } from './regex.js'
import { compare, equal, keyOf } from './value.js'
import type { Builtin } from './builtin.js'
import type { Context, Frame, Remembered } from './context.js'
import type { Match, Read } from './operand-code.js'
import type { CallStep, Callee } from './plan.js'
import type { Op, Rules, Run } from './run.js'
import type { Value } from './value.js'

/** A call that gives at most one value. */
type Call = (frame: Frame, args: readonly Value[]) => Value | undefined

export function callCode(step: CallStep, bound: Set<number>, program: Rules): Op {
  const { callee } = step
  const name = calleeName(callee)
  const args = step.args.map(readOperand)
  const quick = step.out === undefined ? comparison(name, args) : undefined
  const match = step.out === undefined ? undefined : matchOperand(step.out, bound)
  const builtin = builtinOf(callee, program)
  if (builtin?.relation === true)
    return relationCode(builtin, { name, args, match }, program)
  const call = mockable(name, calleeCode(callee, program), program)
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

function calleeCode(callee: Callee, program: Rules): Call {
  if (callee.kind === 'function') {
    const { node } = callee
    return (frame, args) => program.callFunction(frame.context, node, args)
  }
  const builtin = program.builtin(callee.name)
  if (builtin === undefined) throw new Error(`no built-in ${callee.name}`)
  return (frame, args) => callBuiltin(builtin, args, frame.context)
}

/** The call, or what `with` has put in its place. */
function mockable(name: string, call: Call, program: Rules): Call {
  return (frame, args) => {
    if (--frame.meter.left < 0) frame.meter.refill()
    frame.meter.compared()
    const mock = frame.context.mocks?.get(name)
    if (mock === undefined) return call(frame, args)
    if (mock.kind === 'value') return mock.value
    const { callee } = mock
    const within = frame.context.unmocked
    if (callee.kind === 'function') return program.callFunction(within, callee.node, args)
    const builtin = program.builtin(callee.name)
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
  program: Rules,
): Op {
  const single = mockable(
    call.name,
    (frame, args) => callBuiltin(builtin, args, frame.context),
    program,
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
