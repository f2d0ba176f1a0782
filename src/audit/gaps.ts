/**
 * What the record misses, told twice: in the log at most once a minute while rows are being
 * dropped, and as an event in the record itself once there is room again.
 */
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type { EventRecord } from '../core/record.js'
import type { Tally } from './tally.js'
import { noRows, total } from './tally.js'

const LOG_EVERY_MS = 60_000

export class Gaps {
  readonly #log: Log
  readonly #clock: Clock
  #seen = 0
  #told: Readonly<Tally> = noRows()
  #sinceMs: number | undefined
  #loggedMs = Number.NEGATIVE_INFINITY

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** Called with the tally after each row; cheap while nothing is dropped. */
  look(dropped: number, tally: () => Readonly<Tally>): void {
    if (dropped === this.#seen) return
    this.#seen = dropped
    this.#sinceMs ??= this.#clock.now()
    const now = this.#clock.monotonic()
    if (now - this.#loggedMs < LOG_EVERY_MS) return
    this.#loggedMs = now
    this.#log.warn(
      { dropped: tally() },
      'audit rows are dropped: the store cannot keep up',
    )
  }

  /** The event that accounts for every row dropped since the last one; undefined when none was. */
  close(tally: Readonly<Tally>): EventRecord | undefined {
    if (this.#sinceMs === undefined) return undefined
    const missing = {
      connections: tally.connections - this.#told.connections,
      exchanges: tally.exchanges - this.#told.exchanges,
      events: tally.events - this.#told.events,
    }
    const since = new Date(this.#sinceMs).toISOString()
    this.#told = tally
    this.#sinceMs = undefined
    this.#seen = total(tally)
    return {
      at: this.#clock.now(),
      kind: 'audit.dropped',
      details: { ...missing, since },
    }
  }
}
