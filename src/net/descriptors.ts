/**
 * File descriptors: how many this process may have, and whether they are used up. Each
 * connection of a client takes one, and mostly another towards the provider.
 */
import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Clock } from '../core/clock.js'
import type { Concern, MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import type { Watched } from '../core/watched.js'
import { errorCodeOf } from './tls-failure.js'

/** None refused for so long: there are some again. */
const CALM_MS = 60_000

/** What it is told by and tells. */
export interface DescriptorsOptions {
  readonly clock: Clock
  readonly log: Log
  /** Connections of clients that are open. */
  readonly connections: () => number
}

/**
 * To be watched (`tick`) and told of failures (`failed`). None was refused for `CALM_MS`
 * (60 s): then it has no concern any more.
 */
export class Descriptors implements MayConcern, Watched {
  readonly #clock: Clock
  readonly #log: Log
  readonly #connections: () => number
  /** Read at once: later there may be no descriptor to read it by. */
  readonly #limit = descriptorLimit()
  #refusedAt = -Infinity
  #trying: Promise<void> | undefined

  constructor({ clock, log, connections }: DescriptorsOptions) {
    this.#clock = clock
    this.#log = log
    this.#connections = connections
  }

  /** The kernel's queue is emptied without a word when there are none: so one is tried. */
  tick(): void {
    // Each may have another connection upstream; some are the database's and the log's.
    if (4 * this.#connections() < (this.#limit ?? Infinity)) return
    this.#trying ??= open('/dev/null')
      .then((handle) => handle.close())
      .catch((error: unknown) => this.failed(error))
      .finally(() => (this.#trying = undefined))
  }

  /** A connection could not be accepted or opened; anything else than descriptors is ignored. */
  failed(error: unknown): void {
    const code = errorCodeOf(error)
    if (code !== 'EMFILE' && code !== 'ENFILE') return
    const before = this.concern
    this.#refusedAt = this.#clock.monotonic()
    if (before !== undefined) return
    this.#log.error(
      { code, limit: this.#limit },
      'no descriptors are left: connections are lost',
    )
  }

  /** At a start: are there enough for that many connections? */
  warnBelow(connections: number): void {
    const limit = this.#limit
    if (limit === undefined || limit >= connections) return
    this.#log.warn(
      { limit, connections },
      'fewer descriptors than limits.connections: raise the limit (LimitNOFILE, ulimit -n)',
    )
  }

  get concern(): Concern | undefined {
    if (this.#clock.monotonic() - this.#refusedAt >= CALM_MS) return undefined
    const says = 'no descriptors are left: connections are lost; raise the limit'
    return { kind: 'descriptors', says }
  }
}

/** The soft limit of this process; undefined: none, or nobody can tell. */
export function descriptorLimit(): number | undefined {
  const limit = process.platform === 'linux' ? fromProc() : fromReport()
  return Number.isSafeInteger(limit) ? limit : undefined
}

function fromProc(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    return Number(/^Max open files +(\d+) /m.exec(limits)?.[1])
  } catch {
    return NaN
  }
}

function fromReport(): number {
  const report = process.report?.getReport() as
    { userLimits?: { open_files?: { soft?: unknown } } } | undefined
  return Number(report?.userLimits?.open_files?.soft)
}
