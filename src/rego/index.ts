/**
 * Rego, the policy language, evaluated in process: `compileModules` reads and checks policies,
 * a `Policy` answers queries. Pure: time, randomness and limits come as arguments.
 */
import { builtins } from './builtins/index.js'
import { compileTree } from './compile.js'
import { intrinsicNames } from './intrinsics.js'
import { parseModule } from './parser.js'
import { Policy } from './policy.js'
import { Program } from './program.js'
import { problem } from './result.js'
import { standInsFor } from './unsupported.js'
import type { Module, RegoVersion } from './ast.js'
import type { Builtin } from './builtin.js'
import type { RegoError } from './errors.js'

export type { RegoVersion } from './ast.js'
export type { Builtin, BuiltinContext } from './builtin.js'
export type { RegoError, EvalErrorCode, LoadErrorCode } from './errors.js'
export { describeLoadError } from './errors.js'
export type { EvaluateOptions } from './options.js'
export type { Policy } from './policy.js'
export type {
  DocumentResult,
  EvaluationFailure,
  PreparedQuery,
  QueryResult,
  Row,
} from './result.js'
export { fromJsonText, regoToString, toJsonText } from './text.js'
export * from './value.js'

export interface CompileOptions {
  /** How to read modules that do not import `rego.v1`. Default `v1`. */
  readonly version?: RegoVersion
  /** Built-ins beside, or in place of, the language's own. */
  readonly builtins?: readonly Builtin[]
}

export interface SourceFile {
  readonly name: string
  readonly text: string
}

export type CompileResult =
  | { readonly kind: 'ok'; readonly policy: Policy }
  | { readonly kind: 'invalid'; readonly errors: readonly RegoError[] }

export function compileModules(
  files: readonly SourceFile[],
  options: CompileOptions = {},
): CompileResult {
  const modules: Module[] = []
  const errors: RegoError[] = []
  for (const { name, text } of files) {
    try {
      modules.push(parseModule(name, text, options.version ?? 'v1'))
    } catch (cause) {
      errors.push(problem(name, cause))
    }
  }
  if (errors.length > 0) return { kind: 'invalid', errors }
  const known = builtinMap([...standInsFor(modules), ...(options.builtins ?? [])])
  const compiled = compileTree(modules, known)
  if (compiled.errors.length > 0) return { kind: 'invalid', errors: compiled.errors }
  return { kind: 'ok', policy: new Policy(new Program(compiled.tree, known), modules) }
}

function builtinMap(more: readonly Builtin[]): ReadonlyMap<string, Builtin> {
  const map = new Map<string, Builtin>()
  for (const builtin of [...builtins, ...more]) map.set(builtin.name, builtin)
  for (const [name, builtin] of intrinsicNames) map.set(name, builtin)
  return map
}
