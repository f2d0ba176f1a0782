/**
 * All rules as code, and the documents that they make. Code is made at first use; what rules
 * give is remembered in the context, so a rule runs once in each.
 */
import { bodyCode } from './code.js'
import { intrinsicNames } from './intrinsics.js'
import { Frame, UNDEFINED } from './context.js'
import { EvalError } from './errors.js'
import { matchOperand, readOperand } from './operand-code.js'
import { member } from './lookup.js'
import { indexRules } from './rule-index.js'
import { DocBuilder } from './doc-builder.js'
import { equal, keyOf, ObjectBuilder, RegoObject, RegoSet, setOf } from './value.js'
import type { Builtin } from './builtin.js'
import type { RuleIndex } from './rule-index.js'
import type { Rules, Run } from './run.js'
import type { Context, Remembered } from './context.js'
import type { Place } from './errors.js'
import type { Match } from './operand-code.js'
import type { RulePlan } from './plan.js'
import type { DocNode } from './plan.js'
import type { RuleTree } from './tree.js'
import type { Value } from './value.js'

interface RuleCode {
  readonly plan: RulePlan
  readonly args: readonly Match[]
  readonly branches: readonly Run[]
  /** The one value that the rule can give, when that is certain. */
  readonly constant: Value | undefined
}

interface PartialCode {
  readonly plan: RulePlan
  readonly run: Run
}

/** Frame of a partial rule: its answers go to a builder. */
class PartialFrame extends Frame {
  readonly builder: DocBuilder

  constructor(context: Context, size: number, builder: DocBuilder) {
    super(context, size)
    this.builder = builder
  }
}

export class Program implements Rules {
  readonly tree: RuleTree
  readonly #builtins: ReadonlyMap<string, Builtin>
  readonly #code: (RuleIndex<RuleCode> | undefined)[] = []
  readonly #partial: (RuleIndex<PartialCode> | undefined)[] = []

  constructor(tree: RuleTree, builtins: ReadonlyMap<string, Builtin>) {
    this.tree = tree
    this.#builtins = builtins
  }

  builtin(name: string): Builtin | undefined {
    return intrinsicNames.get(name) ?? this.#builtins.get(name)
  }

  /** Nodes at and below a path: what `with data.path` hides. */
  nodesUnder(path: readonly Value[]): DocNode[] {
    const names = path.filter((part) => typeof part === 'string')
    const top = names.length === path.length ? this.tree.find(names) : undefined
    const nodes: DocNode[] = []
    const visit = (node: DocNode): void => {
      nodes.push(node)
      for (const child of node.children.values()) visit(child)
    }
    if (top !== undefined) visit(top)
    return nodes
  }

  /** The value of a node with complete rules or a set. */
  valueOf(context: Context, node: DocNode): Value | undefined {
    const known: Remembered | undefined = context.values[node.id]
    if (known !== undefined) return known === UNDEFINED ? undefined : known
    const value =
      node.kind === 'complete'
        ? this.#complete(context, node, [])
        : this.#extent(context, node)
    context.values[node.id] = value ?? UNDEFINED
    return value
  }

  callFunction(
    context: Context,
    node: DocNode,
    args: readonly Value[],
  ): Value | undefined {
    const key = memoKey(args)
    if (key === undefined) return this.#complete(context, node, args)
    const memory = (context.results[node.id] ??= new Map<string, Remembered>())
    const known = memory.get(key)
    if (known !== undefined) return known === UNDEFINED ? undefined : known
    const value = this.#complete(context, node, args)
    memory.set(key, value ?? UNDEFINED)
    return value
  }

  /** The whole document at a node, base data below it included. */
  document(context: Context, node: DocNode, base: Value | undefined): Value | undefined {
    if (context.masked?.has(node) === true) return base
    switch (node.kind) {
      case 'complete':
      case 'set':
        return this.valueOf(context, node)
      case 'function':
        return undefined
      case 'object':
        return this.#object(context, node)
      default:
        return this.#interior(context, node, base)
    }
  }

  /** `node[key]` of a node whose rules have variables in their heads. */
  entry(context: Context, node: DocNode, key: Value): Value | undefined {
    const child = typeof key === 'string' ? node.children.get(key) : undefined
    const extent = this.#extent(context, node)
    const own = extent === undefined ? undefined : member(extent, key)
    if (child === undefined) return own
    const base = baseValue(context, child)
    const whole = this.document(context, child, base)
    const isBare =
      child.kind === 'none' && whole instanceof RegoObject && whole.size === 0
    const below = isBare && own !== undefined ? undefined : whole
    return own === undefined ? below : below === undefined ? own : join(own, below, node)
  }

  #interior(context: Context, node: DocNode, base: Value | undefined): Value {
    const builder = new ObjectBuilder()
    if (base instanceof RegoObject) {
      for (const [key, value] of base) {
        context.query.meter.step(1)
        if (typeof key !== 'string' || !node.children.has(key)) builder.set(key, value)
      }
    }
    for (const [name, child] of node.children) {
      const below = base instanceof RegoObject ? base.get(name) : undefined
      const value = this.document(context, child, below)
      const merged = child.kind === 'none' ? value : preferBase(below, value)
      if (merged !== undefined) builder.set(name, merged)
    }
    return builder.build()
  }

  #object(context: Context, node: DocNode): Value | undefined {
    if (node.children.size === 0) return this.#extent(context, node)
    const known: Remembered | undefined = context.values[node.id]
    if (known !== undefined) return known === UNDEFINED ? undefined : known
    const builder = new DocBuilder(placeOf(node))
    this.#fill(context, node, builder)
    const value = builder.build()
    context.values[node.id] = value ?? UNDEFINED
    return value
  }

  /** Adds all that the rules at and below a node give. */
  #fill(context: Context, node: DocNode, builder: DocBuilder): void {
    if (context.masked?.has(node) === true) {
      const base = baseValue(context, node)
      if (base !== undefined) builder.add(node.path.slice(builder.depth), base)
      return
    }
    if (node.kind === 'complete') {
      const value = this.valueOf(context, node)
      if (value !== undefined) builder.add(node.path.slice(builder.depth), value)
    } else if (node.kind === 'object' || node.kind === 'set') {
      this.#runPartial(context, node, builder)
    }
    for (const child of node.children.values()) this.#fill(context, child, builder)
  }

  /** What the rules with variables in their heads give, without nodes below. */
  #extent(context: Context, node: DocNode): Value | undefined {
    const known: Remembered | undefined = context.extents[node.id]
    if (known !== undefined) return known === UNDEFINED ? undefined : known
    const builder = new DocBuilder(placeOf(node))
    if (node.kind === 'set') builder.makeSet([])
    else builder.makeObject()
    this.#runPartial(context, node, builder)
    const value = builder.build()
    context.extents[node.id] = value ?? UNDEFINED
    return value
  }

  #runPartial(context: Context, node: DocNode, builder: DocBuilder): void {
    for (const { plan, run } of this.#partialCode(node)(context, [])) {
      context.query.meter.step(1)
      run(new PartialFrame(context, plan.slots.length, builder))
    }
  }

  #complete(context: Context, node: DocNode, args: readonly Value[]): Value | undefined {
    let result: Value | undefined
    for (const rule of this.#ruleCode(node)(context, args)) {
      if (result !== undefined && rule.constant !== undefined) {
        if (equal(rule.constant, result)) continue
      }
      const value = runRule(rule, context, args)
      if (value === undefined) continue
      if (result === undefined) result = value
      else if (!equal(result, value)) throw conflict(rule.plan, node)
    }
    if (result !== undefined || node.defaultRule === undefined) return result
    return runRule(this.#defaultCode(node, node.defaultRule), context, args)
  }

  #ruleCode(node: DocNode): RuleIndex<RuleCode> {
    return (this.#code[node.id] ??= indexRules(
      node.rules.map((plan) => this.#compile(plan, node)),
    ))
  }

  readonly #defaults = new Map<DocNode, RuleCode>()

  #defaultCode(node: DocNode, plan: RulePlan): RuleCode {
    let code = this.#defaults.get(node)
    if (code === undefined) {
      code = this.#compile(plan, node)
      this.#defaults.set(node, code)
    }
    return code
  }

  #compile(plan: RulePlan, node: DocNode): RuleCode {
    const shared = new Set<number>()
    const args = plan.args.map((arg) => matchOperand(arg, shared))
    const branches = plan.branches.map((branch) => {
      const bound = new Set(shared)
      const { value: operand } = branch
      const read = readOperand(operand)
      const line = branch.at.line
      const isConstant = operand.kind === 'constant'
      const end: Run = (frame) => {
        const value = read(frame)
        frame.context.query.covered?.(plan.file, line)
        if (frame.value === undefined) frame.value = value
        else if (!equal(frame.value, value)) throw conflict(plan, node)
        return isConstant
      }
      return bodyCode(branch.steps, bound, end, { program: this, file: plan.file })
    })
    const [first] = plan.branches
    const constant =
      plan.branches.length === 1 && first?.value.kind === 'constant'
        ? first.value.value
        : undefined
    return { plan, args, branches, constant }
  }

  #partialCode(node: DocNode): RuleIndex<PartialCode> {
    return (this.#partial[node.id] ??= indexRules(
      node.rules.map((plan): PartialCode => {
        const [branch] = plan.branches
        if (branch === undefined) throw new Error('a rule without a body')
        const value = readOperand(branch.value)
        const keys = plan.keys.map(readOperand)
        const line = branch.at.line
        const { path } = node
        const end: Run = (frame) => {
          const { builder } = frame as PartialFrame
          frame.context.query.covered?.(plan.file, line)
          const prefix: Value[] = path.slice(builder.depth)
          for (const read of keys) prefix.push(read(frame))
          if (plan.multi) builder.addMember(prefix, value(frame))
          else builder.add(prefix, value(frame))
          return false
        }
        const code = { program: this, file: plan.file }
        return { plan, run: bodyCode(branch.steps, new Set(), end, code) }
      }),
    ))
  }
}

function runRule(
  rule: RuleCode,
  context: Context,
  args: readonly Value[],
): Value | undefined {
  if (--context.query.meter.left < 0) context.query.meter.refill()
  const frame = new Frame(context, rule.plan.slots.length)
  for (let i = 0; i < rule.args.length; i++) {
    if (!(rule.args[i] as Match)(frame, args[i] as Value)) return undefined
  }
  for (const branch of rule.branches) {
    branch(frame)
    if (frame.value !== undefined) return frame.value
  }
  return undefined
}

/** Calls are remembered by their arguments when those are few and short. */
function memoKey(args: readonly Value[]): string | undefined {
  let key = ''
  for (const arg of args) {
    if (typeof arg === 'object' && arg !== null) return undefined
    const part = keyOf(arg)
    if (typeof part === 'string' && part.length > 100) return undefined
    key += typeof part === 'string' ? `${part.length}:${part}` : `${String(part)};`
  }
  return key
}

/** What rules with variables give at a key, and what rules below that key give. */
function join(own: Value, below: Value, node: DocNode): Value {
  if (own instanceof RegoSet && below instanceof RegoSet) {
    return setOf([...own, ...below])
  }
  if (own instanceof RegoObject && below instanceof RegoObject) {
    const builder = new ObjectBuilder()
    for (const [key, value] of own) builder.set(key, value)
    for (const [key, value] of below) {
      const before = own.get(key)
      builder.set(key, before === undefined ? value : join(before, value, node))
    }
    return builder.build()
  }
  if (equal(own, below)) return own
  throw new EvalError('eval_conflict_error', 'object keys must be unique', placeOf(node))
}

/** In a whole document base data hides what rules give, save where both are objects. */
function preferBase(base: Value | undefined, made: Value | undefined): Value | undefined {
  if (base === undefined || made === undefined) return base ?? made
  if (!(base instanceof RegoObject && made instanceof RegoObject)) return base
  const builder = new ObjectBuilder()
  for (const [key, value] of made) builder.set(key, value)
  for (const [key, value] of base) {
    builder.set(key, preferBase(value, made.get(key)) ?? value)
  }
  return builder.build()
}

function baseValue(context: Context, node: DocNode): Value | undefined {
  let value: Value | undefined = context.data
  for (const name of node.path)
    value = value === undefined ? undefined : member(value, name)
  return value
}

function conflict(plan: RulePlan, node: DocNode): EvalError {
  const what =
    node.kind === 'function'
      ? 'functions must not produce multiple outputs for same inputs'
      : 'complete rules must not produce multiple outputs'
  return new EvalError('eval_conflict_error', what, placeOfPlan(plan))
}

function placeOfPlan(plan: RulePlan): Place {
  return { file: plan.file, line: plan.at.line, column: plan.at.column }
}

function placeOf(node: DocNode): Place & { depth: number } {
  const [plan] = node.rules
  const place = plan === undefined ? { file: '', line: 1, column: 1 } : placeOfPlan(plan)
  return { ...place, depth: node.path.length }
}
