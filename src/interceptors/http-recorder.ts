/**
 * `http_recorder`: whole exchanges in files that `yori replay` reads. Putting together, sanitising
 * and writing are a thread's work: here pieces are handed on, and nobody waits.
 */
import { Worker } from 'node:worker_threads'
import type { Log } from '../core/log.js'
import type {
  ExchangeObserver,
  ExchangeTap,
  SeenExchange,
  TappedHead,
} from '../proxy/words/observer.js'
import { Telling } from '../replay/telling.js'
import type { FrameSink } from '../replay/telling.js'
import type {
  FromRecorder,
  HttpRecorderData,
  ToRecorder,
} from './http-recorder-worker.js'

/** Bodies of what is under way, and what is made of them. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 1024 }

export interface HttpRecorderOptions extends HttpRecorderData {
  readonly maxBodyBytes: number
  readonly log: Log
}

export class HttpRecorder implements ExchangeObserver {
  readonly name = 'http_recorder'
  readonly #telling: Telling
  readonly #worker: Worker
  readonly #ended: Promise<void>
  #waitingBytes = 0
  #isGone = false

  constructor({ folder, perFile, maxBodyBytes, log }: HttpRecorderOptions) {
    const worker = new Worker(new URL('./http-recorder-worker.js', import.meta.url), {
      workerData: { folder, perFile } satisfies HttpRecorderData,
      resourceLimits: RESOURCE_LIMITS,
      execArgv: [],
      name: 'http_recorder',
    })
    worker.unref()
    this.#worker = worker
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#isGone = true
        resolve()
      })
    })
    worker.on('error', (err) => log.error({ err }, 'http_recorder has ended'))
    worker.on('message', (message: FromRecorder) => {
      if (message.kind === 'taken') this.#waitingBytes -= message.bytes
      else if (message.kind === 'failed')
        log.warn({ reason: message.reason }, 'http_recorder could not write')
    })
    this.#telling = new Telling(this.#sink(), { isWanted: () => true, maxBodyBytes })
  }

  tap(seen: SeenExchange, head: () => TappedHead): ExchangeTap | undefined {
    return this.#telling.tap(seen, head)
  }

  /** What is under way has a moment to end; then all is written. */
  async stop(): Promise<void> {
    if (this.#isGone) return
    await this.#telling.stop()
    this.#worker.ref()
    await this.#ended
  }

  #sink(): FrameSink {
    const waiting = (): number => this.#waitingBytes
    const isGone = (): boolean => this.#isGone
    const post = (message: ToRecorder): void => this.#worker.postMessage(message)
    return {
      get waitingBytes() {
        return waiting()
      },
      get isGone() {
        return isGone()
      },
      write: (bytes) => {
        this.#waitingBytes += bytes.length
        post({ kind: 'bytes', bytes })
      },
      end: () => post({ kind: 'end' }),
    }
  }
}
