/**
 * Sends spans and metrics to a collector by OTLP/HTTP in JSON, where the configuration names
 * one; without, it keeps nothing. Spans wait in a queue with a limit; one request is under way at
 * a time; what may be sent again is, a few times, and then it is dropped and counted. Traffic
 * never waits for it. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import type { Config } from '../../config/schema.js'
import type { ExchangeObserver, SeenExchange } from '../proxy/words/observer.js'
import { GenaiMetrics } from './genai-metrics.js'
import type { Counter, Family } from './instruments.js'
import { metricsBody, spanOf, tracesBody } from './otlp-json.js'
import type { Resource } from './otlp-json.js'
import { post } from './otlp-post.js'

/** Spans that wait; more are dropped and counted. */
export const MOST_SPANS = 2_048
/** Of one request. */
const MOST_IN_BATCH = 256
const BATCH_MS = 5_000
const MOST_TRIES = 5
const FIRST_WAIT_MS = 1_000
const LAST_WAIT_MS = 30_000

export interface OtlpOptions {
  readonly clock: Clock
  readonly log: Log
  readonly resource: Resource
  readonly startedAt: number
  /** Told what became of spans: `sent`, `failed`, `dropped`. */
  readonly spans: Pick<Counter, 'add'>
  /** All metrics of now. */
  readonly families: () => readonly Family[]
  /** For tests. */
  readonly batchMs?: number
  readonly firstWaitMs?: number
}

type Otel = Config['otel']

export class OtlpExporter implements ExchangeObserver {
  readonly name = 'otlp'
  readonly #options: OtlpOptions
  readonly #genai = new GenaiMetrics()
  #otel: Otel | undefined
  #spans: object[] = []
  #timer: NodeJS.Timeout | undefined
  #metricsDue = 0
  #sending: Promise<void> | undefined
  #ended = new AbortController()

  constructor(options: OtlpOptions) {
    this.#options = options
  }

  /** From now on there, or nowhere. */
  use(otel: Otel): void {
    this.#otel = otel
    clearInterval(this.#timer)
    this.#timer = undefined
    if (otel.endpoint === undefined) {
      this.#spans = []
      return
    }
    const { batchMs = BATCH_MS, clock } = this.#options
    this.#metricsDue = clock.monotonic() + otel.interval * 1000
    this.#timer = setInterval(() => this.#tick(), batchMs).unref()
  }

  ended(seen: SeenExchange): void {
    const otel = this.#otel
    if (otel?.endpoint === undefined || seen.call !== true) return
    if (otel.metrics) this.#genai.ended(seen)
    if (!otel.traces) return
    if (this.#spans.length >= MOST_SPANS) return this.#options.spans.add(['dropped'])
    const fresh = { traceId: hex(16), spanId: hex(8) }
    this.#spans.push(spanOf(seen, { fresh, content: otel.content }))
  }

  /** What waits is sent now; resolves when it is, or is given up. */
  async flush(): Promise<void> {
    await this.#sending
    this.#tick(true)
    await this.#sending
  }

  /** Sends what waits, no longer than the limit. */
  async stop(limitMs = 2_000): Promise<void> {
    clearInterval(this.#timer)
    const late = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref())
    if (this.#otel?.endpoint !== undefined) await Promise.race([this.flush(), late])
    this.#ended.abort()
  }

  #tick(withMetrics = false): void {
    if (this.#sending !== undefined) return
    this.#sending = this.#send(withMetrics)
      .catch((err: unknown) => this.#options.log.error({ err }, 'the OTLP export failed'))
      .finally(() => (this.#sending = undefined))
  }

  async #send(withMetrics: boolean): Promise<void> {
    const { clock, families, resource, startedAt } = this.#options
    const otel = this.#otel
    if (otel?.endpoint === undefined) return
    while (this.#spans.length > 0) {
      const batch = this.#spans.splice(0, MOST_IN_BATCH)
      const isSent = await this.#deliver('traces', tracesBody(batch, resource), otel)
      this.#options.spans.add([isSent ? 'sent' : 'failed'], batch.length)
      if (!isSent) break
    }
    if (!otel.metrics || (!withMetrics && clock.monotonic() < this.#metricsDue)) return
    this.#metricsDue = clock.monotonic() + otel.interval * 1000
    const all = [...families(), ...this.#genai.families()]
    const times = { startedAt, now: clock.now() }
    await this.#deliver('metrics', metricsBody(all, times, resource), otel)
  }

  /** False: given up. */
  async #deliver(
    signal: 'traces' | 'metrics',
    body: object,
    otel: Otel,
  ): Promise<boolean> {
    const { log, firstWaitMs = FIRST_WAIT_MS } = this.#options
    const url = `${(otel.endpoint ?? '').replace(/\/+$/, '')}/v1/${signal}`
    const headers = Object.fromEntries(
      Object.entries(otel.headers).map(([name, value]) => [name, value.reveal()]),
    )
    const text = JSON.stringify(body)
    for (let tries = 1; ; tries++) {
      const result = await post(url, { headers, text, signal: this.#ended.signal })
      if (result.kind === 'taken') return true
      const isOver = result.kind === 'refused' || tries >= MOST_TRIES
      if (isOver || this.#ended.signal.aborted) {
        log.warn({ signal, reason: result.reason }, 'a collector did not take an export')
        return false
      }
      const backOff = Math.min(firstWaitMs * 2 ** (tries - 1), LAST_WAIT_MS)
      await this.#wait(Math.min(result.afterMs ?? backOff, LAST_WAIT_MS))
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      this.#ended.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex')
