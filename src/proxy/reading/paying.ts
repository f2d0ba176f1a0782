/** In which row an answer is paid for: what is told of one is counted once. */
import type { Clock } from '../../core/clock.js'
import type { Used } from '../../core/record.js'
import type { PaidAnswers } from '../../policy/paid-answers.js'
import type { Api, ResponseFacts } from '../../providers/provider.js'
import type { ExchangeLog } from '../words/exchange-log.js'

export interface Paid {
  readonly answers: PaidAnswers
  readonly clock: Pick<Clock, 'now'>
}

export interface Paying {
  /** Undefined: nobody knows what was told before. */
  readonly paid: Paid | undefined
  readonly path: string
  /** The provider keeps the answer. */
  readonly isKept: boolean
  /** Of what was asked for, a part (RFC 9110 §14.2). */
  readonly isPart: boolean
  readonly sessionKey: string | undefined
  /** Told of a conversation whose answer was told of again, and otherwise. */
  corrected?(sessionKey: string, more: Used): void
}

/** APIs whose answers are fetched again by their id, unless the request says otherwise. */
const KEPT_APIS: ReadonlySet<Api> = new Set<Api>([
  'responses',
  'interactions',
  'assistants',
  'batches',
  'video',
])

export function keepsAnswers(api: Api, path: string): boolean {
  // Who answers later keeps it until it is fetched (Perplexity, z.ai).
  return KEPT_APIS.has(api) || path.includes('/async/')
}

/** `tell` puts what the answer says into its row; where it was told of before, in that one. */
export function tellPaid(
  facts: ResponseFacts,
  log: ExchangeLog,
  paying: Paying,
  tell: (facts: ResponseFacts) => void,
): void {
  const { paid, path, isKept, isPart, sessionKey } = paying
  // What was kept was paid for when it came.
  if (paid === undefined || log.record.cache !== undefined) return tell(facts)
  const known = paid.answers.find(log.record, facts, path)
  // Who asks again names no model; the answer is priced as it was asked for.
  if (known?.model !== undefined) log.ofModel(known.model)
  tell(facts)
  const told = {
    responseId: facts.responseId,
    resultsFile: facts.resultsFile,
    goesOn: facts.goesOn,
    failed: facts.error !== undefined,
    isWhole: facts.complete && !isPart,
  }
  const about = { path, isKept, sessionKey, nowMs: paid.clock.now() }
  const settled = paid.answers.settle(log.record, told, known, about)
  log.paid(settled)
  const { corrects } = settled
  if (corrects !== undefined && known?.sessionKey !== undefined)
    paying.corrected?.(known.sessionKey, corrects.more)
}
