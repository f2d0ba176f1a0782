import type { Clock } from '../../src/core/clock.js'

/** Stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs: number

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }
}
