/**
 * The main thread's side of the record: takes rows at once and never throws or waits. The
 * parts: `backlog` holds and counts, `delivery` hands over, `writer-thread` keeps a worker
 * alive, `gaps` tells what is missing. What the database is unable to do shows in `health`.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import type { Concern, MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import { lookingLater } from '../core/looking-later.js'
import type {
  AuditSink,
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
  RowChange,
} from '../core/record.js'
import type { Service } from '../core/service.js'
import { SHORT_SECONDS, Timing } from '../core/timing.js'
import { unreachable } from '../core/unreachable.js'
import { Backlog } from './backlog.js'
import { Delivery } from './delivery.js'
import type { AnswersSource, UsageSource } from './delivery.js'
import { Gaps } from './gaps.js'
import type { FromWorker, Trouble } from './messages.js'
import type { AuditLimits, AuditOptions } from './store-options.js'
import { auditDefaults, auditLimits } from './store-options.js'
import { PruneSchedule } from './prune-schedule.js'
import type { Pruned } from './retention.js'
import type { Tally } from './tally.js'
import { noRows, total } from './tally.js'
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

/** How long it is told that earlier rows are not there any more. */
const LOST_TOLD_MS = 3_600_000

const WORDS: Readonly<Record<Trouble | 'worker', string>> = {
  locked: 'another program holds it',
  full: 'the disk is full',
  unwritable: 'it may not be written',
  corrupt: 'it is corrupt',
  newer: 'a later version of YORI has written it',
  failed: 'the database fails',
  worker: 'its worker fails',
}

export interface AuditCounts {
  /** Finished rows that the store was given; each ends as written or dropped. */
  readonly offered: Readonly<Tally>
  readonly written: Readonly<Tally>
  readonly dropped: Readonly<Tally>
  /** Rows that hold a place just now, open exchanges included. */
  readonly held: number
  /** Exchanges among them that have not ended. */
  readonly open: number
  readonly bodiesDropped: number
  /** Batches handed to the worker: transactions. */
  readonly batches: number
  readonly workerRestarts: number
  /** Seconds that the transactions of batches took, in the worker. */
  readonly writing: Timing
}

export interface AuditStore extends AuditSink, Service, MayConcern {
  readonly health: AuditHealth
  readonly counts: AuditCounts
  /** Resolves when everything given so far is in the database; open exchanges too. */
  flush(): Promise<void>
}

export interface AuditStoreOptions extends Partial<AuditOptions>, Partial<AuditLimits> {
  readonly database: string
  readonly log: Log
  readonly clock: Clock
  /** Written along with the rows. */
  readonly usage?: UsageSource
  readonly answers?: AnswersSource
  /** By whose days connections are counted; undefined, as without it, is the system's. */
  readonly zone?: () => string | undefined
  /** Tests put a worker here that dies when it is told. */
  readonly workerScript?: URL
}

export function openAuditStore(options: AuditStoreOptions): AuditStore {
  return new Store(options)
}

class Store implements AuditStore {
  readonly name = 'audit'
  readonly #options: AuditStoreOptions & AuditOptions & AuditLimits
  readonly #log: Log
  readonly #clock: Clock
  readonly #backlog: Backlog
  readonly #thread: WriterThread
  readonly #delivery: Delivery
  readonly #gaps: Gaps
  readonly #schedule: PruneSchedule
  readonly #offered = noRows()
  readonly #writing = new Timing(SHORT_SECONDS)
  #health: AuditHealth = { kind: 'starting' }
  /** When earlier rows were last found gone. */
  #lostAt = -Infinity
  #stopping: Promise<void> | undefined
  #firstReport: (() => void) | undefined
  #tending: NodeJS.Timeout | undefined

  constructor(options: AuditStoreOptions) {
    const { database, log, clock } = options
    this.#options = { ...auditDefaults, ...auditLimits, ...options }
    this.#log = log
    this.#clock = clock
    this.#schedule = new PruneSchedule(this.#options, clock.now())
    this.#backlog = new Backlog(this.#options)
    this.#gaps = new Gaps(log, clock)
    this.#thread = new WriterThread({
      database,
      run: randomUUID(),
      placeCheckMs: this.#options.placeCheckMs,
      script: options.workerScript ?? new URL('./worker.js', import.meta.url),
      heard: (message) => this.#heard(message),
      died: (reason) => this.#died(reason),
      reborn: () => this.#delivery.resend(),
      gaveUp: () => this.#delivery.giveUp(),
    })
    this.#delivery = new Delivery({
      backlog: this.#backlog,
      limits: this.#options,
      clock,
      destination: this.#thread,
      usage: options.usage,
      answers: options.answers,
      zone: options.zone ?? (() => undefined),
    })
  }

  get health(): AuditHealth {
    return this.#health
  }

  get concern(): Concern | undefined {
    const health = this.#health
    if (health.kind === 'degraded')
      return {
        kind: 'store',
        says: `the record cannot be written: ${WORDS[health.trouble]}`,
      }
    if (this.#clock.monotonic() - this.#lostAt >= LOST_TOLD_MS) return undefined
    return {
      kind: 'store',
      says: 'the record began anew: its file was replaced or corrupt',
    }
  }

  get dropped(): number {
    return total(this.#backlog.dropped) + total(this.#delivery.rejected)
  }

  get counts(): AuditCounts {
    return {
      offered: { ...this.#offered },
      written: { ...this.#delivery.written },
      dropped: this.#droppedTally(),
      held: this.#backlog.held,
      open: this.#backlog.open,
      bodiesDropped: this.#backlog.bodiesDropped,
      batches: this.#delivery.batches,
      workerRestarts: this.#thread.restarts,
      writing: this.#writing,
    }
  }

  connection(record: ConnectionRecord): void {
    this.#offered.connections++
    this.#backlog.connection(record)
    this.#given()
  }

  exchangeOpened(record: ExchangeRecord): void {
    this.#backlog.exchangeOpened(record, this.#clock.monotonic())
    this.#delivery.given()
  }

  exchangeClosed(record: ExchangeRecord): void {
    this.#offered.exchanges++
    this.#backlog.exchangeClosed(record)
    this.#given()
  }

  exchangeMerged(record: ExchangeRecord, change: RowChange): void {
    this.#backlog.exchangeMerged(record, change)
    this.#given()
  }

  exchangeChanged(change: RowChange): void {
    this.#backlog.exchangeChanged(change)
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
    this.#delivery.post()
    this.#tending = setInterval(() => this.#tend(), this.#options.tendMs)
    this.#tending.unref()
    await within(this.#options.startMs, reported)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async flush(): Promise<void> {
    await lookingLater.whole()
    this.#thread.hold()
    await this.#delivery.flush()
    this.#thread.release()
  }

  async #stop(): Promise<void> {
    clearInterval(this.#tending)
    const endMs = this.#clock.monotonic() + this.#options.stopMs
    if (this.#thread.running) await within(this.#options.stopMs, this.flush())
    const leftMs = Math.max(MIN_STOP_MS, endMs - this.#clock.monotonic())
    if (!(await this.#thread.stop(leftMs)))
      this.#log.warn(
        { stopMs: this.#options.stopMs },
        'the audit worker did not stop in time',
      )
    this.#delivery.end()
    this.#health = { kind: 'stopped' }
    if (this.dropped > 0)
      this.#log.warn({ dropped: this.#droppedTally() }, 'audit rows were not written')
  }

  #given(): void {
    this.#delivery.given()
    this.#gaps.look(this.dropped, () => this.#droppedTally())
  }

  #droppedTally(): Tally {
    const { dropped } = this.#backlog
    const { rejected } = this.#delivery
    return {
      connections: dropped.connections + rejected.connections,
      exchanges: dropped.exchanges + rejected.exchanges,
      events: dropped.events + rejected.events,
    }
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case 'opened':
        return this.#nowOk()
      case 'troubled':
        return this.#nowDegraded(message.trouble, message.reason)
      case 'written':
        this.#delivery.settle(message.sequence, message.rejected)
        this.#writing.observe(message.tookMs / 1000)
        return this.#tellGap()
      case 'replaced':
        this.#lostAt = this.#clock.monotonic()
        this.#log.warn({}, 'the audit database was replaced: what it held is elsewhere')
        return this.#event('audit.replaced', {})
      case 'moved-aside':
        this.#lostAt = this.#clock.monotonic()
        this.#options.usage?.lost()
        this.#options.answers?.lost()
        this.#log.error(
          { movedTo: message.to },
          'the audit database was corrupt: moved aside',
        )
        return this.#event('audit.corrupt', { movedTo: message.to })
      case 'pruned':
        return this.#pruned(message.pruned, message.failed)
      default:
        return unreachable(message)
    }
  }

  /** When half of the queue is free again, the record itself says what it misses. */
  #tellGap(): void {
    if (this.#backlog.held > this.#options.queueRows / 2) return
    this.#gaps.look(this.dropped, () => this.#droppedTally())
    const gap = this.#gaps.close(this.#droppedTally())
    if (gap !== undefined) this.event(gap)
  }

  #nowOk(): void {
    const before = this.#health
    this.#health = { kind: 'ok' }
    if (before.kind === 'degraded') {
      const { trouble, reason, sinceMs } = before
      const since = new Date(sinceMs).toISOString()
      this.#log.info({ trouble, since }, 'the audit database can be written again')
      this.#event('audit.recovered', { trouble, reason, since })
    }
    this.#firstReport?.()
  }

  #nowDegraded(trouble: Trouble | 'worker', reason: string): void {
    const before = this.#health
    const degraded = before.kind === 'degraded'
    const sinceMs = degraded ? before.sinceMs : this.#clock.now()
    this.#health = { kind: 'degraded', trouble, reason, sinceMs }
    if (!degraded || before.trouble !== trouble) {
      const { database } = this.#options
      this.#log.warn(
        { trouble, reason, database },
        'the audit database cannot be written',
      )
    }
    this.#firstReport?.()
  }

  #died(reason: string): void {
    if (this.#stopping !== undefined) return
    this.#schedule.failed(this.#clock.now())
    this.#nowDegraded('worker', reason)
  }

  #tend(): void {
    if (this.#health.kind !== 'ok') return
    const request = this.#schedule.due(this.#clock.now())
    if (request !== undefined) this.#thread.send({ kind: 'prune', ...request })
  }

  #pruned(pruned: Pruned, failed: string | undefined): void {
    const { connections, exchanges, events } = pruned
    if (failed === undefined) this.#schedule.finished()
    else {
      this.#schedule.failed(this.#clock.now())
      this.#log.warn({ failed }, 'pruning the audit database ended early')
    }
    if (connections + exchanges + events === 0) return
    this.#log.info({ ...pruned }, 'old audit rows were deleted')
    this.#event('audit.pruned', { connections, exchanges, events })
  }

  #event(kind: string, details: EventRecord['details']): void {
    this.event({ at: this.#clock.now(), kind, details })
  }
}

/** The worker gets this long to close its file, even when the rows took all the time. */
const MIN_STOP_MS = 500

/** Waits for a promise that cannot fail, but no longer than this. */
async function within(limitMs: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))
  await Promise.race([done, late])
  clearTimeout(timer)
}
