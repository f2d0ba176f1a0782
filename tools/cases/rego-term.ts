/** A value written in Rego, sets included. */
import { compileModules } from '@yori/rego'
import type { Value } from '@yori/rego'

export function parseTerm(text: string): Value {
  const file = { name: 'term.rego', text: `package term\n\nvalue := ${text}\n` }
  const compiled = compileModules([file])
  if (compiled.kind === 'invalid') throw new Error(compiled.errors[0]?.message)
  const result = compiled.policy.evaluate('data.term.value')
  if (result.kind !== 'value') throw new Error(`no value: ${text}`)
  return result.value
}
