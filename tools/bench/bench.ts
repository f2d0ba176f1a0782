/** What a bench is: one a file in `benches/`, listed in `benches/index.ts`. */
import type { LoadResult } from './jobs.js'
import type { Running } from './peers.js'

export interface Figures {
  readonly [key: string]: number | undefined
}

export interface Column {
  readonly key: string
  readonly title: string
  readonly digits: number
  /** Also shown with the direct connection's figure subtracted. */
  readonly added?: boolean
}

export interface Bench {
  readonly name: string
  readonly says: string
  readonly columns: readonly Column[]
  /** Share of the whole time; 1 is usual. */
  readonly weight: number
  /** Before any timing: warms the peer up. */
  setup(peer: Running): Promise<void>
  /** Proves that the answer is right before it is timed; rejects when it is not. */
  verify(peer: Running): Promise<void>
  run(peer: Running, seconds: number): Promise<Figures>
}

/** The value below which that share of a sorted list lies. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export function latencies(result: LoadResult): Figures {
  return {
    p50: quantile(result.latenciesMs, 0.5),
    p95: quantile(result.latenciesMs, 0.95),
    p99: quantile(result.latenciesMs, 0.99),
    errors: result.errors,
  }
}

/** Key by key, the middle of what the rounds gave; of an even number the higher one. */
export function medians(rounds: readonly Figures[]): Figures {
  const keys = new Set(rounds.flatMap((figures) => Object.keys(figures)))
  return Object.fromEntries(
    [...keys].map((key) => {
      const values = rounds.map((figures) => figures[key])
      const known = values.filter((value) => value !== undefined)
      return [
        key,
        quantile(
          known.sort((a, b) => a - b),
          0.5,
        ),
      ]
    }),
  )
}
