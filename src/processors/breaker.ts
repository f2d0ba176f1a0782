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
  /** Trials before its time, after each time that nobody was there. */
  readonly returns: number
}

export const BREAKER_LIMITS: BreakerLimits = {
  failures: 5,
  openMs: 30_000,
  trials: 1,
  successes: 2,
  returns: 3,
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
  /** Since its last good answer nobody was there, once at least. */
  #isAbsence = false
  /** Trials before its time, since then. */
  #returns = 0

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

  /** It is open: whoever finds that it has gone, or is there again, may say so. */
  get isLookedFor(): boolean {
    return this.state === 'open'
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
    if (this.#openedAt === undefined) {
      this.#isAbsence = false
      return
    }
    this.#trying = Math.max(0, this.#trying - 1)
    if (this.state === 'open') return
    this.#successes++
    if (this.#successes < this.#limits.successes) return
    this.#openedAt = undefined
    this.#isAbsence = false
    this.#trying = 0
  }

  /** `isAbsence`: nobody was there to be asked. */
  failed(isAbsence: boolean): void {
    if (isAbsence) this.absent()
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

  /** Nobody is there, or whoever was has gone. */
  absent(): void {
    this.#isAbsence = true
    this.#returns = 0
  }

  /**
   * Somebody answers there. After an absence it is tried at once; one that was there all the
   * time, and only hangs, has no trial before its time.
   */
  returned(): void {
    if (!this.isLookedFor || !this.#isAbsence) return
    if (this.#returns >= this.#limits.returns) return
    this.#returns++
    this.#openedAt = this.#clock.monotonic() - this.#limits.openMs
  }
}
