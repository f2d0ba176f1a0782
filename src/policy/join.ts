/**
 * Opinions that come after the policies' own, of programs that look at what they left: weighed
 * by the same rules of mode, precedence and of who is let past, and joined to what was decided.
 * Pure.
 */
import type { Bypass } from './bypass.js'
import { compareVoices } from './combine.js'
import type { Voice } from './combine.js'
import type { Mode } from './consent.js'
import { letPast, verdictOf } from './engine.js'
import type { Decision } from './engine.js'

export interface JoinRules {
  readonly mode: Mode
  /** As of `EngineOptions`. */
  readonly mayBlock: boolean
  /** Asked only when something would block. */
  readonly bypass: (policy: string) => Bypass | undefined
}

/** `voices`: none of `allow`. What was decided stands where none of them is stronger. */
export function joined(
  decision: Decision,
  voices: readonly Voice[],
  rules: JoinRules,
): Decision {
  const sorted = voices.toSorted(compareVoices)
  const [strongest] = sorted
  if (strongest === undefined) return decision
  const blocks = sorted.filter(({ effect }) => effect === 'block')
  const { blockers: more, bypass: past, spent } = letPast(blocks, rules)
  const blockers = [...decision.blockers, ...more].toSorted(compareVoices)
  const bypass = blockers.length > 0 ? undefined : (decision.bypass ?? past)
  const before = voiceIn(decision)
  const winner = blockers[0] ?? strongestOf(before, strongest)
  const others = [
    ...(before === undefined ? [] : [before]),
    ...decision.others,
    ...sorted,
  ]
  const isNew = winner.policy !== decision.policy
  return {
    ...decision,
    enforce: blockers.length > 0 && rules.mayBlock,
    effect: winner.effect,
    verdict: verdictOf(winner, bypass, rules),
    policy: winner.policy,
    reason: winner.reason,
    message: isNew ? undefined : decision.message,
    bypass,
    blockers,
    spent: [...decision.spent, ...(blockers.length > 0 ? [] : spent)],
    redacted: blockers.length > 0 && rules.mayBlock ? undefined : decision.redacted,
    deviceName: bypass?.deviceName ?? decision.deviceName,
    others: others.filter(({ policy }) => policy !== winner.policy),
  }
}

/** That of policies, where they had one. */
function voiceIn({ policy, effect, reason, blockers }: Decision): Voice | undefined {
  if (policy === undefined) return undefined
  const known = blockers.find((voice) => voice.policy === policy)
  if (known !== undefined) return known
  return { policy, effect, reason: reason ?? '', order: 0, explicitAllow: false }
}

/** What policies said counts where both are as strong. */
function strongestOf(before: Voice | undefined, after: Voice): Voice {
  if (before === undefined) return after
  return compareVoices({ ...before, order: after.order, policy: '' }, after) <= 0
    ? before
    : after
}
