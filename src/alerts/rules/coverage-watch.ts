/**
 * Is less seen than before? The share of connections to endpoints that were read, of the last
 * hour against that of the day before it. Kept in memory: after a start it takes a while until
 * there is something to compare with.
 */
import type { ConnectionRecord, Coverage } from '../../core/record.js'
import type { Happened } from './rule.js'

const BUCKET_MS = 600_000
const RECENT = 6
const ALL = 150
/** Fewer say nothing. */
export const LEAST_RECENT = 10
export const LEAST_BEFORE = 20
/** Of the share of before. */
const DROP = 0.6

/** Not read because somebody wanted it so: no drop. */
const WANTED: ReadonlySet<Coverage> = new Set<Coverage>([
  'own',
  'tunnel-exempt',
  'tunnel-never',
  'tunnel-endpoint-off',
  'refused',
  'failed',
])

interface Bucket {
  readonly number: number
  seen: number
  missed: number
}

export class CoverageWatch {
  readonly #buckets: Bucket[] = []
  /** Why, of those of the last hour: the most frequent is told. */
  readonly #why = new Map<Coverage, number>()

  connectionEnded(
    { coverage, nameClass }: Readonly<ConnectionRecord>,
    nowMs: number,
  ): void {
    const isOther = nameClass.startsWith('(') && nameClass !== '(evading)'
    if (isOther || WANTED.has(coverage)) return
    const bucket = this.#bucket(nowMs)
    if (coverage === 'inspected') bucket.seen++
    else {
      bucket.missed++
      this.#why.set(coverage, (this.#why.get(coverage) ?? 0) + 1)
    }
  }

  look(nowMs: number): Happened | undefined {
    const now = Math.floor(nowMs / BUCKET_MS)
    const recent = { seen: 0, missed: 0 }
    const before = { seen: 0, missed: 0 }
    for (const { number, seen, missed } of this.#buckets) {
      const part = now - number < RECENT ? recent : before
      part.seen += seen
      part.missed += missed
    }
    const all = recent.seen + recent.missed
    const allBefore = before.seen + before.missed
    if (all < LEAST_RECENT || allBefore < LEAST_BEFORE) return undefined
    const share = recent.seen / all
    const shareBefore = before.seen / allBefore
    if (share >= shareBefore * DROP) return undefined
    const [why] = [...this.#why].sort(([, a], [, b]) => b - a)
    return {
      rule: 'coverage_drop',
      reason: `${percent(share)} of the connections to AI services were read in the last hour, ${percent(shareBefore)} before`,
      metadata: {
        recent_percent: Math.round(share * 100),
        before_percent: Math.round(shareBefore * 100),
        connections: all,
        ...(why === undefined ? {} : { most_often: why[0] }),
      },
    }
  }

  #bucket(nowMs: number): Bucket {
    const number = Math.floor(nowMs / BUCKET_MS)
    const last = this.#buckets.at(-1)
    if (last?.number === number) return last
    const bucket = { number, seen: 0, missed: 0 }
    this.#buckets.push(bucket)
    this.#why.clear()
    while (
      this.#buckets.length > ALL ||
      number - (this.#buckets[0]?.number ?? number) > ALL
    )
      this.#buckets.shift()
    return bucket
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
