/**
 * A request that a policy holds for the word of an adult. Yes: it goes on. No, nothing said in
 * time, or no room: it is refused as any other, by a code that lets it pass when it is asked again.
 */
import { approvalCode } from '../../policy/approval.js'
import type { Decision } from '../../policy/engine.js'
import type { Word } from '../../household/holds.js'
import type { Blocked } from './blocking.js'

/** Only where all that blocks can be let past by that word. */
export function isHeld({ enforce, refusal, blockers }: Decision): boolean {
  return (
    enforce &&
    refusal === undefined &&
    blockers.length > 0 &&
    blockers.every(({ holds }) => holds === true)
  )
}

const REFUSED: Readonly<Record<Exclude<Word, 'approved'>, string>> = {
  denied: 'an adult said no',
  timeout: 'nobody said yes in time',
  full: 'too many requests wait for an adult',
  gone: 'its client did not wait',
}

/** Undefined: nothing blocks any more. Never rejects. */
export async function heldForWord(
  { log, device, host, services }: Blocked,
  decision: Decision,
): Promise<Decision | undefined> {
  const { clock, holds, holdLimits } = services
  const { requestId, foundMarks: marks = [] } = log.record
  const { policy = '', reason = '' } = decision.blockers[0] ?? {}
  const since = clock.now()
  const { waitMs } = holdLimits
  const told = { code: approvalCode(requestId), requestId, device, policy, reason }
  const call = { ...told, endpoint: host, marks, since, until: since + waitMs }
  services.tellHeld(call)
  const { word, by } = await holds.wait(call, holdLimits)
  const seconds = Math.max(0, Math.round((clock.now() - since) / 1000))
  if (word === 'approved') {
    log.answerNoted(`held ${seconds} s, approved by ${by ?? 'somebody'}`)
    log.letPast('approval')
    return undefined
  }
  log.answerNoted(`held ${seconds} s: ${REFUSED[word]}`)
  return { ...decision, reason: `${reason}; ${REFUSED[word]}` }
}
