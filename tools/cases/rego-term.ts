/** A value written in Rego, sets included. */
import { compileModules } from '../../src/rego/index.js'
import type { Value } from '../../src/rego/index.js'

export function parseTerm(text: string): Value {
  const file = { name: 'term.rego', text: `package term\n\nvalue := ${text}\n` }
  const compiled = compileModules([file])
  if (compiled.kind === 'invalid') throw new Error(compiled.errors[0]?.message)
  const result = compiled.policy.evaluate('data.term.value')
  if (result.kind !== 'value') throw new Error(`no value: ${text}`)
  return result.value
}
