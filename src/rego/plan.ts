/**
 * Rules between syntax and code: variables are slots of a frame, nested calls and references
 * are steps of their own, and names are resolved. `lower.ts` makes plans, `schedule.ts` orders
 * their steps, `code.ts` turns them into functions.
 */
import type { Location } from './ast.js'
import type { Value } from './value.js'

/** A value, a variable, or a pattern of both. Never undefined once its slots are bound. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'array'; readonly items: readonly Operand[] }
  | { readonly kind: 'set'; readonly items: readonly Operand[] }
  | { readonly kind: 'object'; readonly items: readonly (readonly [Operand, Operand])[] }

export type Root = 'input' | 'data' | Operand

export type Step =
  | {
      readonly kind: 'unify'
      readonly left: Operand
      readonly right: Operand
      readonly at: Location
    }
  /** As unify, and binds nothing (`==`). */
  | {
      readonly kind: 'equal'
      readonly left: Operand
      readonly right: Operand
      readonly at: Location
    }
  /** Not false. */
  | { readonly kind: 'test'; readonly operand: Operand; readonly at: Location }
  | RefStep
  | CallStep
  | ComprehensionStep
  | {
      readonly kind: 'not'
      readonly scope: Scope
      readonly body: Step[]
      readonly at: Location
    }
  | EveryStep
  | {
      readonly kind: 'with'
      readonly changes: readonly Change[]
      readonly body: Step[]
      readonly at: Location
    }

/** `out = root[path]...` for each path that exists. Without `out`: the value is not false. */
export interface RefStep {
  readonly kind: 'ref'
  readonly root: Root
  readonly path: readonly Operand[]
  readonly out: Operand | undefined
  readonly at: Location
}

/** Without `out`: the result is neither undefined nor false. */
export interface CallStep {
  readonly kind: 'call'
  readonly callee: Callee
  readonly args: readonly Operand[]
  readonly out: Operand | undefined
  readonly at: Location
}

export type Callee =
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'function'; readonly node: DocNode }

export interface ComprehensionStep {
  readonly kind: 'comprehension'
  readonly of: 'array' | 'set' | 'object'
  readonly scope: Scope
  readonly key: Operand | undefined
  readonly head: Operand
  readonly body: Step[]
  readonly out: number
  readonly at: Location
}

export interface EveryStep {
  readonly kind: 'every'
  readonly scope: Scope
  readonly domain: Operand
  readonly key: number | undefined
  readonly value: number
  readonly body: Step[]
  readonly at: Location
}

export type Change =
  | { readonly kind: 'input'; readonly path: readonly Value[]; readonly value: Operand }
  | { readonly kind: 'data'; readonly path: readonly Value[]; readonly value: Operand }
  | { readonly kind: 'function'; readonly name: string; readonly by: Replacement }

export type Replacement =
  | { readonly kind: 'callee'; readonly callee: Callee }
  | { readonly kind: 'value'; readonly value: Operand }

/**
 * Where names belong: `arguments` of a function, the `body` of a rule or a query, a `closure`
 * (comprehension, `every`), or a `part` of the body around it that declares nothing (a negated
 * expression, a piece of a template).
 */
export type ScopeKind = 'arguments' | 'body' | 'closure' | 'part'

/** A body's own names: closures have one each, inside that of the body around them. */
export interface Scope {
  readonly kind: ScopeKind
  readonly parent: Scope | undefined
  /** Declared by `some`, `:=`, `every` or as an argument, so far. */
  readonly declared: Map<string, number>
  /** Names that the body itself declares, wherever in it. */
  readonly declares: ReadonlySet<string>
  /** Names that occur in the body itself, closures aside. */
  readonly own: ReadonlySet<string>
  /** Slots of names that were never declared. */
  readonly implicit: Map<string, number>
}

export interface SlotInfo {
  /** What the author wrote; undefined for what the compiler made up. */
  readonly name: string | undefined
  readonly scope: Scope
  readonly at: Location
}

/** One body with the value that it gives. */
export interface Branch {
  readonly steps: Step[]
  readonly value: Operand
  readonly at: Location
}

export interface RulePlan {
  readonly file: string
  readonly at: Location
  readonly isDefault: boolean
  readonly args: readonly Operand[]
  /** What follows the constant part of the head: patterns of a partial document's keys. */
  readonly keys: readonly Operand[]
  /** The leaf is a set to which `value` is added. */
  readonly multi: boolean
  /** The first body, then those of `else`. */
  readonly branches: readonly Branch[]
  readonly slots: readonly SlotInfo[]
}

/** What the rules at one path make of it. */
export type DocKind = 'none' | 'complete' | 'function' | 'set' | 'object'

export class DocNode {
  readonly id: number
  readonly path: readonly string[]
  readonly children = new Map<string, DocNode>()
  kind: DocKind = 'none'
  isPackage = false
  arity = 0
  readonly rules: RulePlan[] = []
  defaultRule: RulePlan | undefined

  constructor(id: number, path: readonly string[]) {
    this.id = id
    this.path = path
  }

  get name(): string {
    return ['data', ...this.path].join('.')
  }
}

/** Is `inner` this scope or one inside it? */
export function isWithin(inner: Scope, outer: Scope): boolean {
  for (let scope: Scope | undefined = inner; scope !== undefined; scope = scope.parent) {
    if (scope === outer) return true
  }
  return false
}

/** Name of a called function, as it is written in full. */
export function calleeName(callee: Callee): string {
  return callee.kind === 'builtin' ? callee.name : ['data', ...callee.node.path].join('.')
}
