/** What `# METADATA` comments say: for `rego.metadata.chain()` and `rego.metadata.rule()`. */
import { LoadError } from './errors.js'
import type { Module, Rule } from './ast.js'
import type { Value } from './value.js'

export interface AnnotatedRule {
  readonly module: Module
  readonly rule: Rule
  readonly path: readonly string[]
}

export function annotationsOf(
  _modules: readonly Module[],
  { rule }: AnnotatedRule,
  which: 'chain' | 'rule',
): Value {
  throw new LoadError(
    'rego_type_error',
    `undefined function rego.metadata.${which}`,
    rule.at,
  )
}
