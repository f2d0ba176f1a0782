/**
 * `@yori/rego`: Rego, the policy language, evaluated in process. `compileModules` reads and
 * checks policies, a `Policy` answers queries. Pure: time, randomness and limits come as
 * arguments. This file is all that others may import.
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
import type { DocumentResult } from './result.js'

export type { Module, RegoVersion } from './ast.js'
/** The syntax tree of a module, as `Policy.modules` shows it. */
export type * as Syntax from './ast.js'
export { BuiltinError } from './builtin.js'
export type { Builtin, BuiltinContext, BuiltinErrorKind } from './builtin.js'
export { yamlBuiltins, YamlSyntaxError } from './builtins/yaml.js'
export type { YamlCodec } from './builtins/yaml.js'
export type { EvalErrorCode, LoadErrorCode, Place, RegoError } from './errors.js'
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
export { fromJsonText, JsonError, regoToString, toJsonText } from './text.js'
export type { TypeSpec } from './type-spec.js'
export {
  BigDecimal,
  compare,
  compareNumbers,
  compareStrings,
  decimalOf,
  equal,
  fromJson,
  integerOf,
  isArray,
  isRegoNumber,
  keyOf,
  numberFromBigInt,
  numberFromDouble,
  numberFromText,
  numberToDouble,
  numberToText,
  ObjectBuilder,
  objectOf,
  RegoObject,
  RegoSet,
  SetBuilder,
  setOf,
  toJson,
  typeName,
} from './value.js'
export type { Key, RegoArray, RegoNumber, TypeName, Value } from './value.js'

/** How modules are read and what they may call. */
export interface CompileOptions {
  /** How to read modules that do not import `rego.v1`. Default `v1`. */
  readonly version?: RegoVersion
  /** Built-ins beside, or in place of, the language's own. */
  readonly builtins?: readonly Builtin[]
}

/** One module of Rego. */
export interface SourceFile {
  /** What errors call it; a path, as a rule. */
  readonly name: string
  readonly text: string
}

/** All modules, or every problem of all of them. */
export type CompileResult =
  | { readonly kind: 'ok'; readonly policy: Policy }
  | { readonly kind: 'invalid'; readonly errors: readonly RegoError[] }

/** What a module calls itself. */
export type PackageResult =
  | { readonly kind: 'ok'; readonly package: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: RegoError }

/**
 * Reads, resolves and checks modules together, as `opa build` would. Never throws for what a
 * text says: `invalid` lists every problem with its place, in the order of the files. Nothing is
 * evaluated, and the texts are not kept; a policy may be asked any number of times, by any
 * number of callers.
 */
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

/** The package of a module, without `data`; its first problem where it cannot be read. */
export function packageOf({ name, text }: SourceFile): PackageResult {
  try {
    return { kind: 'ok', package: parseModule(name, text, 'v1').package }
  } catch (cause) {
    return { kind: 'invalid', error: problem(name, cause) }
  }
}

/** `policy.evaluate(path, input, data, options)`, for those who prefer functions. */
export function evaluate(
  policy: Policy,
  ...asked: Parameters<Policy['evaluate']>
): DocumentResult {
  return policy.evaluate(...asked)
}

function builtinMap(more: readonly Builtin[]): ReadonlyMap<string, Builtin> {
  const map = new Map<string, Builtin>()
  for (const builtin of [...builtins, ...more]) map.set(builtin.name, builtin)
  for (const [name, builtin] of intrinsicNames) map.set(name, builtin)
  return map
}
