/** What checks of an agent's risks are given, and what they tell. */

/** One session as the record knows it. */
export interface SessionFacts {
  readonly id: string
  readonly tokens: number
  readonly minutes: number
  /** Names of the tools that the model called, each as often. */
  readonly tools: readonly string[]
  /** The newest of its requests. */
  readonly request: string
}

/** Something that a detector found, or a policy said, in one request. */
export interface RequestFact {
  readonly request: string
  readonly session: string | null
  /** Of what was found, its kind; else the policy. */
  readonly name: string
  /** What the policy said. */
  readonly reason: string
}

export interface RiskFacts {
  /** The newest first, bounded. */
  readonly sessions: readonly SessionFacts[]
  readonly models: readonly string[]
  readonly offered: readonly string[]
  readonly calls: number
  readonly errors: number
  readonly uninspected: number
  readonly findings: readonly RequestFact[]
  readonly judged: readonly RequestFact[]
}

export type OwaspId = 'LLM01' | 'LLM02' | 'LLM03' | 'LLM06' | 'LLM10'

export type CheckStatus = 'passed' | 'warning' | 'critical' | 'not_enough'

export interface CheckResult {
  readonly status: CheckStatus
  /** What was measured, in words. */
  readonly says: string
  /** Requests that it rests on, the newest first; ten at most. */
  readonly evidence: readonly string[]
}

export interface Check {
  readonly id: string
  readonly owasp: OwaspId
  readonly title: string
  /** Of the record. */
  readonly looksAt: string
  readonly run: (facts: RiskFacts) => CheckResult
}

export type RiskStatus = 'ok' | 'warning' | 'evaluating'

export interface Assessment {
  readonly status: RiskStatus
  /** 0 is none, 100 the most. */
  readonly score: number
  readonly checks: readonly (Omit<Check, 'run'> & CheckResult)[]
}

/** Sessions before their likeness can be told. */
export const LEAST_SESSIONS = 5
