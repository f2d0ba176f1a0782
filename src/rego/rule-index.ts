/**
 * Which of many rules can hold at all: rules of one name often differ in one equation
 * (`input.method == "GET"`, the first argument of a function). The value is looked up once, and
 * rules that want another are left out.
 */
import { member } from './lookup.js'
import { keyOf } from './value.js'
import type { Context } from './context.js'
import type { Operand, RulePlan, Step } from './plan.js'
import type { Key, Value } from './value.js'

/** Fewer rules are quicker tried than looked up. */
const MIN_RULES = 4

/** What an equation is about: a path of the input, or an argument by its position. */
type Subject =
  | { readonly kind: 'input'; readonly path: readonly Value[] }
  | { readonly kind: 'argument'; readonly position: number }

interface Equation {
  readonly subject: Subject
  readonly id: string
  readonly value: Value
}

/** Finds the rules worth trying, in their order. */
export type RuleIndex<T> = (context: Context, args: readonly Value[]) => readonly T[]

export function indexRules<T extends { readonly plan: RulePlan }>(
  rules: readonly T[],
): RuleIndex<T> {
  const all: RuleIndex<T> = () => rules
  if (rules.length < MIN_RULES) return all
  const wanted = rules.map(({ plan }) => equationsOf(plan))
  const subject = mostCommon(wanted)
  if (subject === undefined) return all
  const keys = wanted.map((list) => list.find(({ id }) => id === subject.id))
  const others = rules.filter((_, index) => keys[index] === undefined)
  const byKey = new Map<Key, readonly T[]>()
  for (const equation of keys) {
    if (equation === undefined) continue
    const key = keyOf(equation.value)
    if (byKey.has(key)) continue
    const fitting = rules.filter((_, index) => {
      const own = keys[index]
      return own === undefined || keyOf(own.value) === key
    })
    byKey.set(key, fitting)
  }
  return (context, args) => {
    const value = read(subject.subject, context, args)
    return value === undefined ? others : (byKey.get(keyOf(value)) ?? others)
  }
}

function read(
  subject: Subject,
  context: Context,
  args: readonly Value[],
): Value | undefined {
  if (subject.kind === 'argument') return args[subject.position]
  let value = context.input
  for (const key of subject.path) {
    if (value === undefined) return undefined
    value = member(value, key)
  }
  return value
}

/** The subject that most rules speak of, when at least two do. */
function mostCommon(wanted: readonly (readonly Equation[])[]): Equation | undefined {
  const counts = new Map<string, number>()
  let best: Equation | undefined
  for (const list of wanted) {
    for (const equation of list) {
      const count = (counts.get(equation.id) ?? 0) + 1
      counts.set(equation.id, count)
      if (count > 1 && count > (counts.get(best?.id ?? '') ?? 0)) best = equation
      best ??= count > 1 ? equation : undefined
    }
  }
  return best
}

/** Equations that must hold for a rule; a rule with `else` has none that must. */
function equationsOf(plan: RulePlan): Equation[] {
  const found: Equation[] = []
  const add = (subject: Subject, value: Value): void => {
    const id = JSON.stringify(
      subject.kind === 'input' ? subject.path.map(String) : subject.position,
    )
    if (!found.some((known) => known.id === id)) found.push({ subject, id, value })
  }
  for (const [position, arg] of plan.args.entries()) {
    if (arg.kind === 'constant') add({ kind: 'argument', position }, arg.value)
  }
  const [branch] = plan.branches
  if (plan.branches.length !== 1 || branch === undefined) return found
  const subjects = subjectsBySlot(plan, branch.steps)
  for (const step of branch.steps) {
    if (step.kind === 'ref' && step.out?.kind === 'constant') {
      const path = inputPath(step)
      if (path !== undefined) add({ kind: 'input', path }, step.out.value)
    } else if (step.kind === 'equal' || step.kind === 'unify') {
      const pair = slotAndConstant(step.left, step.right)
      const subject = pair === undefined ? undefined : subjects.get(pair.slot)
      if (pair !== undefined && subject !== undefined) add(subject, pair.value)
    }
  }
  return found
}

/** Slots that hold an argument, or a value of the input. */
function subjectsBySlot(plan: RulePlan, steps: readonly Step[]): Map<number, Subject> {
  const subjects = new Map<number, Subject>()
  for (const [position, arg] of plan.args.entries()) {
    if (arg.kind === 'slot') subjects.set(arg.slot, { kind: 'argument', position })
  }
  for (const step of steps) {
    if (step.kind !== 'ref' || step.out?.kind !== 'slot') continue
    const path = inputPath(step)
    if (path === undefined || subjects.has(step.out.slot)) continue
    subjects.set(step.out.slot, { kind: 'input', path })
  }
  return subjects
}

/** The keys of a reference into the input, when all are constant strings. */
function inputPath(step: Extract<Step, { kind: 'ref' }>): Value[] | undefined {
  if (step.root !== 'input') return undefined
  const path: Value[] = []
  for (const part of step.path) {
    if (part.kind !== 'constant' || typeof part.value !== 'string') return undefined
    path.push(part.value)
  }
  return path
}

function slotAndConstant(
  left: Operand,
  right: Operand,
): { slot: number; value: Value } | undefined {
  if (left.kind === 'slot' && right.kind === 'constant') {
    return { slot: left.slot, value: right.value }
  }
  if (right.kind === 'slot' && left.kind === 'constant') {
    return { slot: right.slot, value: left.value }
  }
  return undefined
}
