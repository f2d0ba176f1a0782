/**
 * Whether a processor is asked at all: after so many failures in a row nobody asks it for a
 * while; then one tries, and after so many good answers all do again. Pure but for its clock.
 */
import type { Clock } from '../core/clock.js'

export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly failures: number
  readonly openMs: number
  /** Questions at once while it is being tried. */
  readonly trials: number
  /** Good answers that close it. */
  readonly successes: number
}

export const BREAKER_LIMITS: BreakerLimits = {
  failures: 5,
  openMs: 30_000,
  trials: 1,
  successes: 2,
}

/** `half-open`: some are let through to see. */
export type BreakerState = 'closed' | 'open' | 'half-open'

export class Breaker {
  /** How often it has opened. */
  trips = 0
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #limits: BreakerLimits
  #failures = 0
  #successes = 0
  #trying = 0
  #openedAt: number | undefined
  /** Each failure that opened it was that nobody is there. */
  #isAbsence = true

  constructor(clock: Pick<Clock, 'monotonic'>, limits: BreakerLimits = BREAKER_LIMITS) {
    this.#clock = clock
    this.#limits = limits
  }

  get state(): BreakerState {
    if (this.#openedAt === undefined) return 'closed'
    return this.#clock.monotonic() - this.#openedAt < this.#limits.openMs
      ? 'open'
      : 'half-open'
  }

  /** It is open, and for nothing but that nobody was there: whoever finds it back may say so. */
  get waitsForReturn(): boolean {
    return this.state === 'open' && this.#isAbsence
  }

  /** May it be asked? Whoever is let through says how it went, once. */
  enter(): boolean {
    switch (this.state) {
      case 'closed':
        return true
      case 'open':
        return false
      case 'half-open':
        if (this.#trying >= this.#limits.trials) return false
        this.#trying++
        return true
    }
  }

  succeeded(): void {
    this.#failures = 0
    this.#isAbsence = true
    if (this.#openedAt === undefined) return
    this.#trying = Math.max(0, this.#trying - 1)
    if (this.state === 'open') return
    this.#successes++
    if (this.#successes < this.#limits.successes) return
    this.#openedAt = undefined
    this.#trying = 0
  }

  /** `isAbsence`: nobody was there to be asked. */
  failed(isAbsence: boolean): void {
    this.#isAbsence = this.#failures === 0 ? isAbsence : this.#isAbsence && isAbsence
    this.#failures++
    const isTrial = this.#openedAt !== undefined
    if (isTrial) this.#trying = Math.max(0, this.#trying - 1)
    if (!isTrial && this.#failures < this.#limits.failures) return
    // What was asked before it opened says nothing new.
    if (this.state === 'open') return
    this.#openedAt = this.#clock.monotonic()
    this.#successes = 0
    this.#trying = 0
    this.trips++
  }

  /** Neither: whoever was let through was not there to hear. */
  passed(): void {
    this.#trying = Math.max(0, this.#trying - 1)
  }

  /** It is there again: it is tried at once. */
  returned(): void {
    if (this.waitsForReturn)
      this.#openedAt = this.#clock.monotonic() - this.#limits.openMs
  }
}
