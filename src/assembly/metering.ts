/**
 * Counts what passes on its way into the record: a request counts for its device and groups
 * from its beginning, its tokens and its cost when it has ended. Counted is whatever is
 * recorded, whether policies ask or not, so that a budget that is switched on in mid-month
 * knows what was spent.
 */
import type {
  AuditSink,
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
} from '../core/record.js'
import type { LocalTime } from '../policy/local-time.js'
import type { Ticket, UsageCounters } from '../policy/usage.js'

export interface MeteringOptions {
  readonly sink: AuditSink
  readonly counters: UsageCounters
  /** By the policies and lists of now. */
  readonly begin: (record: ExchangeRecord) => Ticket
  readonly time: () => LocalTime
}

export class Metering implements AuditSink {
  readonly #options: MeteringOptions
  readonly #tickets = new WeakMap<ExchangeRecord, Ticket>()

  constructor(options: MeteringOptions) {
    this.#options = options
  }

  get dropped(): number {
    return this.#options.sink.dropped
  }

  connection(record: ConnectionRecord): void {
    this.#options.sink.connection(record)
  }

  event(record: EventRecord): void {
    this.#options.sink.event(record)
  }

  exchangeOpened(record: ExchangeRecord): void {
    this.#tickets.set(record, this.#options.begin(record))
    this.#options.sink.exchangeOpened(record)
  }

  exchangeClosed(record: ExchangeRecord): void {
    const ticket = this.#tickets.get(record)
    if (ticket !== undefined) {
      this.#tickets.delete(record)
      const outcome = {
        tokens: (record.inputTokens ?? 0) + (record.outputTokens ?? 0),
        microUsd: record.costMicroUsd ?? 0,
        blocked: record.outcome === 'block',
        policy: record.policyName,
      }
      this.#options.counters.end(ticket, outcome, this.#options.time())
    }
    this.#options.sink.exchangeClosed(record)
  }
}
