/**
 * Is our clock right? Every provider says what time it is (`Date`, RFC 9110 §6.6.1; of an
 * answer from a cache with its `Age`, RFC 9111 §5.1). When most of them differ from us by the
 * same, it is we who are wrong: certificates that we sign then begin in the future.
 */
import type { Clock } from '../core/clock.js'
import type { Concern, MayConcern } from '../core/concern.js'
import { Recent } from '../core/recent.js'

/** Hosts whose last word is kept. */
export const MAX_HOSTS = 64
/** A host is heard no oftener. */
const EVERY_MS = 10_000
/** Older words count no more. */
const KEPT_MS = 6 * 3_600_000
/** Half of what clients forgive certificates; more than any answer takes. */
export const WRONG_BY_MS = 10 * 60_000

interface Heard {
  readonly at: number
  /** Ours less theirs. */
  readonly aheadMs: number
}

/**
 * Keeps the last word of 64 hosts (`MAX_HOSTS`), those least recently seen go first; a
 * host is heard once in 10 s, a word counts for six hours. A difference over
 * `WRONG_BY_MS` (10 min) is a concern.
 */
export class ProviderClocks implements MayConcern {
  readonly #clock: Clock
  readonly #heard = new Recent<string, Heard>({ max: MAX_HOSTS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `fields`: those of a response's head that has just come; names and values in turn. */
  saw(host: string, fields: readonly string[]): void {
    const at = this.#clock.monotonic()
    const last = this.#heard.get(host)
    if (last !== undefined && at - last.at < EVERY_MS) return
    let date: string | undefined
    let age = 0
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = fields[i]?.toLowerCase()
      if (name === 'date') date = fields[i + 1]
      else if (name === 'age') age = Number(fields[i + 1])
    }
    const then = date === undefined || date.length > 64 ? NaN : Date.parse(date)
    if (!Number.isFinite(then) || !Number.isFinite(age)) return
    this.#heard.set(host, { at, aheadMs: this.#clock.now() - then - age * 1000 })
  }

  /**
   * Our clock less theirs, in milliseconds; undefined: nobody has been heard lately. Of
   * what providers say the middle one: one that is wrong itself says nothing of us.
   */
  get aheadMs(): number | undefined {
    const since = this.#clock.monotonic() - KEPT_MS
    const all = [...this.#heard.oldestFirst()].filter(({ at }) => at >= since)
    const sorted = all.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b)
    // Of two that differ the one nearer to ours.
    const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
    if (low === undefined || high === undefined) return undefined
    return Math.abs(low) < Math.abs(high) ? low : high
  }

  get concern(): Concern | undefined {
    const { aheadMs } = this
    if (aheadMs === undefined || Math.abs(aheadMs) <= WRONG_BY_MS) return undefined
    const minutes = Math.round(Math.abs(aheadMs) / 60_000)
    const how = aheadMs > 0 ? 'ahead of' : 'behind'
    const says = `the clock is ${minutes} minutes ${how} what providers say; set it`
    return { kind: 'clock', says }
  }
}
