/**
 * How long work waits for the event loop. Measuring wakes the process 50 times a second, so it
 * begins with the first question and ends when nobody has asked for a while.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { IntervalHistogram } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const UNASKED_MS = 5 * 60_000
const NS = 1e9

export interface LoopDelay {
  /** Seconds, since the last question. */
  readonly mean: number
  readonly p99: number
  readonly max: number
}

export class LoopDelays {
  #histogram: IntervalHistogram | undefined
  #ends: NodeJS.Timeout | undefined

  /** Undefined the first time: nothing has been measured yet. */
  look(): LoopDelay | undefined {
    clearTimeout(this.#ends)
    this.#ends = setTimeout(() => this.stop(), UNASKED_MS)
    this.#ends.unref()
    const histogram = this.#histogram
    if (histogram === undefined) {
      this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      this.#histogram.enable()
      return undefined
    }
    const { mean, max } = histogram
    const p99 = histogram.percentile(99)
    histogram.reset()
    // It counts the wait that it asks for itself.
    const beyond = (ns: number): number => Math.max(0, ns - RESOLUTION_MS * 1e6) / NS
    return { mean: beyond(mean || 0), p99: beyond(p99), max: beyond(max) }
  }

  stop(): void {
    clearTimeout(this.#ends)
    this.#histogram?.disable()
    this.#histogram = undefined
  }
}
