/**
 * The way to the server of counters: opened, kept, and opened again when it has ended, ever more
 * seldom. Whoever asks while there is none is told so at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.js'
import type { Log } from '../../core/log.js'
import { Redis } from './redis.js'
import type { RedisAddress } from './redis.js'

const FIRST_AGAIN_MS = 100
const LONGEST_AGAIN_MS = 5_000

export interface ConnectionOptions {
  readonly address: () => RedisAddress
  /** Known to the server by its digest from then on. */
  readonly script: string
  readonly clock: Clock
  readonly log: Log
  readonly onUp: () => void
  readonly onDown: () => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #stop = new AbortController()
  #redis: Redis | undefined
  #running: Promise<void> | undefined
  #awaySince: number
  #reason = 'not connected yet'
  #failures = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#awaySince = options.clock.monotonic()
  }

  /** Undefined: there is none now. */
  get redis(): Redis | undefined {
    return this.#redis
  }

  get reason(): string {
    return this.#reason
  }

  get failures(): number {
    return this.#failures
  }

  /** 0: it is there. */
  get awayMs(): number {
    if (this.#redis !== undefined) return 0
    return this.#options.clock.monotonic() - this.#awaySince
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#redis?.close()
    await this.#running
  }

  /** It answers nonsense: that is no better than none. */
  broken(cause: unknown): void {
    this.#failed(cause)
    this.#redis?.close()
  }

  async #run(): Promise<void> {
    const { log, address, script, onUp } = this.#options
    const { signal } = this.#stop
    let againMs = FIRST_AGAIN_MS
    while (!signal.aborted) {
      try {
        const redis = await Redis.open(address(), signal)
        const ended = new Promise<Error>((resolve) => redis.onEnd(resolve))
        await redis.ask(['SCRIPT', 'LOAD', script])
        this.#redis = redis
        againMs = FIRST_AGAIN_MS
        onUp()
        this.#down(await ended)
      } catch (cause) {
        this.#failed(cause)
        if (againMs === FIRST_AGAIN_MS && !signal.aborted)
          log.warn({ reason: this.#reason }, 'counters are not shared for now')
      }
      await sleep(againMs, undefined, { signal }).catch(() => undefined)
      againMs = Math.min(LONGEST_AGAIN_MS, againMs * 2)
    }
  }

  #down(cause: Error): void {
    const { clock, log, onDown } = this.#options
    this.#redis = undefined
    this.#awaySince = clock.monotonic()
    this.#failed(cause)
    onDown()
    if (!this.#stop.signal.aborted)
      log.warn({ reason: cause.message }, 'counters are not shared for now')
  }

  #failed(cause: unknown): void {
    this.#failures++
    this.#reason = cause instanceof Error ? cause.message : String(cause)
  }
}
