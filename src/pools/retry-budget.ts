/**
 * How many requests may be on their way a second time at once: a share of all that are under
 * way, and a few always. When everything fails, it is not asked twice as often for it. Pure.
 */
import type { PoolLimits } from './settings.js'

export class RetryBudget {
  readonly #limits: Pick<PoolLimits, 'retryShare' | 'retriesAtLeast'>
  readonly #counts: { retriesRefused: number }
  #retrying = 0

  constructor(
    limits: Pick<PoolLimits, 'retryShare' | 'retriesAtLeast'>,
    counts: { retriesRefused: number },
  ) {
    this.#limits = limits
    this.#counts = counts
  }

  /** Retries under way. */
  get retrying(): number {
    return this.#retrying
  }

  /** False, and counted: there is no room. What is taken is given back by `give`. */
  take(active: number): boolean {
    const { retryShare, retriesAtLeast } = this.#limits
    if (this.#retrying >= Math.max(retriesAtLeast, Math.floor(active * retryShare))) {
      this.#counts.retriesRefused++
      return false
    }
    this.#retrying++
    return true
  }

  give(): void {
    this.#retrying--
  }
}
