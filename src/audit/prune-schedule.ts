/** When the store asks for pruning: once a day by age and size, in between by size alone. Pure. */
import type { AuditOptions } from './store-options.js'
import type { PruneRequest } from './retention.js'
import { cutoffMs, nextPruneMs } from './retention.js'

/** A pruning that failed is tried again after this. */
const RETRY_MS = 600_000
const DAY_MS = 86_400_000

export class PruneSchedule {
  readonly #options: Omit<AuditOptions, 'database'>
  #nextMs: number
  #running = false

  /** The first look prunes: the machine may have been off at the time of the day. */
  constructor(options: Omit<AuditOptions, 'database'>, nowMs: number) {
    this.#options = options
    this.#nextMs = nowMs
  }

  /** What to prune now; undefined while nothing is due, or the last is still running. */
  due(nowMs: number): PruneRequest | undefined {
    const { maxBytes, pruneAt, retentionDays } = this.#options
    if (this.#running) return undefined
    // A clock that was set back must not put the next pruning off for years.
    const daily = nowMs >= this.#nextMs || this.#nextMs - nowMs > 2 * DAY_MS
    if (daily) this.#nextMs = nextPruneMs(nowMs, pruneAt)
    else if (maxBytes === 0) return undefined
    this.#running = true
    return { cutoffMs: daily ? cutoffMs(nowMs, retentionDays) : undefined, maxBytes }
  }

  finished(): void {
    this.#running = false
  }

  failed(nowMs: number): void {
    this.#running = false
    this.#nextMs = Math.min(this.#nextMs, nowMs + RETRY_MS)
  }
}
