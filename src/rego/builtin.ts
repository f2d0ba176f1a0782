/**
 * What a built-in function is to the evaluator. The functions themselves live in `builtins/`.
 */
import type { RegexEngine } from './regex.js'
import type { TypeSpec } from './type-spec.js'
import type { Value } from './value.js'

export interface Builtin {
  readonly name: string
  /** Number of operands; -1 for any number of them (`print`). */
  readonly arity: number
  /** Declared types of the operands, as many as `arity`; none when that is -1. */
  readonly args: readonly TypeSpec[]
  readonly result: TypeSpec
  /** The result is a list of alternatives, each unified in turn (`walk`). */
  readonly relation?: boolean
  /**
   * May give another answer for the same arguments outside of one query (`time.now_ns`,
   * `rand.intn`); within one query it is remembered by its arguments.
   */
  readonly nondeterministic?: boolean
  /**
   * `undefined` is Rego's undefined. Throws BuiltinError for operands that the function
   * refuses. `args` has `arity` members (any number when `arity` is -1) and must not change.
   */
  evaluate(args: readonly Value[], context: BuiltinContext): Value | undefined
}

/** What an evaluation gives to the built-ins that it calls. */
export interface BuiltinContext {
  /** Wall clock of the query, nanoseconds since the Unix epoch; the same throughout a query. */
  readonly nowNs: bigint
  /** A seeded generator: a double in `[0, 1)`. */
  random(): number
  /** Spends `count` of the step budget; throws when it is gone. For work beyond O(1). */
  step(count: number): void
  readonly regex: RegexEngine
  /** Where `print` goes. */
  print(message: string): void
  /** Where `trace` goes. */
  trace(message: string): void
  /** Memory of one query, for built-ins that keep something between calls. */
  readonly cache: Map<string, unknown>
}

/**
 * `type` errors are operands of the wrong type. `limit` is work that OPA would do and this
 * evaluator will not: it ends the evaluation, since undefined would be a wrong answer. All
 * others are `builtin`.
 */
export type BuiltinErrorKind = 'type' | 'builtin' | 'limit'

/**
 * A built-in refused its operands. Ordinary evaluation takes it as undefined; strict
 * evaluation reports it, `eval_type_error` or `eval_builtin_error` by its kind.
 */
export class BuiltinError extends Error {
  readonly builtin: string
  readonly kind: BuiltinErrorKind

  constructor(builtin: string, message: string, kind: BuiltinErrorKind = 'builtin') {
    super(`${builtin}: ${message}`)
    this.name = 'BuiltinError'
    this.builtin = builtin
    this.kind = kind
  }
}
