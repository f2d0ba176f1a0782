/**
 * What the rule `redactions` of a policy file says, as what is to be taken out: a set of
 * `{"finding": "email"}`, `{"text": "Lindenweg 4", "label": "address"}`,
 * `{"pointer": "/messages/0/content", "label": "prompt"}`, the last with `start` and `end` for a
 * part of the text there. A policy that says `redact` and not what means all that was found.
 */
import type { Redaction } from '../core/redaction.js'
import type { PolicyInput } from './policy.js'

const DEFAULT_LABEL = 'private'

/** @throws Error for a rule that says something else: what follows is the policy's `fail_mode` */
export function redactionsOf(
  policy: string,
  said: unknown,
  input: Pick<PolicyInput, 'findings'>,
): readonly Redaction[] {
  if (said === undefined) {
    return input.findings.length > 0 ? [{ kind: 'finding', of: '*' }] : []
  }
  const redactions = Array.isArray(said) ? said.map(redactionOf) : [undefined]
  if (redactions.every((one) => one !== undefined)) return redactions
  throw new Error(
    `${policy}: redactions is no set of {"finding"}, {"text"} or {"pointer"}`,
  )
}

function redactionOf(said: unknown): Redaction | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const { finding, text, pointer, start, end, label = DEFAULT_LABEL } = said as Said
  if (typeof label !== 'string') return undefined
  if (typeof finding === 'string') return { kind: 'finding', of: finding }
  if (typeof text === 'string') return { kind: 'text', text, label }
  if (typeof pointer !== 'string') return undefined
  if (start === undefined && end === undefined) return { kind: 'value', pointer, label }
  if (typeof start !== 'number' || typeof end !== 'number') return undefined
  return { kind: 'span', pointer, start, end, label }
}

interface Said {
  readonly finding?: unknown
  readonly text?: unknown
  readonly pointer?: unknown
  readonly start?: unknown
  readonly end?: unknown
  readonly label?: unknown
}
