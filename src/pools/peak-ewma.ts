/**
 * A moving average of latencies that believes a slow answer at once and forgets it slowly, as
 * Finagle's "peak EWMA" does. Also without answers it falls with time, so that who was slow is
 * asked again. Pure; times are milliseconds of one monotonic clock.
 */

/** After so long, 1/e of what was known is left. */
export const DECAY_MS = 10_000

export class PeakEwma {
  #ms = 0
  #seenAt = 0
  #isKnown = false

  /** An answer's head came after so long. */
  saw(latencyMs: number, now: number): void {
    if (!this.#isKnown || latencyMs > this.#left(now)) this.#ms = latencyMs
    else {
      const kept = Math.exp(-(now - this.#seenAt) / DECAY_MS)
      this.#ms = this.#ms * kept + latencyMs * (1 - kept)
    }
    this.#isKnown = true
    this.#seenAt = now
  }

  /** Undefined: nothing has been seen. */
  valueAt(now: number): number | undefined {
    return this.#isKnown ? this.#left(now) : undefined
  }

  #left(now: number): number {
    return this.#ms * Math.exp(-(now - this.#seenAt) / DECAY_MS)
  }
}
