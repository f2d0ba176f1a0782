/** Everything that can be wrong with a policy or its evaluation, by code. */

/** Codes as OPA has them, and `eval_budget_error`, `eval_deadline_error` for our own limits. */
export type LoadErrorCode =
  | 'rego_parse_error'
  | 'rego_compile_error'
  | 'rego_type_error'
  | 'rego_unsafe_var_error'
  | 'rego_recursion_error'

export type EvalErrorCode =
  | 'eval_conflict_error'
  | 'eval_builtin_error'
  | 'eval_type_error'
  | 'eval_with_merge_error'
  | 'eval_internal_error'
  | 'eval_budget_error'
  | 'eval_deadline_error'

/** A problem found at load; lines and columns count from 1. */
export interface RegoError {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: LoadErrorCode
  readonly message: string
}

export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Carries one problem from where it is found to where they are collected. */
export class LoadError extends Error {
  readonly code: LoadErrorCode
  readonly line: number
  readonly column: number

  constructor(
    code: LoadErrorCode,
    message: string,
    at: { readonly line: number; readonly column: number },
  ) {
    super(message)
    this.name = 'LoadError'
    this.code = code
    this.line = at.line
    this.column = at.column
  }
}

/** An evaluation that ended without an answer. */
export class EvalError extends Error {
  readonly code: EvalErrorCode
  readonly place: Place | undefined

  constructor(code: EvalErrorCode, message: string, place?: Place) {
    super(message)
    this.name = 'EvalError'
    this.code = code
    this.place = place
  }
}

/** One line: `file:line:column: code: message`. */
export function describeLoadError(error: RegoError): string {
  return `${error.file}:${error.line}:${error.column}: ${error.code}: ${error.message}`
}

/** Ends every `switch` over a union: a new variant without a case fails to compile here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
