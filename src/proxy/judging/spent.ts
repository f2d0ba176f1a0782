/**
 * What is refused only because its money is spent may go to who takes none, where a fallback of
 * the configuration is there for that. Whatever else stands against a request stands.
 */
import type { Decision } from '../../policy/engine.js'

/** Shipped policies that hold to amounts, of money or of tokens. */
const OF_AMOUNTS: ReadonlySet<string> = new Set(['budget', 'cost_limit'])

/** Tokens are used there as anywhere. */
const OF_TOKENS = /\btokens\b/

/**
 * `isSpare`: there is one who takes it. The same decision where more than money stands against
 * the request.
 */
export function spared(decision: Decision, isSpare: () => boolean): Decision {
  const why = spentReason(decision)
  if (why === undefined || !isSpare()) return decision
  const base = policiesOf(decision)
  const { refusal: _refusal, instead: _instead, ...left } = base
  const notes = [
    ...(base.notes ?? []),
    `${why}: it may go to a fallback that costs nothing`,
  ]
  if (!base.enforce) return { ...left, notes, isSpent: true }
  return {
    ...left,
    ...{ enforce: false, effect: 'alert', verdict: 'alert', blockers: [] },
    ...{ notes, isSpent: true },
  }
}

/** Undefined: it is not refused, or not for money alone. */
function spentReason(decision: Decision): string | undefined {
  const { refusal, reason = '' } = decision
  const { enforce, blockers } = policiesOf(decision)
  if (enforce && !(blockers.length > 0 && blockers.every(isOfMoney))) return undefined
  if (refusal !== undefined)
    return refusal.code === 'YORI_KEY_BUDGET_SPENT' ? refusal.detail : undefined
  return enforce ? reason : undefined
}

function policiesOf(decision: Decision): Decision {
  return decision.refusal === undefined ? decision : (decision.instead ?? decision)
}

function isOfMoney({ policy, reason }: Decision['blockers'][number]): boolean {
  return OF_AMOUNTS.has(policy) && !OF_TOKENS.test(reason)
}
