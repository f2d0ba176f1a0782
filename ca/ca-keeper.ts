/**
 * Keeps a running authority up to date: takes what `yori ca` has changed on disk within a few
 * seconds, renews what is due, and lets a staged root take over on its date. Never stops
 * anything: what fails is logged and tried again later.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../src/core/clock.js'
import type { Log } from '../src/core/log.js'
import type { Service } from '../src/core/service.js'

/** What the keeper needs of an authority. */
export interface KeptAuthority {
  readonly generation: number
  reread(): Promise<void>
  renewIfDue(nowMs: number): Promise<boolean>
}

export interface CaKeeperOptions {
  /** The one that serves now. */
  readonly authority: () => KeptAuthority
  readonly directory: string
  readonly clock: Clock
  readonly log: Log
  /** Called after the chain or the root changed. */
  readonly onChange?: () => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 5_000
/** After a failure nothing is tried for so long. */
const RETRY_MS = 60_000
const WATCHED = ['root.crt', 'issuing.crt', 'cross.crt', 'next-root.crt', 'switch-at']

export class CaKeeper implements Service {
  readonly name = 'ca-keeper'
  readonly #options: CaKeeperOptions
  #timer: NodeJS.Timeout | undefined
  #seen: string | undefined
  #busy: Promise<void> | undefined
  #notBefore = -Infinity

  constructor(options: CaKeeperOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#seen = await this.#look()
    const intervalMs = this.#options.intervalMs ?? INTERVAL_MS
    this.#timer = setInterval(() => void this.check(), intervalMs).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#busy
  }

  /** One round, now; joins a round that is under way. Never rejects. */
  check(): Promise<void> {
    this.#busy ??= this.#round().finally(() => {
      this.#busy = undefined
    })
    return this.#busy
  }

  async #round(): Promise<void> {
    const { authority, clock, log, onChange } = this.#options
    const current = authority()
    const before = current.generation
    if (clock.monotonic() < this.#notBefore) return
    try {
      const found = await this.#look()
      if (found !== this.#seen) {
        await current.reread()
        this.#seen = found
      }
      if (await current.renewIfDue(clock.now())) this.#seen = await this.#look()
    } catch (error) {
      this.#notBefore = clock.monotonic() + RETRY_MS
      log.error({ err: error }, 'the CA could not be renewed or read again')
    }
    if (current.generation === before) return
    log.info({ generation: current.generation }, 'the CA changed')
    onChange?.()
  }

  /** What tells one version of the files from another. */
  async #look(): Promise<string> {
    const parts = WATCHED.map(async (name) => {
      const found = await stat(join(this.#options.directory, name)).catch(() => undefined)
      return found === undefined ? '-' : `${found.ino} ${found.size} ${found.mtimeMs}`
    })
    return (await Promise.all(parts)).join()
  }
}
