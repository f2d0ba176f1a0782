/**
 * Built-ins that OPA has and this evaluator has not. A call of one is refused at load, by name.
 * Where a module replaces it (`with http.send as mock`, as tests do) the call is accepted, and
 * a run that reaches it without its replacement ends in an error: never in a wrong answer.
 */
import { unsupported } from './builtins/index.js'
import { EvalError } from './errors.js'
import { written } from './names.js'
import { t } from './type-spec.js'
import type { Builtin } from './builtin.js'
import type { Module, Term } from './ast.js'

const names: ReadonlySet<string> = new Set(unsupported)

export function isUnsupported(name: string): boolean {
  return names.has(name)
}

/** Stand-ins for the unsupported built-ins that `with` replaces somewhere in the modules. */
export function standInsFor(modules: readonly Module[]): Builtin[] {
  const replaced = new Set<string>()
  for (const module of modules) for (const rule of module.rules) collect(rule, replaced)
  return [...replaced].map((name) => ({
    name,
    arity: -1,
    args: [],
    result: t.any,
    evaluate: () => {
      throw new EvalError('eval_builtin_error', `${name} is not supported`)
    },
  }))
}

/** Walks syntax of any kind: the targets of `with` are all that matters here. */
function collect(node: unknown, replaced: Set<string>): void {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const item of node) collect(item, replaced)
    return
  }
  if ('withs' in node) {
    for (const { target } of node.withs as readonly { readonly target: Term }[]) {
      const name = written(target)
      if (names.has(name)) replaced.add(name)
    }
  }
  for (const key in node) {
    if (key !== 'at') collect(node[key as keyof typeof node], replaced)
  }
}
