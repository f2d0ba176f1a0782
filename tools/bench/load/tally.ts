/** Collects what happened under load; gives up when too much goes wrong. */
import type { LoadResult } from '../jobs.js'

const MAX_ERRORS = 100

export class Tally {
  count = 0
  errors = 0
  readonly latenciesMs: number[] = []
  readonly #started = performance.now()

  get elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  succeeded(sinceMs: number): void {
    this.count++
    this.latenciesMs.push(performance.now() - sinceMs)
  }

  failed(cause: unknown): void {
    if (++this.errors >= MAX_ERRORS) throw new Error(`too many errors: ${String(cause)}`)
  }

  result(): LoadResult {
    return {
      count: this.count,
      errors: this.errors,
      seconds: this.elapsedSeconds,
      latenciesMs: this.latenciesMs.sort((a, b) => a - b),
    }
  }
}
