/**
 * How many connections there are to each name, over every version of HTTP, and who waits for one
 * where no more may be opened: in the order in which they came, each for so long and no longer.
 * How many wait is bounded by whoever sends: one that waits is a request under way.
 */

import { YoriError } from '../core/errors.js'
import type { UpstreamRequest } from './upstream-words.js'

/** Ends a connection to that name that nobody uses; false: there is none. */
export type Evict = (key: string) => boolean

interface Waiting {
  /** True: it has found a connection, or needs none any more. */
  readonly serve: () => boolean
  readonly leave: () => void
}

/**
 * Counts connections to a name, of HTTP/1.1 and sessions of HTTP/2 together, so that there are
 * never more than its limit; who finds none free waits, bounded in time.
 */
export class ConnectionRoom {
  readonly #open = new Map<string, number>()
  readonly #waiting = new Map<string, Set<Waiting>>()
  readonly #evictors: Evict[] = []
  #isServing = false

  /** Whoever keeps connections that are idle says how one of them is ended. */
  evictBy(evict: Evict): void {
    this.#evictors.push(evict)
  }

  /** Requests that wait, for all names. */
  get waiting(): number {
    let count = 0
    for (const line of this.#waiting.values()) count += line.size
    return count
  }

  /** Open or opening to that name. */
  open(key: string): number {
    return this.#open.get(key) ?? 0
  }

  /**
   * A place for one more connection, to be given back by `give`. False: there are `most` of
   * them, and each is used.
   */
  take(key: string, most = Infinity): boolean {
    if (this.open(key) >= most) this.#evictors.some((evict) => evict(key))
    const open = this.open(key)
    if (open >= most) return false
    this.#open.set(key, open + 1)
    return true
  }

  /** It is closed. */
  give(key: string): void {
    const open = this.open(key) - 1
    if (open > 0) this.#open.set(key, open)
    else this.#open.delete(key)
    this.freed(key)
  }

  /** A connection can carry one more: whoever has waited longest, and can use it, has it. */
  freed(key: string): void {
    const line = this.#waiting.get(key)
    // What serving one ends is for that one.
    if (line === undefined || this.#isServing) return
    this.#isServing = true
    for (const one of line)
      if (one.serve()) {
        one.leave()
        break
      }
    this.#isServing = false
  }

  /** `late`: it has waited so long, and is asked no more. Gives what ends the waiting. */
  wait(key: string, waitMs: number, serve: () => boolean, late: () => void): () => void {
    const line = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, line)
    const leave = (): void => {
      clearTimeout(timer)
      line.delete(one)
      if (line.size === 0 && this.#waiting.get(key) === line) this.#waiting.delete(key)
    }
    const timer = setTimeout(() => {
      leave()
      late()
    }, waitMs)
    const one: Waiting = { serve, leave }
    line.add(one)
    return leave
  }
}

/** It has waited as long as it may; nothing of it has gone. */
export function noneFree({ target, limits }: UpstreamRequest): YoriError {
  const { connections = 0, waitMs = 0 } = limits ?? {}
  const text = `${target.host}: none of ${connections} connections was free within ${waitMs / 1000} s`
  return new YoriError('YORI_UPSTREAM_BUSY', text, { retryAfterS: 1 })
}
