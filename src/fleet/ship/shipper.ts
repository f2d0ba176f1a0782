/**
 * Ships a record: reads what became of its rows from where the destination stands, sends it, and
 * waits for more. Whatever fails is tried again, ever more seldom; the record itself is the
 * buffer, so that an outage costs nothing but room in it. Never gives up, never skips.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Feed } from '../../audit/feed.js'
import type { FeedPlace } from '../../audit/feed.js'
import { NO_SHIPPED } from './words.js'
import type { Destination, Sent, ShipCounts, ShipReport, ShipState } from './words.js'

/** How often the record is looked at while there is nothing new. */
const LOOK_MS = 250
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
const MOST_REASON = 300

export interface ShipperOptions {
  readonly database: string
  readonly destination: Destination
  readonly now: () => number
  /** Told whenever something has changed. */
  readonly report: (report: ShipReport) => void
  /** For tests. */
  readonly firstWaitMs?: number
}

export class Shipper {
  readonly #options: ShipperOptions
  readonly #stop = new AbortController()
  #state: ShipState = { kind: 'starting' }
  /** The last that is known; undefined: not since the start. */
  #place: FeedPlace | undefined
  #counts: ShipCounts = NO_SHIPPED
  #waiting: Pick<ShipReport, 'waiting' | 'waitingSinceMs'> = {
    waiting: 0,
    waitingSinceMs: undefined,
  }

  constructor(options: ShipperOptions) {
    this.#options = options
  }

  /** Until `stop`. Never rejects. */
  async run(): Promise<void> {
    const { destination, firstWaitMs = FIRST_WAIT_MS } = this.#options
    let waitMs = firstWaitMs
    while (!this.#stop.signal.aborted) {
      const before = this.#counts.batches
      try {
        await this.#ship()
      } catch (cause) {
        if (this.#counts.batches > before) waitMs = firstWaitMs
        this.#failed(cause)
        await this.#sleep(waitMs)
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
      }
      await destination.close().catch(() => undefined)
    }
    this.#state = { kind: 'stopped' }
    this.#tell()
  }

  /** What is there is shipped first; whoever has no time for that ends the process. */
  stop(): void {
    this.#stop.abort()
  }

  /** All that is there, until it is stopped, or another file has taken the place of the record. */
  async #ship(): Promise<void> {
    const { database, destination } = this.#options
    using feed = new Feed(database)
    let place = await destination.open(feed.name)
    for (let isFirst = true; !this.#stop.signal.aborted; isFirst = false) {
      if (!feed.changed() && !isFirst) {
        if (!feed.inPlace) return
        await this.#sleep(LOOK_MS)
        continue
      }
      place = await this.#shipAll(feed, place)
    }
    // What was written last goes along, as far as there is time.
    await this.#shipAll(feed, place)
  }

  async #shipAll(feed: Feed, from: FeedPlace): Promise<FeedPlace> {
    let place = from
    this.#look(feed, place)
    for (;;) {
      const piece = feed.next(place)
      if (piece === undefined) break
      const sent = await this.#options.destination.send(piece)
      place = piece.next
      this.#add(sent, piece.missed)
      this.#look(feed, place)
    }
    return place
  }

  #look(feed: Feed, place: FeedPlace): void {
    this.#place = place
    this.#measure(feed, place)
    this.#state = { kind: 'ok' }
    this.#tell()
  }

  #measure(feed: Feed, place: FeedPlace): void {
    const { seq } = place
    const since = feed.waitingSince(place)
    this.#waiting = {
      waiting: Math.max(0, feed.last - seq),
      waitingSinceMs:
        since === undefined ? undefined : Date.parse(`${since.replace(' ', 'T')}Z`),
    }
  }

  #add(sent: Sent, missed: number): void {
    const before = this.#counts
    this.#counts = {
      ...before,
      exchanges: before.exchanges + sent.exchanges,
      connections: before.connections + sent.connections,
      events: before.events + sent.events,
      batches: before.batches + sent.batches,
      rejected: before.rejected + sent.rejected,
      forgotten: before.forgotten + sent.forgotten,
      missed: before.missed + missed,
    }
  }

  #failed(cause: unknown): void {
    const reason = reasonOf(cause)
    const { now } = this.#options
    const sinceMs = this.#state.kind === 'waiting' ? this.#state.sinceMs : now()
    this.#state = { kind: 'waiting', reason, sinceMs }
    this.#counts = { ...this.#counts, failures: this.#counts.failures + 1 }
    this.#lookAside()
    this.#tell()
  }

  /** How much waits is told while the server is away, too. */
  #lookAside(): void {
    if (this.#place === undefined) return
    try {
      using feed = new Feed(this.#options.database)
      this.#measure(feed, this.#place)
    } catch {
      // That is what failed.
    }
  }

  #tell(): void {
    this.#options.report({ state: this.#state, counts: this.#counts, ...this.#waiting })
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#stop
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }
}

/** What drivers say names hosts and users, and never a password. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0)
    return reasonOf(cause.errors[0])
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.replaceAll(/\s+/g, ' ').slice(0, MOST_REASON)
}
