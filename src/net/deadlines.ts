/**
 * One slow tick for every deadline. A connection says once how it is to be looked at; the
 * hot path only moves a number. Resolution is the tick, which suits limits of seconds.
 */
import type { Clock } from '../core/clock.js'
import type { Service } from '../core/service.js'
import type { Watch, Watched } from '../core/watched.js'

const TICK_MS = 1_000

/**
 * Looks at all that are watched once in `TICK_MS` (1 s) of one timer: a deadline is met
 * that much late at most, while the loop turns. Their number is bounded by whoever
 * watches. After `stop` nothing is watched.
 */
export class Deadlines implements Service, Watch {
  readonly name = 'deadlines'
  readonly #clock: Clock
  readonly #watched = new Set<Watched>()
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
    this.#watched.clear()
  }

  /** Until `unwatch`; again is no second time. */
  watch(subject: Watched): void {
    this.#watched.add(subject)
  }

  unwatch(subject: Watched): void {
    this.#watched.delete(subject)
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.#clock.monotonic()
  }

  /** Looks at everything now; tests call it after advancing their clock. */
  tick(): void {
    const now = this.now()
    for (const subject of this.#watched) subject.tick(now)
  }
}
