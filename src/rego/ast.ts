/**
 * The syntax tree, as the parser builds it and the printer writes it. Names are not resolved
 * here. Infix operators are calls of the built-in that they stand for (`+` is `plus`, `in` is
 * `internal.member_2`), so that there is one kind of call.
 */
import type { Value } from './value.js'

/** Lines and columns count from 1; columns in UTF-16 units. */
export interface Location {
  readonly line: number
  readonly column: number
}

export type Scalar = Extract<Value, null | boolean | string | number | bigint> | Value

export type Term =
  | { readonly kind: 'scalar'; readonly value: Scalar; readonly at: Location }
  | VarTerm
  | RefTerm
  | CallTerm
  | { readonly kind: 'array'; readonly items: readonly Term[]; readonly at: Location }
  | { readonly kind: 'set'; readonly items: readonly Term[]; readonly at: Location }
  | {
      readonly kind: 'object'
      readonly items: readonly (readonly [Term, Term])[]
      readonly at: Location
    }
  | ComprehensionTerm
  | TemplateTerm

/** `_` has the name `_`; each occurrence is a variable of its own. */
export interface VarTerm {
  readonly kind: 'var'
  readonly name: string
  readonly at: Location
}

/** `head[path][path]...`; `.name` is a string in the path. */
export interface RefTerm {
  readonly kind: 'ref'
  readonly head: Term
  readonly path: readonly Term[]
  readonly at: Location
}

export interface CallTerm {
  readonly kind: 'call'
  /** A variable, or a reference made of a variable and strings. */
  readonly operator: VarTerm | RefTerm
  readonly args: readonly Term[]
  readonly at: Location
}

export interface ComprehensionTerm {
  readonly kind: 'comprehension'
  readonly of: 'array' | 'set' | 'object'
  /** The key of an object comprehension. */
  readonly key?: Term
  readonly head: Term
  readonly body: Body
  readonly at: Location
}

/** `$"text {term}"`. */
export interface TemplateTerm {
  readonly kind: 'template'
  readonly parts: readonly TemplatePart[]
  readonly at: Location
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly literal: Literal }

export type Body = readonly Literal[]

export interface Literal {
  readonly negated: boolean
  readonly expression: Expression
  readonly withs: readonly With[]
  readonly at: Location
}

export type Expression =
  | { readonly kind: 'term'; readonly term: Term }
  | { readonly kind: 'unify'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'assign'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'some'; readonly names: readonly VarTerm[] }
  | {
      readonly kind: 'some-in'
      readonly key?: Term
      readonly value: Term
      readonly collection: Term
    }
  | {
      readonly kind: 'every'
      readonly key?: VarTerm
      readonly value: VarTerm
      readonly domain: Term
      readonly body: Body
    }

export interface With {
  readonly target: Term
  readonly value: Term
  readonly at: Location
}

export interface Head {
  /** The rule's name and what follows it: `p.a[x]` is `p`, `"a"`, `x`. */
  readonly name: VarTerm
  readonly path: readonly Term[]
  readonly args?: readonly Term[]
  /** The member that `contains` adds. */
  readonly member?: Term
  /** Absent: `true`. */
  readonly value?: Term
  readonly at: Location
}

export interface Rule {
  readonly isDefault: boolean
  readonly head: Head
  readonly body: Body
  /** The `else` branches in order. */
  readonly elses: readonly ElseBranch[]
  readonly at: Location
}

export interface ElseBranch {
  readonly value?: Term
  readonly body: Body
  readonly at: Location
}

export interface Import {
  /** `data.a.b`, `input.x`, `rego.v1`: the first name and the strings after it. */
  readonly path: readonly string[]
  readonly alias?: string
  readonly at: Location
}

export interface Comment {
  readonly text: string
  readonly at: Location
}

export type RegoVersion = 'v0' | 'v1'

export interface Module {
  readonly file: string
  readonly version: RegoVersion
  /** Without the leading `data`. */
  readonly package: readonly string[]
  readonly packageAt: Location
  readonly imports: readonly Import[]
  readonly rules: readonly Rule[]
  readonly comments: readonly Comment[]
}
