/**
 * The life of the worker thread: born, dies, is born again with back-off. Knows nothing of
 * rows; says when a batch has killed too many workers.
 */
import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerData } from './messages.js'

const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 10_000
/** Deaths without an answer in between, after which the batch in hand is given up. */
const DEATHS_PER_BATCH = 3

/** One batch, twice parsed, and SQLite's statements: 24 MB of heap holds them with room. */
const RESOURCE_LIMITS = {
  maxOldGenerationSizeMb: 24,
  maxYoungGenerationSizeMb: 4,
  stackSizeMb: 2,
} as const

export interface WriterThreadOptions {
  readonly database: string
  readonly run: string
  readonly placeCheckMs: number
  readonly script: URL
  readonly heard: (message: FromWorker) => void
  readonly died: (reason: string) => void
  /** A worker stands ready where one had died. */
  readonly reborn: () => void
  readonly gaveUp: () => void
}

export class WriterThread {
  readonly #options: WriterThreadOptions
  #worker: Worker | undefined
  #opened = false
  #deaths = 0
  #restartMs = FIRST_RESTART_MS
  #restart: NodeJS.Timeout | undefined
  #holds = 0
  restarts = 0

  constructor(options: WriterThreadOptions) {
    this.#options = options
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  start(): void {
    const { database, run, placeCheckMs } = this.#options
    const workerData: WorkerData = {
      database,
      run,
      placeCheckMs,
      first: !this.#opened,
    }
    const worker = new Worker(this.#options.script, {
      workerData,
      resourceLimits: RESOURCE_LIMITS,
      execArgv: [],
      name: 'audit',
    })
    if (this.#holds === 0) worker.unref()
    let reason = 'the worker ended'
    worker.on('message', (message: FromWorker) => this.#heard(message))
    worker.on('error', (cause) => (reason = String(cause)))
    worker.on('exit', () => this.#exited(worker, reason))
    this.#worker = worker
  }

  /** Never throws: rows are plain values. Does nothing while there is no worker. */
  send(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  /** Until released as often as held, the worker keeps the process alive. */
  hold(): void {
    this.#holds++
    this.#worker?.ref()
  }

  release(): void {
    if (--this.#holds === 0) this.#worker?.unref()
  }

  /**
   * Asks it to close the database and waits for its end, no longer than the limit; false when
   * it is late. It is never terminated: a thread that is ended while better-sqlite3 is about
   * to throw takes the whole process with it (`v8::ToLocalChecked Empty MaybeLocal`).
   */
  async stop(limitMs: number): Promise<boolean> {
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return true
    this.#worker = undefined
    let late: NodeJS.Timeout | undefined
    const ended = new Promise<boolean>((resolve) => {
      worker.once('exit', () => resolve(true))
      late = setTimeout(() => resolve(false), limitMs)
    })
    worker.ref()
    worker.postMessage({ kind: 'stop' } satisfies ToWorker)
    const inTime = await ended
    clearTimeout(late)
    worker.unref()
    return inTime
  }

  #heard(message: FromWorker): void {
    if (message.kind === 'opened') this.#opened = true
    if (message.kind === 'written') {
      this.#deaths = 0
      this.#restartMs = FIRST_RESTART_MS
    }
    this.#options.heard(message)
  }

  #exited(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.restarts++
    if (++this.#deaths >= DEATHS_PER_BATCH) {
      this.#deaths = 0
      this.#options.gaveUp()
    }
    this.#options.died(reason)
    this.#restart = setTimeout(() => {
      this.start()
      this.#options.reborn()
    }, this.#restartMs)
    if (this.#holds === 0) this.#restart.unref()
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS)
  }
}
