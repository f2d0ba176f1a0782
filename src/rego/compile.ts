/**
 * Modules to a program: hangs the rules in their tree, lowers them, orders their bodies, and
 * refuses what contradicts itself or calls itself. Every problem is reported, not the first.
 */
import { LoadError, unreachable } from './errors.js'
import { Lowering } from './lower.js'
import { globalsOf } from './names.js'
import { requireBound, schedule } from './schedule.js'
import { RuleTree } from './tree.js'
import { isUnsupported } from './unsupported.js'
import type { Builtin } from './builtin.js'
import type { Location, Module, Rule, Term } from './ast.js'
import type { RegoError } from './errors.js'
import type { LowerContext } from './lower.js'
import type { Global } from './names.js'
import type { Branch, Operand, RulePlan, Scope, Step } from './plan.js'
import type { DocNode } from './plan.js'
import type { HeadShape } from './tree.js'
import { checkRecursion } from './recursion.js'

export interface Compiled {
  readonly tree: RuleTree
  readonly errors: readonly RegoError[]
}

interface Hung {
  readonly module: Module
  readonly rule: Rule
  readonly node: DocNode
  readonly ground: readonly string[]
  readonly keys: readonly Term[]
}

const TRUE: Operand = { kind: 'constant', value: true }

export function compileTree(
  modules: readonly Module[],
  builtins: ReadonlyMap<string, Builtin>,
): Compiled {
  const tree = new RuleTree()
  const errors: RegoError[] = []
  const report = (file: string, cause: unknown): void => {
    if (!(cause instanceof LoadError)) throw cause
    const { line, column, code, message } = cause
    errors.push({ file, line, column, code, message })
  }
  const hung: Hung[] = []
  for (const module of modules) {
    for (const rule of module.rules) {
      try {
        hung.push(hang(tree, module, rule))
      } catch (cause) {
        report(module.file, cause)
      }
    }
  }
  for (const module of modules) {
    try {
      checkPackage(tree, module)
    } catch (cause) {
      report(module.file, cause)
    }
  }
  if (errors.length > 0) return { tree, errors }
  const globals = moduleGlobals(modules)
  for (const one of hung) {
    try {
      add(one, lowerRule(one, { globals, tree, builtins }))
    } catch (cause) {
      report(one.module.file, cause)
    }
  }
  errors.push(...tree.checkOverlaps())
  if (errors.length === 0) errors.push(...checkRecursion(tree))
  return { tree, errors }
}

function checkPackage(tree: RuleTree, module: Module): void {
  const node = tree.make(module.package)
  if (node.kind !== 'none') {
    const message = `package ${node.name} conflicts with rule ${node.name}`
    throw new LoadError('rego_type_error', message, module.packageAt)
  }
  node.isPackage = true
  const seen = new Set<string>()
  for (const { path, alias, at } of module.imports) {
    if (path[0] === 'future' || path[0] === 'rego') continue
    const name = alias ?? path.at(-1) ?? ''
    if (seen.has(name) && module.version === 'v1') {
      throw new LoadError(
        'rego_compile_error',
        `import must not shadow import ${name}`,
        at,
      )
    }
    seen.add(name)
  }
}

/** What names mean in each module: rules of its package, in whatever module, and imports. */
function moduleGlobals(
  modules: readonly Module[],
): ReadonlyMap<Module, ReadonlyMap<string, Global>> {
  const names = new Map<string, Set<string>>()
  for (const module of modules) {
    const key = JSON.stringify(module.package)
    const set = names.get(key) ?? new Set<string>()
    for (const rule of module.rules) set.add(rule.head.name.name)
    names.set(key, set)
  }
  return new Map(
    modules.map((module) => {
      const own = names.get(JSON.stringify(module.package)) ?? new Set<string>()
      return [module, globalsOf(module, own)]
    }),
  )
}

/** Finds the rule's node: the constant strings of its head, up to the first other key. */
function hang(tree: RuleTree, module: Module, rule: Rule): Hung {
  const { head } = rule
  const ground = [...module.package, head.name.name]
  let index = 0
  for (; index < head.path.length; index++) {
    const part = head.path[index] as Term
    if (part.kind !== 'scalar' || typeof part.value !== 'string') break
    ground.push(part.value)
  }
  const keys = head.path.slice(index)
  const shape = shapeOf(rule, keys)
  const { name } = head.name
  if ((name === 'data' || name === 'input') && head.path.length === 0) {
    throw new LoadError(
      'rego_compile_error',
      `rules must not shadow ${name} (use a different rule name)`,
      rule.at,
    )
  }
  return { module, rule, node: tree.declare(ground, shape), ground, keys }
}

function shapeOf(rule: Rule, keys: readonly Term[]): HeadShape {
  const { head, isDefault, at } = rule
  if (head.args !== undefined) {
    if (keys.length > 0) {
      throw new LoadError(
        'rego_type_error',
        'a function cannot have variables in its name',
        at,
      )
    }
    return { kind: 'function', arity: head.args.length, isDefault, at }
  }
  if (keys.length > 0) return { kind: 'object', arity: 0, isDefault, at }
  return { kind: head.member === undefined ? 'complete' : 'set', arity: 0, isDefault, at }
}

function add(hung: Hung, plan: RulePlan): void {
  const { node, rule } = hung
  if (!plan.isDefault) {
    node.rules.push(plan)
    return
  }
  if (node.defaultRule !== undefined) {
    const message = `multiple default rules ${node.name} found`
    throw new LoadError('rego_type_error', message, rule.at)
  }
  if (node.kind === 'object' || node.kind === 'set') {
    throw new LoadError(
      'rego_type_error',
      `conflicting rules ${node.name} found`,
      rule.at,
    )
  }
  node.defaultRule = plan
}

interface Surroundings {
  readonly globals: ReadonlyMap<Module, ReadonlyMap<string, Global>>
  readonly tree: RuleTree
  readonly builtins: ReadonlyMap<string, Builtin>
}

function lowerContext(hung: Hung, around: Surroundings): LowerContext {
  return {
    globals: around.globals.get(hung.module) ?? new Map<string, Global>(),
    tree: around.tree,
    isUnsupported,
    arityOf: (name) => around.builtins.get(name)?.arity,
  }
}

function lowerRule(hung: Hung, around: Surroundings): RulePlan {
  const { module, rule, keys } = hung
  const { head, isDefault, at } = rule
  const lowering = new Lowering(lowerContext(hung, around))
  const argScope = lowering.names.bare('arguments')
  const later: ArgumentTerm[] = []
  const args = (head.args ?? []).map((arg) => argument(lowering, arg, argScope, later))
  const bound = new Set<number>()
  for (const arg of args) for (const slot of slotsIn(arg)) bound.add(slot)
  if (isDefault) checkDefault(rule)
  const leaf = head.member ?? head.value
  const first = branchOf(lowering, {
    scope: lowering.names.scope('body', argScope, rule.body, [
      ...keys,
      ...(leaf === undefined ? [] : [leaf]),
    ]),
    later,
    bound,
    body: rule.body,
    keys,
    value: leaf,
    at,
  })
  const rest = rule.elses.map((branch) =>
    branchOf(lowering, {
      scope: lowering.names.scope(
        'body',
        argScope,
        branch.body,
        branch.value === undefined ? [] : [branch.value],
      ),
      later,
      bound,
      body: branch.body,
      keys: [],
      value: branch.value,
      at: branch.at,
    }),
  )
  return {
    file: module.file,
    at,
    isDefault,
    args,
    keys: first.keys,
    multi: head.member !== undefined,
    branches: [first.branch, ...rest.map(({ branch }) => branch)],
    slots: lowering.names.slots,
  }
}

interface BranchSource {
  readonly scope: Scope
  readonly later: readonly ArgumentTerm[]
  readonly bound: ReadonlySet<number>
  readonly body: Rule['body']
  readonly keys: readonly Term[]
  readonly value: Term | undefined
  readonly at: Location
}

function branchOf(
  lowering: Lowering,
  source: BranchSource,
): { branch: Branch; keys: Operand[] } {
  const { scope, at } = source
  const steps: Step[] = []
  const place = { scope, steps }
  lowering.body(source.body, place)
  for (const { term, slot } of source.later) {
    const right = lowering.term(term, place)
    steps.push({ kind: 'equal', left: { kind: 'slot', slot }, right, at: term.at })
  }
  const keys = source.keys.map((key) => lowering.term(key, place))
  const value = source.value === undefined ? TRUE : lowering.term(source.value, place)
  const bound = new Set(source.bound)
  schedule(steps, bound, lowering.names.slots)
  requireBound([...keys, value], bound, lowering.names.slots)
  return { branch: { steps, value, at }, keys }
}

/** An argument that is no pattern: the body compares it with what is given. */
interface ArgumentTerm {
  readonly term: Term
  readonly slot: number
}

/** Declares the variables of an argument. */
function argument(
  lowering: Lowering,
  term: Term,
  scope: Scope,
  later: ArgumentTerm[],
): Operand {
  switch (term.kind) {
    case 'scalar':
      return { kind: 'constant', value: term.value }
    case 'var': {
      const known = scope.declared.get(term.name)
      const slot = known ?? lowering.names.declareSlot(term.name, scope, term.at)
      return { kind: 'slot', slot }
    }
    case 'array': {
      const items = term.items.map((item) => argument(lowering, item, scope, later))
      return { kind: 'array', items }
    }
    case 'object': {
      const items = term.items.map(
        ([key, value]) =>
          [
            argument(lowering, key, scope, later),
            argument(lowering, value, scope, later),
          ] as const,
      )
      return { kind: 'object', items }
    }
    case 'set':
    case 'ref':
    case 'call':
    case 'comprehension':
    case 'template': {
      const slot = lowering.names.declareSlot('_', scope, term.at)
      later.push({ term, slot })
      return { kind: 'slot', slot }
    }
    default:
      return unreachable(term)
  }
}

function* slotsIn(operand: Operand): Generator<number> {
  if (operand.kind === 'slot') yield operand.slot
  else if (operand.kind === 'array' || operand.kind === 'set') {
    for (const item of operand.items) yield* slotsIn(item)
  } else if (operand.kind === 'object') {
    for (const [, value] of operand.items) yield* slotsIn(value)
  }
}

function checkDefault(rule: Rule): void {
  const { head } = rule
  const bad = (term: Term): boolean => {
    switch (term.kind) {
      case 'scalar':
      case 'comprehension':
        return false
      case 'array':
      case 'set':
        return term.items.some(bad)
      case 'object':
        return term.items.some(([key, value]) => bad(key) || bad(value))
      case 'var':
      case 'ref':
      case 'call':
      case 'template':
        return true
      default:
        return unreachable(term)
    }
  }
  if (head.value !== undefined && bad(head.value)) {
    throw new LoadError(
      'rego_parse_error',
      `default rule value cannot contain ${head.value.kind}`,
      rule.at,
    )
  }
  if (head.args?.some((arg) => arg.kind !== 'var') === true) {
    throw new LoadError(
      'rego_compile_error',
      'default functions must have variables as arguments only',
      rule.at,
    )
  }
}
