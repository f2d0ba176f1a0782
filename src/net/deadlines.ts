/**
 * One slow tick for every deadline. A connection says once how it is to be looked at; the
 * hot path only moves a number. Resolution is the tick, which suits limits of seconds.
 */
import type { Clock } from '../core/clock.js'
import type { Service } from '../core/service.js'
import type { Watch, Watched } from '../core/watched.js'

const TICK_MS = 1_000
/** The place of what is not watched. */
const NOT = -1

/**
 * Looks at all that are watched once in `TICK_MS` (1 s) of one timer: a deadline is met
 * that much late at most, while the loop turns. Their number is bounded by whoever
 * watches. After `stop` nothing is watched.
 */
export class Deadlines implements Service, Watch {
  readonly name = 'deadlines'
  readonly #clock: Clock
  /** Each knows its place: exchanges come and go too often for a set. */
  readonly #watched: Watched[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const subject of this.#watched) subject.watchedAt = NOT
    this.#watched.length = 0
  }

  /** Until `unwatch`; again is no second time. */
  watch(subject: Watched): void {
    if (this.#isHere(subject)) return
    subject.watchedAt = this.#watched.push(subject) - 1
  }

  unwatch(subject: Watched): void {
    const last = this.#watched.at(-1)
    if (last === undefined || !this.#isHere(subject)) return
    const at = subject.watchedAt as number
    this.#watched[at] = last
    last.watchedAt = at
    this.#watched.pop()
    subject.watchedAt = NOT
  }

  #isHere(subject: Watched): boolean {
    const { watchedAt = NOT } = subject
    return watchedAt >= 0 && this.#watched[watchedAt] === subject
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.#clock.monotonic()
  }

  /** Looks at everything now; tests call it after advancing their clock. */
  tick(): void {
    const now = this.now()
    // From the end: whoever ends itself is replaced by one that has been looked at.
    for (let i = this.#watched.length - 1; i >= 0; i--) this.#watched[i]?.tick(now)
  }
}
