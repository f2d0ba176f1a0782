/**
 * Questions to the record, put to a worker: started by the first, ended when none has come for
 * a while. The loop that serves connections reads nothing.
 */
import { Worker } from 'node:worker_threads'
import { Refusal } from './answer.js'
import type { AskedOf, FoundBy, FromReader, ReadName, ToReader } from './reads.js'

/** Without a question for so long, the worker ends. */
const IDLE_MS = 30_000
/** Questions that wait; more are refused. */
const MOST_WAITING = 64
/** A question that takes longer is given up, and the worker with it. */
const ANSWER_MS = 30_000
const RESOURCE_LIMITS = {
  maxOldGenerationSizeMb: 48,
  maxYoungGenerationSizeMb: 4,
  stackSizeMb: 2,
} as const

interface Waiting {
  readonly resolve: (found: unknown) => void
  readonly reject: (cause: Error) => void
  readonly timer: NodeJS.Timeout
}

export interface ReaderOptions {
  readonly database: string
  /** For tests. */
  readonly idleMs?: number
}

export class Reader {
  readonly #options: ReaderOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  /** @throws Refusal 503: too many wait, it took too long, or the record cannot be read */
  ask<N extends ReadName>(name: N, asked: AskedOf<N>): Promise<FoundBy<N>> {
    if (this.#waiting.size >= MOST_WAITING)
      return Promise.reject(unavailable('too many questions wait for the record'))
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lateness(worker), ANSWER_MS)
      timer.unref()
      const told = resolve as (found: unknown) => void
      this.#waiting.set(id, { resolve: told, reject, timer })
      worker.postMessage({ id, name, asked } satisfies ToReader)
    })
  }

  /** Ends the worker in its own time: one that is ended from outside may take us with it. */
  stop(): void {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    worker?.postMessage({ id: 0, name: 'stop', asked: undefined } satisfies ToReader)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reader-worker.js', import.meta.url), {
      workerData: { database: this.#options.database },
      resourceLimits: RESOURCE_LIMITS,
      execArgv: [],
      name: 'reader',
    })
    worker.unref()
    let reason = 'its reader ended'
    worker.on('message', (message: FromReader) => this.#heard(message))
    worker.on('error', (cause) => (reason = String(cause)))
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#giveUp(reason)
    })
    return worker
  }

  #heard({ id, found, failed }: FromReader): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (failed === undefined) waiting.resolve(found)
    else waiting.reject(unavailable(failed))
    if (this.#waiting.size > 0) return
    this.#idle = setTimeout(() => this.stop(), this.#options.idleMs ?? IDLE_MS)
    this.#idle.unref()
  }

  /** Whatever it does, the next question gets another worker. */
  #lateness(worker: Worker): void {
    if (this.#worker === worker) this.stop()
    this.#giveUp('it took too long')
  }

  #giveUp(reason: string): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject, timer } of all) {
      clearTimeout(timer)
      reject(unavailable(reason))
    }
  }
}

function unavailable(reason: string): Refusal {
  return new Refusal(503, 'unavailable', `the record cannot be read: ${reason}`)
}
