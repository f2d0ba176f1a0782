/**
 * How many requests may be on their way a second time at once: a share of all that are under
 * way, and a few always. When everything fails, it is not asked twice as often for it. Pure.
 */
import type { PoolLimits } from './settings.js'

export class RetryBudget {
  readonly #limits: Pick<PoolLimits, 'retryShare' | 'retriesAtLeast'>
  #retrying = 0
  #refused = 0

  constructor(limits: Pick<PoolLimits, 'retryShare' | 'retriesAtLeast'>) {
    this.#limits = limits
  }

  /** Retries under way. */
  get retrying(): number {
    return this.#retrying
  }

  /** Retries for which there was no room. */
  get refused(): number {
    return this.#refused
  }

  /** False, and counted: there is no room. What is taken is given back by `give`. */
  take(active: number): boolean {
    const { retryShare, retriesAtLeast } = this.#limits
    if (this.#retrying >= Math.max(retriesAtLeast, Math.floor(active * retryShare))) {
      this.#refused++
      return false
    }
    this.#retrying++
    return true
  }

  give(): void {
    this.#retrying--
  }
}
