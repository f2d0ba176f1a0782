/** The words of what was used, by whom, in which period, and how it adds up. */
import type { Used } from '../core/record.js'

export type UsageScope = 'device' | 'group' | 'policy' | 'access'

export interface Spent {
  requests: number
  tokens: number
  /** Of what has a known cost. */
  microUsd: number
  /** Of the rest, at most. */
  atMostMicroUsd: number
}

export interface DayUse extends Spent {
  /** Minutes of the clock in which there was a request. */
  minutes: number
}

/** One period of one subject, as it is kept. `2026-03-04T12`, `2026-03-04` or `2026-03`. */
export interface UsageRow extends DayUse {
  readonly scope: UsageScope
  readonly name: string
  readonly period: string
}

/** For whom something counts. */
export interface Subjects {
  readonly device: string
  readonly groups: readonly string[]
  /** Of whoever asks by a key of ours: the key and whose it is. */
  readonly access?: readonly string[] | undefined
}

export function addUsed(spent: Spent, used: Used): void {
  spent.tokens = Math.max(0, spent.tokens + used.tokens)
  spent.microUsd = Math.max(0, spent.microUsd + used.microUsd)
  spent.atMostMicroUsd = Math.max(0, spent.atMostMicroUsd + used.atMostMicroUsd)
}

export function addTo(spent: Spent | DayUse, more: Readonly<DayUse>): void {
  spent.requests += more.requests
  spent.tokens += more.tokens
  spent.microUsd += more.microUsd
  spent.atMostMicroUsd += more.atMostMicroUsd
  if ('minutes' in spent) spent.minutes += more.minutes
}

export function noSpent(): Spent {
  return { requests: 0, tokens: 0, microUsd: 0, atMostMicroUsd: 0 }
}

export function noDay(): DayUse {
  return { ...noSpent(), minutes: 0 }
}
