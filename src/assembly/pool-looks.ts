/**
 * Looks at the targets of pools by TCP and TLS when their pools want that: about once a second it
 * is asked which, and a few at once are looked at.
 */
import type { Watched } from '../core/watched.js'
import type { Upstream } from '../net/upstream.js'
import type { DoorPool, DoorTarget } from '../policy/door.js'
import type { Pools } from '../pools/pools.js'
import type { Catalogue } from '../providers/catalogue.js'

/** Looks at once; what is due beyond them waits for the next second. */
const MAX_LOOKS = 32

export interface PoolLooksOptions {
  readonly pools: Pick<Pools, 'find'>
  readonly doors: readonly DoorPool[]
  /** Without `look`, nobody is down. */
  readonly upstream: Partial<Pick<Upstream, 'look'>>
  readonly catalogue: Pick<Catalogue, 'entryFor'>
}

export class PoolLooks implements Watched {
  watchedAt = -1
  readonly #options: PoolLooksOptions
  #looking = 0

  constructor(options: PoolLooksOptions) {
    this.#options = options
  }

  tick(): void {
    void this.look()
  }

  /** Resolves when all that were to be looked at have been; never rejects. */
  async look(): Promise<void> {
    const { pools, doors } = this.#options
    const looking: Promise<void>[] = []
    for (const { settings, targets } of doors) {
      const pool = pools.find(settings.name)
      if (pool === undefined) continue
      for (const index of pool.toLookAt(MAX_LOOKS - this.#looking)) {
        const target = targets[index]?.target
        if (target === undefined) continue
        this.#looking++
        looking.push(
          this.#isGood(target).then((isGood) => {
            this.#looking--
            pool.looked(index, isGood)
          }),
        )
      }
    }
    await Promise.all(looking)
  }

  async #isGood(target: DoorTarget): Promise<boolean> {
    const { upstream, catalogue } = this.#options
    const { host, port, plain, isWritten, identity } = target
    const isH2 = !plain && catalogue.entryFor(host)?.upstream === 'h2'
    try {
      await upstream.look?.(
        { host, port, plain, isWritten, ...(identity === undefined ? {} : { identity }) },
        isH2 ? 'h2' : 'http/1.1',
      )
      return true
    } catch {
      return false
    }
  }
}
