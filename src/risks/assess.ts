/**
 * What the traffic of one agent tells of its risks: checks by the OWASP list for applications of
 * language models (2025), each over what the record has, with what it rests on. Pure.
 */
import { CHECKS } from './checks.js'
import { LEAST_SESSIONS } from './words.js'
import type { Assessment, CheckStatus, RiskFacts } from './words.js'

/** What a check adds that does not pass, and from which sum on there is something to be minded. */
const WEIGHTS: Readonly<Record<CheckStatus, number>> = {
  passed: 0,
  not_enough: 0,
  warning: 10,
  critical: 30,
}
const WARNS_AT = 30

export function assess(facts: RiskFacts): Assessment {
  const checks = CHECKS.map(({ run, ...about }) => ({ ...about, ...run(facts) }))
  const sum = checks.reduce((total, { status }) => total + WEIGHTS[status], 0)
  const score = Math.min(100, sum)
  const isKnown = facts.sessions.length >= LEAST_SESSIONS
  return {
    status: score >= WARNS_AT ? 'warning' : isKnown ? 'ok' : 'evaluating',
    score,
    checks,
  }
}

/** Of the ten, what no traffic shows. */
export const NOT_VISIBLE: readonly { readonly owasp: string; readonly why: string }[] = [
  { owasp: 'LLM04', why: 'how a model was trained, and with what' },
  { owasp: 'LLM05', why: 'what a program does with an answer once it has it' },
  { owasp: 'LLM07', why: 'whether a system prompt holds what should not be told' },
  { owasp: 'LLM08', why: 'how documents are kept and found before they are sent' },
  { owasp: 'LLM09', why: 'whether what a model says is true' },
]
