/**
 * Keeps batches until they are in the database, whatever happens to it: retries with
 * back-off while it is locked, full or unwritable, moves a corrupt file aside and begins a
 * new one, opens anew a file that was replaced. Lives in the worker thread; `say` reaches
 * the main thread.
 */
import { existsSync, renameSync } from 'node:fs'
import type { Failure } from './failure.js'
import { failureOf } from './failure.js'
import type { Batch, FromWorker, WorkerData } from './messages.js'
import { timestampText } from './rows.js'
import type { PruneRequest } from './retention.js'
import { nonePruned, prune } from './retention.js'
import type { Writer } from './writer.js'
import { openWriter } from './writer.js'

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2000
/** A lock passes by itself: it is looked at more often, and a short one is not worth a word. */
const LAST_LOCKED_RETRY_MS = 400
const LOCKED_TIMES = 3

export class Keeper {
  readonly #data: WorkerData
  readonly #say: (message: FromWorker) => void
  /** Batches not yet committed, in order. The main thread sends one at a time. */
  readonly #kept: Batch[] = []
  #writer: Writer | undefined
  #orphansClosed: boolean
  #troubled = false
  #lockedTimes = 0
  #retryMs = FIRST_RETRY_MS
  #retry: NodeJS.Timeout | undefined
  #placeCheckedMs = 0

  constructor(data: WorkerData, say: (message: FromWorker) => void) {
    this.#data = data
    this.#say = say
    this.#orphansClosed = !data.first
  }

  take(batch: Batch): void {
    this.#kept.push(batch)
    if (this.#retry === undefined) this.attempt()
  }

  /** Opens what is not open, writes what is kept; on failure plans the next attempt. */
  attempt(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    try {
      const writer = this.#openedWriter()
      for (let batch = this.#kept[0]; batch !== undefined; batch = this.#kept[0]) {
        this.#write(writer, batch)
        this.#kept.shift()
      }
      this.#recovered()
    } catch (cause) {
      this.#failed(failureOf(cause) ?? { trouble: 'failed', reason: String(cause) })
    }
  }

  /** Step by step, with whatever else arrives in between. One at a time. */
  prune(request: PruneRequest): void {
    if (this.#writer === undefined)
      return this.#say({ kind: 'pruned', pruned: nonePruned, failed: 'no database' })
    let pruned = nonePruned
    const steps = prune(this.#writer.db, request, this.#writer.chain)
    const step = (): void => {
      try {
        const { done, value } = steps.next()
        pruned = value
        if (done === true) this.#say({ kind: 'pruned', pruned })
        else setImmediate(step)
      } catch (cause) {
        this.#say({ kind: 'pruned', pruned, failed: String(cause) })
      }
    }
    step()
  }

  /** One last attempt; exchanges that are still open will never close, and get their end. */
  stop(): void {
    this.#writer?.db.pragma('busy_timeout = 0')
    if (this.#kept.length > 0) this.attempt()
    clearTimeout(this.#retry)
    try {
      this.#writer?.closeOrphans()
    } catch {
      // The next start does it.
    }
    this.#close()
  }

  #write(writer: Writer, batch: Batch): void {
    // A batch may come again from a worker that died between commit and answer.
    const known = batch.again && writer.lastSequence(this.#data.run) >= batch.sequence
    const began = performance.now()
    const rejected = known ? NONE : writer.write(this.#data.run, batch)
    const tookMs = performance.now() - began
    this.#say({ kind: 'written', sequence: batch.sequence, rejected, tookMs })
  }

  #openedWriter(): Writer {
    const now = performance.now()
    const look = now - this.#placeCheckedMs >= this.#data.placeCheckMs
    if (this.#writer !== undefined && look) {
      this.#placeCheckedMs = now
      if (!this.#writer.inPlace()) {
        this.#close()
        this.#say({ kind: 'replaced' })
      }
    }
    if (this.#writer !== undefined) return this.#writer
    const writer = openWriter(this.#data.database)
    this.#writer = writer
    this.#placeCheckedMs = now
    if (!this.#orphansClosed) writer.closeOrphans()
    this.#orphansClosed = true
    if (!this.#troubled) this.#say({ kind: 'opened' })
    return writer
  }

  #recovered(): void {
    this.#retryMs = FIRST_RETRY_MS
    this.#lockedTimes = 0
    if (this.#troubled) this.#say({ kind: 'opened' })
    this.#troubled = false
  }

  #failed(failure: Failure): void {
    const locked = failure.trouble === 'locked'
    this.#lockedTimes = locked ? this.#lockedTimes + 1 : 0
    if (!locked || this.#lockedTimes >= LOCKED_TIMES) {
      this.#troubled = true
      this.#say({ kind: 'troubled', ...failure })
    }
    if (failure.trouble === 'corrupt') this.#moveAside()
    // After anything but a lock the connection is not to be trusted.
    if (!locked) this.#close()
    this.#retry = setTimeout(() => this.attempt(), this.#retryMs)
    const most = locked ? LAST_LOCKED_RETRY_MS : LAST_RETRY_MS
    this.#retryMs = Math.min(this.#retryMs * 2, most)
  }

  /** The file and its log keep matching names, so that `sqlite3 .recover` can read them. */
  #moveAside(): void {
    this.#close()
    const from = this.#data.database
    const to = `${from}.corrupt-${timestampText(Date.now()).replace(/[-: ]/g, '')}`
    try {
      renameSync(from, to)
      for (const suffix of ['-wal', '-shm']) {
        if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix)
      }
      this.#say({ kind: 'moved-aside', to })
    } catch {
      // The next attempt finds it corrupt again, or finds what keeps it from being moved.
    }
  }

  #close(): void {
    try {
      this.#writer?.close()
    } catch {
      // Closing after an I/O error may fail once more; the descriptor is gone either way.
    }
    this.#writer = undefined
  }
}

const NONE = { connections: 0, exchanges: 0, events: 0 } as const
