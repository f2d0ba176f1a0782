/**
 * Counts what passes before it is recorded: a request counts for its device and groups
 * from its beginning, its tokens and its cost when it has ended. Counted is whatever is
 * recorded, whether policies ask or not, so that a budget that is switched on in mid-month
 * knows what was spent.
 */
import type { ExchangeRecord } from '../core/record.js'
import type { LocalTime } from '../policy/local-time.js'
import type { Ticket, UsageCounters } from '../policy/usage.js'
import type { ExchangeObserver, SeenExchange } from '../proxy/words/observer.js'

export interface MeteringOptions {
  readonly counters: UsageCounters
  /** By the policies and lists of now. */
  readonly begin: (record: Readonly<ExchangeRecord>) => Ticket
  readonly time: () => LocalTime
}

export class Metering implements ExchangeObserver {
  readonly name = 'metering'
  readonly #options: MeteringOptions
  readonly #tickets = new Map<string, Ticket>()

  constructor(options: MeteringOptions) {
    this.#options = options
  }

  requestHead({ requestId, record }: SeenExchange): void {
    this.#tickets.set(requestId, this.#options.begin(record))
  }

  ended({ requestId, record }: SeenExchange): void {
    const ticket = this.#tickets.get(requestId)
    if (ticket === undefined) return
    this.#tickets.delete(requestId)
    const outcome = {
      tokens: (record.inputTokens ?? 0) + (record.outputTokens ?? 0),
      microUsd: record.costMicroUsd ?? 0,
      blocked: record.outcome === 'block',
      policy: record.policyName,
    }
    this.#options.counters.end(ticket, outcome, this.#options.time())
  }
}
