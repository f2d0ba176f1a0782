/**
 * The worker's side of things on the thread that serves: started when there is something for it,
 * ended when nothing is under way for a while, started again when something is due. What is
 * told here is handed over in batches; nothing waits for an answer but who asked.
 */
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../core/clock.js'
import type {
  AlertQuestions,
  FromWorker,
  PostCounts,
  PostSettings,
  QuestionName,
  Told,
  ToWorker,
} from './words.js'
import type { AlertWorkerData } from './worker.js'

/** Without work for so long, the worker ends. */
const IDLE_MS = 30_000
/** What is asked by people; a test of a sink waits for the sink. */
const ANSWER_MS = 65_000
const MOST_ASKED = 64
/** It died: not again before. */
const AFTER_DEATH_MS = 10_000
const STOP_MS = 2_500
const RESOURCE_LIMITS = {
  maxOldGenerationSizeMb: 64,
  maxYoungGenerationSizeMb: 4,
  stackSizeMb: 2,
} as const

export interface AlertThreadOptions extends AlertWorkerData {
  readonly clock: Clock
  readonly note: (sink: string, reason: string) => void
  /** For tests. */
  readonly idleMs?: number
  readonly script?: URL
}

type State = FromWorker & { readonly kind: 'state' }

interface Asked {
  readonly resolve: (found: unknown) => void
  readonly reject: (cause: Error) => void
  readonly timer: NodeJS.Timeout
}

const NO_COUNTS: PostCounts = { told: 0, heldBack: 0, sent: 0, failed: 0, dropped: 0 }

export class AlertThread {
  readonly #options: AlertThreadOptions
  readonly #asked = new Map<number, Asked>()
  #settings: PostSettings | undefined
  #worker: Worker | undefined
  #state: State | undefined
  /** Of workers that have ended. */
  #before = NO_COUNTS
  #posted = 0
  #lastId = 0
  #restUntil = -Infinity
  #idleSince: number | undefined
  /** What is due though no worker runs. */
  #nextDue: number | null
  #ending: Promise<void> | undefined
  #ended = false

  constructor(options: AlertThreadOptions) {
    this.#options = options
    // What an earlier process left may be due at once.
    this.#nextDue = existsSync(options.file) ? 0 : null
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  get waiting(): number {
    return this.#state?.waiting ?? 0
  }

  get counts(): PostCounts {
    return sum(this.#before, this.#worker === undefined ? NO_COUNTS : this.#countsNow())
  }

  use(settings: PostSettings): void {
    this.#settings = settings
    const nowMs = this.#options.clock.now()
    if (this.#worker !== undefined) this.#post({ kind: 'settings', settings, nowMs })
  }

  /** False: it cannot be told just now. */
  take(told: readonly Told[]): boolean {
    const nowMs = this.#options.clock.now()
    return this.#started() && this.#post({ kind: 'take', told, nowMs })
  }

  /** Once a second. */
  tick(): void {
    const { clock, idleMs = IDLE_MS } = this.#options
    const nowMs = clock.now()
    if (this.#worker === undefined) {
      if (this.#nextDue !== null && this.#nextDue <= nowMs) this.#started()
      return
    }
    this.#post({ kind: 'tick', nowMs })
    if (this.#isIdle(nowMs, idleMs)) this.#idleSince ??= clock.monotonic()
    else this.#idleSince = undefined
    if (this.#idleSince !== undefined && clock.monotonic() - this.#idleSince >= idleMs)
      void this.stop()
  }

  /** @throws Error when it cannot be asked */
  ask<N extends QuestionName>(
    name: N,
    asked: AlertQuestions[N]['asked'],
  ): Promise<AlertQuestions[N]['found']> {
    if (this.#asked.size >= MOST_ASKED || !this.#started())
      return Promise.reject(new Error('alerts cannot be asked just now'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(id, 'it took too long'), ANSWER_MS)
      timer.unref()
      const told = resolve as (found: unknown) => void
      this.#asked.set(id, { resolve: told, reject, timer })
      this.#post({ kind: 'ask', id, name, asked, nowMs: this.#options.clock.now() })
    })
  }

  /** For good. */
  async end(): Promise<void> {
    this.#ended = true
    await this.stop()
  }

  /** Ends the worker in its own time: one that is ended from outside may take us with it. */
  async stop(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return this.#ending
    this.#before = this.counts
    this.#nextDue = this.#state?.nextDue ?? null
    this.#worker = undefined
    this.#idleSince = undefined
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
    worker.ref()
    worker.postMessage({ kind: 'stop' } satisfies ToWorker)
    this.#ending = Promise.race([gone, late]).then(() => {
      worker.unref()
      this.#ending = undefined
    })
    await this.#ending
  }

  #isIdle(nowMs: number, idleMs: number): boolean {
    const state = this.#state
    if (state === undefined || state.isBusy || this.#asked.size > 0) return false
    // One question or batch may be on its way: only a state that knows all counts.
    if (state.heard < this.#posted - 1) return false
    return state.nextDue === null || state.nextDue > nowMs + idleMs
  }

  #started(): boolean {
    const { clock } = this.#options
    if (this.#worker !== undefined) return true
    if (this.#ended || this.#ending !== undefined || this.#settings === undefined)
      return false
    if (clock.monotonic() < this.#restUntil) return false
    this.#worker = this.#start()
    const nowMs = clock.now()
    this.#post({ kind: 'settings', settings: this.#settings, nowMs })
    return this.#post({ kind: 'tick', nowMs })
  }

  #start(): Worker {
    const { file, database, script, clock } = this.#options
    const worker = new Worker(script ?? new URL('./worker.js', import.meta.url), {
      workerData: { file, database } satisfies AlertWorkerData,
      resourceLimits: RESOURCE_LIMITS,
      execArgv: [],
      name: 'alerts',
    })
    worker.unref()
    this.#posted = 0
    this.#state = undefined
    let reason = 'it ended'
    worker.on('message', (message: FromWorker) => this.#heard(worker, message))
    worker.on('error', (cause) => (reason = String(cause)))
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#before = this.counts
      this.#worker = undefined
      this.#nextDue = 0
      this.#restUntil = clock.monotonic() + AFTER_DEATH_MS
      this.#options.note('', `the thread that sends has died: ${reason}`)
      for (const id of this.#asked.keys()) this.#giveUp(id, reason)
    })
    return worker
  }

  #post(message: ToWorker): true {
    this.#posted++
    this.#worker?.postMessage(message)
    return true
  }

  #heard(worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case 'state':
        if (worker === this.#worker) this.#state = message
        return
      case 'note':
        return this.#options.note(message.sink, message.reason)
      case 'answer': {
        const asked = this.#asked.get(message.id)
        if (asked === undefined) return
        this.#asked.delete(message.id)
        clearTimeout(asked.timer)
        if (message.failed === undefined) asked.resolve(message.found)
        else asked.reject(new Error(message.failed))
      }
    }
  }

  #giveUp(id: number, reason: string): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    clearTimeout(asked?.timer)
    asked?.reject(new Error(`alerts cannot be asked: ${reason}`))
  }

  #countsNow(): PostCounts {
    return this.#state?.counts ?? NO_COUNTS
  }
}

function sum(a: PostCounts, b: PostCounts): PostCounts {
  return {
    told: a.told + b.told,
    heldBack: a.heldBack + b.heldBack,
    sent: a.sent + b.sent,
    failed: a.failed + b.failed,
    dropped: a.dropped + b.dropped,
  }
}
