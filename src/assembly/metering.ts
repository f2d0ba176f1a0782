/**
 * Counts what passes before it is recorded: a call to a model counts for its device and groups
 * from its beginning, unless no model took it; tokens and cost count when it has ended, of
 * whatever tells them. Counted is all that is recorded, whether policies ask or not, so that a
 * budget that is switched on in mid-month knows what was spent.
 */
import { PassingMap } from '../core/passing-map.js'
import { mayHaveBeenServed, usedBy } from '../core/record.js'
import type { ExchangeRecord } from '../core/record.js'
import type { InFlight } from '../policy/in-flight.js'
import type { LocalTime } from '../policy/local-time.js'
import type { Subjects, Ticket, UsageCounters } from '../policy/usage.js'
import type { ExchangeObserver, SeenExchange } from '../proxy/words/observer.js'

export interface MeteringOptions {
  readonly counters: UsageCounters
  /** By the policies and lists of now. */
  readonly begin: (record: Readonly<ExchangeRecord>) => Ticket
  readonly subjects: (of: Pick<ExchangeRecord, 'device' | 'keySubjects'>) => Subjects
  readonly time: () => LocalTime
  readonly inFlight: Pick<InFlight, 'ended'>
  /** Whoever asked by a key of ours, and how many tokens it used. */
  readonly byKey: (record: SeenExchange, tokens: number) => void
}

export class Metering implements ExchangeObserver {
  readonly name = 'metering'
  readonly #options: MeteringOptions
  readonly #tickets = new PassingMap<Ticket>()

  constructor(options: MeteringOptions) {
    this.#options = options
  }

  requestHead(seen: SeenExchange): void {
    this.#begin(seen)
  }

  /** On a path that nobody knows only the body tells a call. */
  requestRead(seen: SeenExchange): void {
    this.#begin(seen)
  }

  ended(record: SeenExchange): void {
    const spent = usedBy(record)
    this.#correct(record)
    const ticket = this.#tickets.take(record.requestId)
    const { counters, subjects, time } = this.#options
    if (ticket !== undefined) {
      const taken = wasTaken(record)
      const { tokens, microUsd, atMostMicroUsd } = spent
      const policy = record.policyName
      counters.end(ticket, { tokens, microUsd, atMostMicroUsd, taken, policy }, time())
    } else if (spent.tokens + spent.microUsd + spent.atMostMicroUsd > 0)
      counters.spend(subjects(record), spent, time())
    if (record.key !== undefined) this.#options.byKey(record, spent.tokens)
    // Only now: who waits for it is asked about with what it used.
    this.#options.inFlight.ended(record.requestId)
  }

  /** What another has counted for its answer was less, or more: for whom that counts. */
  #correct({ corrects }: SeenExchange): void {
    if (corrects === undefined) return
    const { counters, subjects, time } = this.#options
    const { device, policyName: policy, more } = corrects
    counters.spend(subjects({ device }), { ...more, policy }, time())
  }

  #begin(record: SeenExchange): void {
    if (record.call !== true || this.#tickets.has(record.requestId)) return
    const { begin } = this.#options
    this.#tickets.set(record.requestId, begin(record))
  }
}

/** Did a model get to it? One that was turned away on the way there used nobody's quota up. */
function wasTaken(record: Readonly<ExchangeRecord>): boolean {
  const { outcome, status } = record
  if (outcome === 'block') return false
  return mayHaveBeenServed(record) || (status !== undefined && status < 400)
}
