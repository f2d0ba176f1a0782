/**
 * Connections whose first bytes are awaited, bounded for one client and in all. When there are
 * too many a new one waits in line, unread, and takes the place of one that is decided; what
 * has been silent or slow for more than a second makes room, as if its deadline had come. A
 * burst is therefore served, and one that sends nothing keeps nobody out for long.
 */
import type { Watched } from '../../core/watched.js'

/**
 * Between two ticks the loop has read what had arrived: who was there before the last but one
 * has been slow itself, however late we were.
 */
const GROWN_TICKS = 2

export interface Place {
  /** Its turn has come; undefined: at once. Resolves also when it leaves the line. */
  readonly turn: Promise<void> | undefined
  /** Aborted when another needs the place. */
  readonly signal: AbortSignal
  /** Once the connection is decided or gone, however that came; once or often. */
  leave(): void
}

export interface UndecidedOptions {
  readonly max: number
  readonly maxPerClient: number
  /** One was decided early, for another that waited. */
  readonly onCrowded?: (client: string, limit: 'all' | 'client') => void
}

interface Entry {
  readonly client: string
  readonly controller: AbortController
  enteredAt: number
  /** Undefined: it has its place. */
  admit: (() => void) | undefined
}

export class Undecided implements Watched {
  readonly #options: UndecidedOptions
  /** Those with a place, in the order of arrival, like the line. */
  readonly #all = new Set<Entry>()
  readonly #byClient = new Map<string, Set<Entry>>()
  readonly #line = new Set<Entry>()
  #ticks = 0

  constructor(options: UndecidedOptions) {
    this.#options = options
  }

  /** Those with a place. */
  get waiting(): number {
    return this.#all.size
  }

  get inLine(): number {
    return this.#line.size
  }

  /** `leave` once the connection is decided, however that came. */
  enter(client: string): Place {
    const controller = new AbortController()
    const entry: Entry = { client, controller, enteredAt: this.#ticks, admit: undefined }
    const place = { signal: controller.signal, leave: () => this.#leave(entry) }
    if (this.#limitFor(client) === undefined) {
      this.#seat(entry)
      return { ...place, turn: undefined }
    }
    const turn = new Promise<void>((resolve) => (entry.admit = resolve))
    this.#line.add(entry)
    this.#makeRoom(entry)
    return { ...place, turn }
  }

  /** The slow make room for those in line, as far as there are any. */
  tick(): void {
    this.#ticks += 1
    for (const entry of this.#line) if (!this.#makeRoom(entry)) break
  }

  /** False: nothing is left that could make room for anybody. */
  #makeRoom(entry: Entry): boolean {
    const limit = this.#limitFor(entry.client)
    const among = limit === 'client' ? this.#byClient.get(entry.client) : this.#all
    const [oldest] = among ?? []
    if (limit === undefined || oldest === undefined) return true
    if (this.#ticks - oldest.enteredAt < GROWN_TICKS) return limit === 'client'
    this.#leave(oldest)
    this.#options.onCrowded?.(entry.client, limit)
    oldest.controller.abort()
    return true
  }

  #leave(entry: Entry): void {
    if (this.#line.delete(entry)) {
      entry.admit?.()
      return
    }
    if (!this.#all.delete(entry)) return
    const own = this.#byClient.get(entry.client)
    own?.delete(entry)
    if (own?.size === 0) this.#byClient.delete(entry.client)
    for (const next of this.#line) {
      if (this.#limitFor(next.client) !== undefined) continue
      this.#line.delete(next)
      this.#seat(next)
      return
    }
  }

  #seat(entry: Entry): void {
    entry.enteredAt = this.#ticks
    this.#all.add(entry)
    const own = this.#byClient.get(entry.client) ?? new Set<Entry>()
    this.#byClient.set(entry.client, own)
    own.add(entry)
    entry.admit?.()
    entry.admit = undefined
  }

  /** What keeps one more of this client from having a place. */
  #limitFor(client: string): 'all' | 'client' | undefined {
    const own = this.#byClient.get(client)?.size ?? 0
    if (own >= this.#options.maxPerClient) return 'client'
    return this.#all.size >= this.#options.max ? 'all' : undefined
  }
}
