/**
 * Rows on their way to the worker: bounded, counted, and merged. An exchange takes its place
 * when it opens and keeps it until its end has been written, so the end of an exchange that
 * was admitted is never dropped; one that was not admitted is tried once more when it closes.
 * Pure but for the records it is shown: nothing here waits, writes or throws.
 */
import type {
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
  RowChange,
} from '../core/record.js'
import { PassingMap } from '../core/passing-map.js'
import type { Batch, EncodedChange } from './messages.js'
import type { AuditLimits } from './store-options.js'
import type { Encoded } from './rows.js'
import { encode } from './rows.js'
import type { Row } from './tables.js'
import {
  answeredColumns,
  connectionColumns,
  eventColumns,
  exchangeColumns,
} from './tables.js'
import { unreachable } from '../core/unreachable.js'
import { noRows } from './tally.js'

/** Events are few and matter: they may go this far over the limit of rows. */
const EVENT_RESERVE = 256

/** This part of the bytes is kept for rows; bodies may fill the rest. */
const FOR_ROWS = 0.5

interface Opening {
  /** Undefined once it has closed: what it holds is not kept from being freed. */
  record: ExchangeRecord | undefined
  readonly sinceMs: number
  /** A batch has carried it. */
  carried: boolean
}

export class Backlog {
  readonly #limits: AuditLimits
  /** Open exchanges that have a place. */
  readonly #open = new PassingMap<Opening>()
  /** Those of them that no batch has carried, oldest first; closed ones are passed over. */
  #unwritten: Opening[] = []
  #connections: Encoded[] = []
  #exchanges: Encoded[] = []
  #events: Encoded[] = []
  #gone: string[] = []
  /** Each with the count of rows that go before it: it may be about one of them. */
  #changes: { readonly after: number; readonly change: EncodedChange }[] = []
  /** Rows of exchanges that were closed, and those of them that a batch has taken, ever. */
  #closed = 0
  #taken = 0
  #waitingBytes = 0
  #takenRows = 0
  #takenBytes = 0
  /** Rows that found no place, ever. */
  readonly dropped = noRows()
  /** Rows that went without their bodies, ever. */
  bodiesDropped = 0

  constructor(limits: AuditLimits) {
    this.#limits = limits
  }

  /** Finished rows that no batch has taken. */
  get waiting(): number {
    return (
      this.#connections.length +
      this.#exchanges.length +
      this.#events.length +
      this.#changes.length +
      this.#gone.length
    )
  }

  /** Every row that holds a place: open, waiting, or taken and not yet settled. */
  get held(): number {
    return this.#open.size + this.waiting + this.#takenRows
  }

  /** Exchanges that have begun and not ended. */
  get open(): number {
    return this.#open.size
  }

  /** Is there anything that a batch may carry, now or when it has been open long enough? */
  get busy(): boolean {
    return this.waiting > 0 || this.#unwritten.length > 0
  }

  connection(record: ConnectionRecord): void {
    const encoded = encode(connectionColumns, record, this.#limits)
    if (this.#admits(encoded.size)) this.#wait(this.#connections, encoded)
    else this.dropped.connections++
  }

  event(record: EventRecord): void {
    const encoded = encode(eventColumns, record, this.#limits)
    if (this.#admits(encoded.size, EVENT_RESERVE)) this.#wait(this.#events, encoded)
    else this.dropped.events++
  }

  exchangeOpened(record: ExchangeRecord, nowMs: number): void {
    if (this.held >= this.#limits.queueRows) return
    const opening = { record, sinceMs: nowMs, carried: false }
    this.#open.set(record.requestId, opening)
    this.#unwritten.push(opening)
  }

  exchangeClosed(record: ExchangeRecord): void {
    const opening = this.#opened(record)
    let encoded = encode(exchangeColumns, record, this.#limits)
    const spare = this.#room - this.#limits.queueBytes * FOR_ROWS
    if (encoded.size > spare && hasBody(record)) {
      encoded = encode(exchangeColumns, record, this.#limits, false)
      this.bodiesDropped++
    }
    if (opening !== undefined) {
      opening.record = undefined
      this.#open.take(record.requestId)
    } else if (!this.#admits(encoded.size)) {
      this.dropped.exchanges++
      return
    }
    this.#closed++
    this.#wait(this.#exchanges, encoded)
  }

  /** It has no row of its own; that of another changes. Nothing is dropped but the change. */
  exchangeMerged(record: ExchangeRecord, change: RowChange): void {
    const opening = this.#opened(record)
    if (opening !== undefined) {
      opening.record = undefined
      this.#open.take(record.requestId)
      if (opening.carried) this.#gone.push(record.requestId)
    }
    this.exchangeChanged(change)
  }

  exchangeChanged(change: RowChange): void {
    if (this.held >= this.#limits.queueRows) return
    this.#changes.push({
      after: this.#closed,
      change: encodedChange(change, this.#limits),
    })
  }

  /**
   * The next batch, or undefined when nothing is due. Open exchanges come along when they
   * have been open since `openSinceMs`: those that end sooner are written once.
   */
  take(sequence: number, openSinceMs: number): Batch | undefined {
    const space = { rows: this.#limits.batchMaxRows, bytes: this.#limits.batchMaxBytes }
    const takenBefore = this.#takenBytes
    const events = this.#takeFrom(this.#events, space)
    const connections = this.#takeFrom(this.#connections, space)
    const exchanges = this.#takeFrom(this.#exchanges, space)
    this.#taken += exchanges.length
    const gone = this.#gone.splice(0)
    const changes = this.#takeChanges()
    this.#takenRows += events.length + connections.length + exchanges.length
    this.#takenRows += gone.length + changes.length
    this.#waitingBytes -= this.#takenBytes - takenBefore
    const open = this.#takeOpen(openSinceMs, space)
    if (this.#takenRows === 0 && open.length === 0) return undefined
    const rows = { connections, exchanges, events, open }
    return { sequence, again: false, ...rows, gone, changes }
  }

  /** The batch that was taken is in the database, or given up. */
  settled(): void {
    this.#takenRows = 0
    this.#takenBytes = 0
  }

  /** The place of this very row. */
  #opened(record: ExchangeRecord): Opening | undefined {
    const opening = this.#open.get(record.requestId)
    return opening?.record === record ? opening : undefined
  }

  get #room(): number {
    return this.#limits.queueBytes - this.#waitingBytes - this.#takenBytes
  }

  #admits(size: number, reserve = 0): boolean {
    return this.held < this.#limits.queueRows + reserve && size <= this.#room
  }

  #wait(list: Encoded[], encoded: Encoded): void {
    list.push(encoded)
    this.#waitingBytes += encoded.size
  }

  /** Takes from the front while there is space; the first row of a batch always fits. */
  #takeFrom(list: Encoded[], space: { rows: number; bytes: number }): Row[] {
    const rows: Row[] = []
    for (const { row, size } of list) {
      const first = space.rows === this.#limits.batchMaxRows
      if (space.rows === 0 || (size > space.bytes && !first)) break
      rows.push(row)
      space.rows--
      space.bytes -= size
      this.#takenBytes += size
    }
    list.splice(0, rows.length)
    return rows
  }

  #takeChanges(): EncodedChange[] {
    const early = this.#changes.findIndex(({ after }) => after > this.#taken)
    const due = early < 0 ? this.#changes.length : early
    return this.#changes.splice(0, due).map(({ change }) => change)
  }

  #takeOpen(sinceMs: number, space: { rows: number; bytes: number }): Row[] {
    const rows: Row[] = []
    let passed = 0
    for (const opening of this.#unwritten) {
      if (opening.record !== undefined) {
        if (opening.sinceMs > sinceMs || space.rows === 0) break
        const { row, size } = encode(exchangeColumns, opening.record, this.#limits, false)
        if (size > space.bytes && rows.length > 0) break
        rows.push(row)
        opening.carried = true
        space.rows--
        space.bytes -= size
      }
      passed++
    }
    this.#unwritten.splice(0, passed)
    return rows
  }
}

function encodedChange(change: RowChange, limits: AuditLimits): EncodedChange {
  switch (change.kind) {
    case 'repeated': {
      const { requestId, repeats, marks } = change.row
      return { kind: 'repeated', requestId, repeats, marks: marks.join(' ') }
    }
    case 'sent-by': {
      const { requestId, program } = change.row
      const { name, folder = null } = program
      return { kind: 'sent-by', requestId, name, folder }
    }
    case 'answered': {
      const { requestId, told } = change.row
      return {
        kind: 'answered',
        requestId,
        row: encode(answeredColumns, told, limits).row,
      }
    }
    default:
      return unreachable(change)
  }
}

const hasBody = (record: ExchangeRecord): boolean =>
  record.requestBody !== undefined || record.responseBody !== undefined
