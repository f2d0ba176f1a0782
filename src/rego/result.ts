/** What an evaluation answers. */
import { EvalError, LoadError } from './errors.js'
import type { EvaluateOptions } from './options.js'
import type { EvalErrorCode, Place, RegoError } from './errors.js'
import type { Value } from './value.js'

export interface EvaluationFailure {
  readonly kind: 'error'
  readonly code: EvalErrorCode
  readonly message: string
  readonly place?: Place
}

export type DocumentResult =
  | { readonly kind: 'value'; readonly value: Value; readonly steps: number }
  | { readonly kind: 'undefined'; readonly steps: number }
  | EvaluationFailure

export interface Row {
  /** The query's variables by their names. */
  readonly bindings: ReadonlyMap<string, Value>
  readonly expressions: readonly {
    readonly value: Value
    readonly text: string
    readonly line: number
    readonly column: number
  }[]
}

export type QueryResult =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly steps: number }
  | EvaluationFailure

/** A document worked out from an input; what the hot path keeps. */
export type PreparedQuery = (input?: unknown, options?: EvaluateOptions) => DocumentResult

/** A problem found at load, with its file. Rethrows what is none. */
export function problem(file: string, cause: unknown): RegoError {
  if (!(cause instanceof LoadError)) throw cause
  const { line, column, code, message } = cause
  return { file, line, column, code, message }
}

/** Why an evaluation ended. Rethrows what is a fault of our own. */
export function failure(cause: unknown): EvaluationFailure {
  if (cause instanceof EvalError) {
    const { code, message, place } = cause
    return place === undefined
      ? { kind: 'error', code, message }
      : { kind: 'error', code, message, place }
  }
  if (cause instanceof RangeError && cause.message.includes('call stack')) {
    const message = 'the policy nests more deeply than the stack allows'
    return { kind: 'error', code: 'eval_budget_error', message }
  }
  throw cause
}
