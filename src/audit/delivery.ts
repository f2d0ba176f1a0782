/**
 * Takes batches from the backlog to the worker, one at a time: when enough rows are finished,
 * or when one has waited long enough. While the worker is busy the next batch grows, so
 * commits get cheaper as the load rises. Keeps the batch in hand until it is answered for.
 */
import type { Clock } from '../core/clock.js'
import type { PaidAnswer } from '../policy/paid-answers.js'
import type { UsageRow } from '../policy/usage.js'
import type { Backlog } from './backlog.js'
import type { Batch, ToWorker } from './messages.js'
import type { AuditLimits } from './store-options.js'
import type { Tally } from './tally.js'
import { KINDS, noRows } from './tally.js'

/** Where batches go: the worker, as far as this module knows it. */
export interface Destination {
  readonly running: boolean
  send(message: ToWorker): void
}

/** The counters: what has changed of them goes along with each batch. */
export interface UsageSource {
  take(): UsageRow[]
  /** What was taken never arrived. */
  lost(rows?: readonly UsageRow[]): void
}

/** What is paid for: likewise. */
export interface AnswersSource {
  take(): PaidAnswer[]
  /** What was taken never arrived. */
  lost(): void
}

export interface DeliveryDeps {
  readonly answers: AnswersSource | undefined
  readonly usage: UsageSource | undefined
  readonly backlog: Backlog
  readonly limits: AuditLimits
  readonly clock: Clock
  readonly destination: Destination
  /** The household's; undefined is the system's. */
  readonly zone: () => string | undefined
}

export class Delivery {
  readonly #backlog: Backlog
  readonly #limits: AuditLimits
  readonly #clock: Clock
  readonly #destination: Destination
  readonly #usage: UsageSource | undefined
  readonly #answers: AnswersSource | undefined
  readonly #zone: () => string | undefined
  readonly written = noRows()
  /** Rows that the database refused, or that were given up. */
  readonly rejected = noRows()
  #sequence = 0
  #inHand: Batch | undefined
  #lastBatchMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #hurried = false
  #flushing: (() => void)[] = []

  constructor({
    backlog,
    limits,
    clock,
    destination,
    usage,
    answers,
    zone,
  }: DeliveryDeps) {
    this.#zone = zone
    this.#usage = usage
    this.#answers = answers
    this.#backlog = backlog
    this.#limits = limits
    this.#clock = clock
    this.#destination = destination
  }

  /** Batches handed over so far. */
  get batches(): number {
    return this.#sequence
  }

  /** The backlog got a row: hand over when a batch is full and the last is long enough ago. */
  given(): void {
    if (this.#backlog.waiting >= this.#limits.batchRows) this.#hurry()
    else if (this.#timer === undefined) this.#arm(this.#limits.batchMs)
  }

  /** Hands over what is due, if the worker is free. */
  post(): void {
    if (this.#inHand !== undefined || !this.#destination.running) return
    const now = this.#clock.monotonic()
    const openSince =
      this.#flushing.length > 0 ? Number.POSITIVE_INFINITY : now - this.#limits.batchMs
    const batch = this.#backlog.take(this.#sequence + 1, openSince)
    if (batch === undefined) return this.#nothingDue()
    this.#sequence++
    const usage = this.#usage?.take()
    const answers = this.#answers?.take()
    const zone = this.#zone()
    const whole = {
      ...batch,
      ...(usage === undefined ? {} : { usage }),
      ...(answers === undefined ? {} : { answers }),
      ...(zone === undefined ? {} : { zone }),
    }
    this.#inHand = whole
    this.#lastBatchMs = now
    this.#destination.send({ kind: 'batch', batch: whole })
  }

  /** The worker has answered for a batch. */
  settle(sequence: number, rejected: Readonly<Tally>): void {
    const batch = this.#inHand
    if (batch?.sequence !== sequence) return
    this.#inHand = undefined
    this.#backlog.settled()
    for (const kind of KINDS) {
      this.rejected[kind] += rejected[kind]
      this.written[kind] += batch[kind].length - rejected[kind]
    }
    if (this.#flushing.length > 0) this.post()
    else if (this.#backlog.busy) this.given()
  }

  /** A new worker stands ready: the batch in hand may be written already, or not. */
  resend(): void {
    if (this.#inHand === undefined) return this.post()
    this.#destination.send({ kind: 'batch', batch: { ...this.#inHand, again: true } })
  }

  /** The batch in hand is lost, and counted so. */
  giveUp(): void {
    const batch = this.#inHand
    if (batch === undefined) return
    const { connections, exchanges, events, usage } = batch
    if (usage !== undefined) this.#usage?.lost(usage)
    if (batch.answers !== undefined) this.#answers?.lost()
    this.settle(batch.sequence, {
      connections: connections.length,
      exchanges: exchanges.length,
      events: events.length,
    })
  }

  /** Resolves when nothing is waiting any more; open exchanges are written as they are. */
  flush(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#flushing.push(resolve))
    this.post()
    return done
  }

  /** What has not been written by now never will be; it is counted as rejected. */
  end(): void {
    clearTimeout(this.#timer)
    this.#flushed()
    this.giveUp()
    for (;;) {
      this.#inHand = this.#backlog.take(++this.#sequence, Number.NEGATIVE_INFINITY)
      if (this.#inHand === undefined) break
      this.giveUp()
    }
    clearTimeout(this.#timer)
  }

  #hurry(): void {
    if (this.#inHand !== undefined) return
    const full = this.#backlog.waiting >= this.#limits.batchSoonRows
    if (this.#hurried && !full) return
    const wait = this.#lastBatchMs + this.#limits.batchGapMs - this.#clock.monotonic()
    if (full || wait <= 0) return this.post()
    this.#arm(wait)
    this.#hurried = true
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#hurried = false
      this.post()
    }, delayMs)
    this.#timer.unref()
  }

  #nothingDue(): void {
    this.#flushed()
    if (this.#timer === undefined && this.#backlog.busy) this.#arm(this.#limits.batchMs)
  }

  #flushed(): void {
    const waiters = this.#flushing
    this.#flushing = []
    for (const resolve of waiters) resolve()
  }
}
