/**
 * The main thread's side of the record: takes rows at once, hands them to the worker in
 * batches, one batch at a time, and never throws or waits. What the worker cannot write it
 * keeps; what finds no place in the bounded backlog is counted and told.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type {
  AuditSink,
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
} from '../core/record.js'
import type { Service } from '../core/service.js'
import { unreachable } from '../core/unreachable.js'
import type { Tally } from './backlog.js'
import { Backlog, noRows, total } from './backlog.js'
import type { Batch, FromWorker, Trouble } from './messages.js'
import type { AuditLimits, AuditOptions } from './options.js'
import { auditDefaults, auditLimits } from './options.js'
import { WriterThread } from './writer-thread.js'

export type AuditHealth =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'degraded'
      readonly trouble: Trouble | 'worker'
      readonly reason: string
      readonly sinceMs: number
    }
  | { readonly kind: 'stopped' }

export interface AuditCounts {
  /** Finished rows that the store was given; each ends as written or dropped. */
  readonly offered: Readonly<Tally>
  readonly written: Readonly<Tally>
  readonly dropped: Readonly<Tally>
  /** Rows that hold a place just now, open exchanges included. */
  readonly held: number
  readonly bodiesDropped: number
  readonly workerRestarts: number
}

export interface AuditStore extends AuditSink, Service {
  readonly health: AuditHealth
  readonly counts: AuditCounts
  /** Resolves when everything given so far is in the database; open exchanges too. */
  flush(): Promise<void>
}

export interface AuditStoreOptions extends Partial<AuditOptions>, Partial<AuditLimits> {
  readonly database: string
  readonly log: Log
  readonly clock: Clock
}

export function openAuditStore(options: AuditStoreOptions): AuditStore {
  return new Store(options)
}

/** The log says that rows are dropped at most this often. */
const DROP_LOG_MS = 60_000

class Store implements AuditStore {
  readonly name = 'audit'
  readonly #options: AuditStoreOptions & AuditOptions & AuditLimits
  readonly #log: Log
  readonly #clock: Clock
  readonly #backlog: Backlog
  readonly #thread: WriterThread
  readonly #offered = noRows()
  readonly #written = noRows()
  readonly #rejected = noRows()
  #health: AuditHealth = { kind: 'starting' }
  #stopping = false
  #sequence = 0
  #inFlight: Batch | undefined
  #lastBatchMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #timerIsShort = false
  #flushing: (() => void)[] = []
  #firstReport: (() => void) | undefined
  #dropLoggedMs = Number.NEGATIVE_INFINITY
  #droppedTold = noRows()
  #dropSinceMs: number | undefined

  constructor(options: AuditStoreOptions) {
    this.#options = { ...auditDefaults, ...auditLimits, ...options }
    this.#log = options.log
    this.#clock = options.clock
    this.#backlog = new Backlog(this.#options)
    this.#thread = new WriterThread({
      database: options.database,
      run: randomUUID(),
      runStartedAtMs: options.clock.now(),
      heard: (message) => this.#heard(message),
      died: (reason) => this.#died(reason),
      reborn: () => this.#resend(),
      gaveUp: () => this.#giveUp(),
    })
  }

  get health(): AuditHealth {
    return this.#health
  }

  get dropped(): number {
    return total(this.#backlog.dropped) + total(this.#rejected)
  }

  get counts(): AuditCounts {
    return {
      offered: { ...this.#offered },
      written: { ...this.#written },
      dropped: sum(this.#backlog.dropped, this.#rejected),
      held: this.#backlog.held,
      bodiesDropped: this.#backlog.bodiesDropped,
      workerRestarts: this.#thread.restarts,
    }
  }

  connection(record: ConnectionRecord): void {
    this.#offered.connections++
    this.#backlog.connection(record)
    this.#given()
  }

  exchangeOpened(record: ExchangeRecord): void {
    this.#backlog.exchangeOpened(record, this.#clock.monotonic())
    if (this.#timer === undefined) this.#arm(this.#options.batchMs)
  }

  exchangeClosed(record: ExchangeRecord): void {
    this.#offered.exchanges++
    this.#backlog.exchangeClosed(record)
    this.#given()
  }

  event(record: EventRecord): void {
    this.#offered.events++
    this.#backlog.event(record)
    this.#given()
  }

  /** Resolves when the database is open, or when it is known that it cannot be yet. */
  async start(): Promise<void> {
    const reported = new Promise<void>((resolve) => (this.#firstReport = resolve))
    this.#thread.start()
    await within(this.#options.startMs, reported)
  }

  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    const end = this.#clock.monotonic() + this.#options.stopMs
    if (this.#thread.running) {
      await within(this.#options.stopMs, this.flush())
      await this.#thread.stop(
        this.#clock.now(),
        Math.max(100, end - this.#clock.monotonic()),
      )
    }
    clearTimeout(this.#timer)
    this.#abandonRest()
    this.#health = { kind: 'stopped' }
  }

  flush(): Promise<void> {
    const written = new Promise<void>((resolve) => this.#flushing.push(resolve))
    this.#thread.hold(true)
    this.#post()
    return written
  }

  /** A finished row came in: hand over when a batch is full and the last one is long enough ago. */
  #given(): void {
    if (this.#backlog.waiting >= this.#options.batchRows) this.#hurry()
    else if (this.#timer === undefined) this.#arm(this.#options.batchMs)
    if (this.dropped !== total(this.#droppedTold)) this.#tellDrops()
  }

  #hurry(): void {
    if (this.#inFlight !== undefined || (this.#timerIsShort && this.#timer !== undefined))
      return
    const wait = this.#lastBatchMs + this.#options.batchGapMs - this.#clock.monotonic()
    if (wait <= 0) return this.#post()
    this.#arm(wait)
    this.#timerIsShort = true
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timerIsShort = false
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#post()
    }, delayMs)
    this.#timer.unref()
  }

  #post(): void {
    if (this.#inFlight !== undefined || !this.#thread.running) return
    const now = this.#clock.monotonic()
    const openSince =
      this.#flushing.length > 0 ? Number.POSITIVE_INFINITY : now - this.#options.batchMs
    const batch = this.#backlog.take(this.#sequence + 1, openSince)
    if (batch === undefined) return this.#idle()
    this.#sequence++
    this.#inFlight = batch
    this.#lastBatchMs = now
    this.#thread.send({ kind: 'batch', batch })
  }

  #idle(): void {
    const waiters = this.#flushing
    this.#flushing = []
    if (waiters.length > 0) this.#thread.hold(false)
    for (const resolve of waiters) resolve()
    if (this.#timer === undefined && this.#backlog.hasUnwritten)
      this.#arm(this.#options.batchMs)
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case 'opened':
        return this.#nowOk()
      case 'troubled':
        return this.#nowDegraded(message.trouble, message.reason)
      case 'written':
        return this.#settle(message.sequence, message.rejected)
      case 'moved-aside':
        this.#log.error(
          { movedTo: message.to },
          'the audit database was corrupt; a new one begins',
        )
        return this.event({
          at: this.#clock.now(),
          kind: 'audit.corrupt',
          details: { movedTo: message.to },
        })
      case 'pruned':
      case 'stopped':
        return
      default:
        return unreachable(message)
    }
  }

  #settle(sequence: number, rejected: Readonly<Tally>): void {
    const batch = this.#inFlight
    if (batch?.sequence !== sequence) return
    this.#inFlight = undefined
    this.#backlog.settled()
    for (const kind of KINDS) {
      this.#rejected[kind] += rejected[kind]
      this.#written[kind] += batch[kind].length - rejected[kind]
    }
    this.#tellRecovery()
    if (this.#flushing.length > 0) this.#post()
    else if (this.#backlog.waiting >= this.#options.batchRows) this.#hurry()
    else if (this.#timer === undefined && this.#backlog.held > 0)
      this.#arm(this.#options.batchMs)
  }

  #nowOk(): void {
    const before = this.#health
    this.#health = { kind: 'ok' }
    if (before.kind === 'degraded') {
      const forMs = Math.round(this.#clock.now() - before.sinceMs)
      this.#log.info({ forMs }, 'the audit database can be written again')
    }
    this.#firstReport?.()
  }

  #nowDegraded(trouble: Trouble | 'worker', reason: string): void {
    const before = this.#health
    const known = before.kind === 'degraded' && before.trouble === trouble
    const sinceMs = before.kind === 'degraded' ? before.sinceMs : this.#clock.now()
    this.#health = { kind: 'degraded', trouble, reason, sinceMs }
    if (!known) {
      const database = this.#options.database
      this.#log.warn(
        { trouble, reason, database },
        'the audit database cannot be written',
      )
    }
    this.#firstReport?.()
  }

  #died(reason: string): void {
    if (!this.#stopping) this.#nowDegraded('worker', reason)
  }

  /** A new worker: the batch that the old one had may be written or not. */
  #resend(): void {
    if (this.#inFlight === undefined) return this.#post()
    this.#thread.send({ kind: 'batch', batch: { ...this.#inFlight, again: true } })
  }

  /** Batch after batch kills the worker: this one is given up. */
  #giveUp(): void {
    const batch = this.#inFlight
    if (batch === undefined) return
    this.#settle(batch.sequence, {
      connections: batch.connections.length,
      exchanges: batch.exchanges.length,
      events: batch.events.length,
    })
  }

  /** What is left when the store stops is lost, and counted so. */
  #abandonRest(): void {
    this.#giveUp()
    for (;;) {
      const batch = this.#backlog.take(++this.#sequence, Number.NEGATIVE_INFINITY)
      if (batch === undefined) break
      this.#inFlight = batch
      this.#giveUp()
    }
    for (const resolve of this.#flushing) resolve()
    this.#flushing = []
    if (total(this.#rejected) > 0)
      this.#log.error({ lost: { ...this.#rejected } }, 'audit rows were not written')
  }

  #tellDrops(): void {
    const now = this.#clock.monotonic()
    this.#dropSinceMs ??= this.#clock.now()
    if (now - this.#dropLoggedMs < DROP_LOG_MS) return
    this.#dropLoggedMs = now
    const { dropped, held } = this.counts
    this.#log.warn({ dropped, held }, 'audit rows are dropped: the queue is full')
  }

  /** When half of the queue is free again, the record itself says what it misses. */
  #tellRecovery(): void {
    if (this.#dropSinceMs === undefined) return
    if (this.#backlog.held > this.#options.queueRows / 2) return
    const { dropped } = this.counts
    const details = {
      connections: dropped.connections - this.#droppedTold.connections,
      exchanges: dropped.exchanges - this.#droppedTold.exchanges,
      events: dropped.events - this.#droppedTold.events,
      since: new Date(this.#dropSinceMs).toISOString(),
    }
    this.#droppedTold = { ...dropped }
    this.#dropSinceMs = undefined
    this.event({ at: this.#clock.now(), kind: 'audit.dropped', details })
  }
}

const KINDS = ['connections', 'exchanges', 'events'] as const

const sum = (a: Readonly<Tally>, b: Readonly<Tally>): Tally => ({
  connections: a.connections + b.connections,
  exchanges: a.exchanges + b.exchanges,
  events: a.events + b.events,
})

/** Waits for a promise that cannot fail, but no longer than this. */
async function within(limitMs: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))
  await Promise.race([done, late])
  clearTimeout(timer)
}
