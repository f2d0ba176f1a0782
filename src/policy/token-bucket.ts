/**
 * A rate by the minute that lets a burst of one minute pass: full at first, filled again
 * steadily. What was used may be told afterwards, and then take it below zero. Pure; times are
 * monotonic milliseconds.
 */
const MINUTE_MS = 60_000
/** What sums of fractions may be off by. */
const ROUNDING_MS = 1e-6

export class TokenBucket {
  readonly perMinute: number
  #level: number
  #at: number

  constructor(perMinute: number, now: number) {
    this.perMinute = perMinute
    this.#level = perMinute
    this.#at = now
  }

  /** Takes `amount` when there is as much; else gives the milliseconds until there is. */
  take(amount: number, now: number): number {
    const waitMs = this.wait(amount, now)
    if (waitMs === 0) this.#level -= amount
    return waitMs
  }

  /** Milliseconds until there is as much; takes nothing. */
  wait(amount: number, now: number): number {
    this.#fill(now)
    if (this.#level >= amount) return 0
    const waitMs = ((amount - this.#level) * MINUTE_MS) / this.perMinute
    return Math.max(1, Math.ceil(waitMs - ROUNDING_MS))
  }

  /** What something turned out to have used. */
  used(amount: number, now: number): void {
    this.#fill(now)
    this.#level -= amount
  }

  #fill(now: number): void {
    const more = ((now - this.#at) * this.perMinute) / MINUTE_MS
    this.#level = Math.min(this.perMinute, this.#level + Math.max(more, 0))
    this.#at = Math.max(now, this.#at)
  }
}
