/**
 * A call to a model that a budget may refuse is weighed beside those that were let through and
 * have not ended: the most that it may use is reserved, and what does not fit waits for them, up
 * to `timeouts.in_flight`. Alone, a call passes while anything is left.
 */
import type { Device, ExchangeRecord } from '../../core/record.js'
import type { Decision } from '../../policy/engine.js'
import type { View, WorstCase } from '../../policy/in-flight.js'
import { isLocalName } from '../../core/hostname.js'
import type { ModelPrice } from '../../providers/cost.js'
import { mostTokens } from '../../providers/most-tokens.js'
import type { Content } from '../words/content.js'
import type { SeenExchange } from '../words/observer.js'
import type { JudgingPort } from './port.js'

/**
 * Where nobody knows any price, and an answer may name its own: micro-dollars for a million
 * tokens.
 */
const DEFAULT_PRICE: ModelPrice = { input: 3_000_000, output: 15_000_000 }
/** Whoever serves in the house is paid by nobody. */
const NO_PRICE: ModelPrice = { input: 0, output: 0 }
const PRICED_TOKENS = 1_000_000

const BESIDE = 'if what is being answered uses all that it may'

type Judged = Decision | Promise<Decision>

export interface Weighed {
  readonly record: SeenExchange
  readonly device: Device
  readonly content: Content
  /** Its key of ours has a budget. */
  readonly isKeyBudgeted: boolean
  /** Puts the question, as often as something has ended that it waits for. */
  readonly judged: (view: View | undefined) => Judged
}

export function weighBeside(
  { decider, catalogue }: Pick<JudgingPort, 'decider' | 'catalogue'>,
  { record, device, content, isKeyBudgeted, judged }: Weighed,
): Judged {
  const isCall = record.call ?? record.method === 'POST'
  if (!isCall || !(decider.budgets || isKeyBudgeted)) return judged(undefined)
  const worst = worstCase(record, content, catalogue)
  const session = content.session?.().key
  const { keySubjects: access } = record
  const flight = decider.flight(record.requestId, device, worst, { session, access })
  flight.reserve()
  const since = flight.changes
  const settle = (decision: Decision): Judged => {
    if (!decision.enforce) return decision
    const mayChange = flight.isBeside || flight.changes !== since
    flight.release()
    return mayChange ? waited(flight, judged) : decision
  }
  // What other gateways have counted is known a moment later, or is not waited for.
  const told = decider.told(device, access)
  const first = told === undefined ? judged('beside') : told.then(() => judged('beside'))
  return first instanceof Promise ? first.then(settle) : settle(first)
}

type Flight = ReturnType<JudgingPort['decider']['flight']>

/** Refused beside others: asked about again whenever one of them has ended. */
async function waited(flight: Flight, judged: Weighed['judged']): Promise<Decision> {
  try {
    for (;;) {
      const { decision, alone, since } = await flight.inTurn(() =>
        weighAgain(flight, judged),
      )
      if (alone === undefined) return decision
      const why = await flight.wait(since)
      if (why === 'over') return alone
      if (why === 'late')
        return { ...decision, reason: `${decision.reason ?? 'a budget'}, ${BESIDE}` }
    }
  } finally {
    flight.settled()
  }
}

/** `alone`: it is refused only for what is in flight. */
async function weighAgain(
  flight: Flight,
  judged: Weighed['judged'],
): Promise<{ decision: Decision; alone?: Decision; since: number }> {
  flight.reserve()
  const since = flight.changes
  const decision = await judged('beside')
  if (!decision.enforce) return { decision, since }
  const alone = await judged('alone')
  flight.release()
  return alone.enforce ? { decision: alone, since } : { decision, alone, since }
}

/** With what it may write, at the price of its model or one that is not too low. */
export function worstCase(
  record: Pick<ExchangeRecord, 'provider' | 'api' | 'endpointDomain'>,
  { model, tier, promptChars, maxTokens, choices, toolsOffered }: Content,
  catalogue: Pick<JudgingPort['catalogue'], 'most'>,
): WorstCase {
  const { provider = '', api, endpointDomain: host } = record
  const unknown = isLocalName(host) ? NO_PRICE : DEFAULT_PRICE
  const price = catalogue.most({ provider, host, model, tier }) ?? unknown
  const { inputTokens, outputTokens } = mostTokens({
    ...{ api, promptChars, maxTokens, choices },
  })
  const { long } = price
  const prices = long !== undefined && inputTokens > long.fromTokens ? long : price
  const dearest = Math.max(
    prices.input,
    prices.cacheWrite ?? 0,
    prices.cacheWriteHour ?? 0,
  )
  const outputMicroUsd = Math.ceil((outputTokens * prices.output) / PRICED_TOKENS)
  return {
    tokens: inputTokens + outputTokens,
    microUsd: Math.ceil((inputTokens * dearest) / PRICED_TOKENS) + outputMicroUsd,
    outputTokens,
    outputMicroUsd,
    toolCalls: (toolsOffered?.length ?? 0) > 0 ? 1 : 0,
  }
}
