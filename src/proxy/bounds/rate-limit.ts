/** So many a second, with ten seconds' worth at once: a bucket of tokens. */
const BURST_SECONDS = 10

export class RateLimit {
  readonly #perSecond: number
  #tokens: number
  #filledAt: number

  /** `now` is monotonic milliseconds, here and below. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond * BURST_SECONDS
    this.#filledAt = now
  }

  /** False when this one is too many. */
  take(now: number): boolean {
    const earned = ((now - this.#filledAt) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#perSecond * BURST_SECONDS, this.#tokens + earned)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
