/**
 * The daemon's side of shipping: a child process that does it, started again when it dies, and
 * what it last told. What is under way there never touches traffic.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../../config/schema.js'
import type { Clock } from '../../core/clock.js'
import type { Concern } from '../../core/concern.js'
import type { Log } from '../../core/log.js'
import type { Service } from '../../core/service.js'
import { NO_SHIPPED } from './words.js'
import type { ServerTask, ShipCounts, ShipReport, ShipTask, SinkTask } from './words.js'

const HEAP_MB = 96
const LOWER_PRIORITY = 5
const FIRST_AGAIN_MS = 1_000
const LONGEST_AGAIN_MS = 60_000
const STOP_MS = 4_000
/** A server that is away for less is nothing to worry about. */
const CONCERN_MS = 60_000

export interface ShippingOptions {
  readonly task: ShipTask
  readonly clock: Clock
  readonly log: Log
}

/** What `/api/status` shows. */
export interface ShippingShape {
  readonly to: string
  readonly gateway: string
  readonly state: 'starting' | 'ok' | 'waiting' | 'stopped'
  readonly reason: string | null
  readonly since: string | null
  readonly waiting_transactions: number
  readonly waiting_since: string | null
  readonly shipped: Readonly<Record<'exchanges' | 'connections' | 'events', number>>
  readonly rejected: number
  readonly missed: number
}

export class Shipping implements Service {
  readonly name = 'shipping'
  readonly #options: ShippingOptions
  #child: ChildProcess | undefined
  #report: ShipReport | undefined
  /** Of children that have ended. */
  #before: ShipCounts = NO_SHIPPED
  #restarts = 0
  #againMs = FIRST_AGAIN_MS
  #again: NodeJS.Timeout | undefined
  #isStopping = false

  constructor(options: ShippingOptions) {
    this.#options = options
  }

  /** Of the gateway, or of the sink. */
  get label(): string {
    return this.#options.task.gateway
  }

  get counts(): ShipCounts & { readonly restarts: number; readonly waiting: number } {
    const now = this.#report?.counts ?? NO_SHIPPED
    return {
      ...sum(this.#before, now),
      restarts: this.#restarts,
      waiting: this.#report?.waiting ?? 0,
    }
  }

  /** Since when the oldest row waits, in seconds; 0: none does. */
  get behindS(): number {
    const since = this.#report?.waitingSinceMs
    if (since === undefined) return 0
    return Math.max(0, (this.#options.clock.now() - since) / 1000)
  }

  /** CPU time of the process that ships, of the one that runs. */
  get cpuMs(): number {
    return this.#report?.cpuMs ?? 0
  }

  get isShipping(): boolean {
    return this.#report?.state.kind === 'ok'
  }

  get concern(): Concern | undefined {
    const state = this.#report?.state
    if (state?.kind !== 'waiting') return undefined
    if (this.#options.clock.now() - state.sinceMs < CONCERN_MS) return undefined
    return { kind: 'ship', says: 'the record is not shipped: its server takes nothing' }
  }

  get shape(): ShippingShape {
    const { to, gateway } = this.#options.task
    const state = this.#report?.state ?? { kind: 'starting' }
    const { exchanges, connections, events, rejected, missed } = this.counts
    const text = (ms: number | undefined): string | null =>
      ms === undefined ? null : new Date(ms).toISOString()
    return {
      ...{ to, gateway, state: state.kind },
      reason: state.kind === 'waiting' ? state.reason : null,
      since: text(state.kind === 'waiting' ? state.sinceMs : undefined),
      waiting_transactions: this.#report?.waiting ?? 0,
      waiting_since: text(this.#report?.waitingSinceMs),
      shipped: { exchanges, connections, events },
      ...{ rejected, missed },
    }
  }

  start(): Promise<void> {
    this.#start()
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#again)
    const child = this.#child
    if (child === undefined) return
    const gone = once(child, 'exit')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.ref()
    if (child.connected) child.send('stop', () => undefined)
    await gone
    clearTimeout(late)
  }

  /** For tests: as whoever is out of memory does it. */
  killChild(): void {
    this.#child?.kill('SIGKILL')
  }

  #start(): void {
    const { TZ } = process.env
    const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), {
      env: TZ === undefined ? {} : { TZ },
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=4'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child = child
    child.unref()
    child.channel?.unref()
    child.on('error', () => undefined)
    child.on('message', (report: ShipReport) => this.#heard(report))
    child.once('exit', (code, signal) => this.#ended(child, code ?? signal))
    child.send(this.#options.task, () => undefined)
    try {
      if (child.pid !== undefined) setPriority(child.pid, LOWER_PRIORITY)
    } catch {
      // It has its own then.
    }
  }

  #heard(report: ShipReport): void {
    const before = this.#report?.state
    this.#report = report
    const { log } = this.#options
    const { state, counts, waiting } = report
    if (state.kind === 'ok') this.#againMs = FIRST_AGAIN_MS
    if (state.kind === before?.kind) return
    const { to, gateway } = this.#options.task
    if (state.kind === 'waiting')
      log.warn(
        { to, gateway, reason: state.reason },
        'the record is not shipped for now; it is kept here',
      )
    if (state.kind === 'ok' && before?.kind !== 'ok')
      log.info({ to, gateway, waiting, batches: counts.batches }, 'the record is shipped')
  }

  #ended(child: ChildProcess, why: number | string | null): void {
    if (child !== this.#child) return
    this.#child = undefined
    this.#before = sum(this.#before, this.#report?.counts ?? NO_SHIPPED)
    if (this.#isStopping) return
    const { log, clock } = this.#options
    const reason = `the process that ships has ended: ${why}`
    log.warn({ reason }, 'the record is not shipped for now; it is kept here')
    this.#report = {
      state: { kind: 'waiting', reason, sinceMs: clock.now() },
      counts: NO_SHIPPED,
      waiting: this.#report?.waiting ?? 0,
      waitingSinceMs: this.#report?.waitingSinceMs ?? clock.now(),
    }
    this.#again = setTimeout(() => {
      this.#restarts++
      this.#start()
    }, this.#againMs).unref()
    this.#againMs = Math.min(LONGEST_AGAIN_MS, this.#againMs * 2)
  }
}

/** One for each place where lines go. */
export function sinkTasks(config: Config, version: string): readonly SinkTask[] {
  const { sinks, database } = config.audit
  return Object.entries(sinks).flatMap(([name, sink]): SinkTask[] => {
    const { type } = sink
    if (type === undefined) return []
    const format = sink.format ?? FORMATS[type]
    const placeFile = join(config.state_dir, `sink-${encodeURIComponent(name)}.json`)
    return [
      {
        ...{ to: type, gateway: name, database, placeFile, version },
        sink: {
          ...{ type, format, path: sink.path, url: sink.url, index: sink.index },
          ...{ host: sink.host, port: sink.port, transport: sink.transport },
          ...{ tlsCa: sink.tls_ca, tokenFile: sink.token_file },
          token: sink.token?.reveal(),
        },
      },
    ]
  })
}

const FORMATS = {
  file: 'yori',
  syslog: 'cef',
  splunk: 'yori',
  datadog: 'yori',
  elastic: 'ecs',
} as const

/** Undefined: the record stays here. */
export function shipTask(config: Config): ServerTask | undefined {
  const { ship, database } = config.audit
  if (ship.url === undefined || ship.gateway === undefined) return undefined
  return {
    to: ship.to,
    url: ship.url.reveal(),
    gateway: ship.gateway,
    database,
    placeFile: join(config.state_dir, 'ship.json'),
    ...(ship.password_file === undefined ? {} : { passwordFile: ship.password_file }),
    ...(ship.tls_ca === undefined ? {} : { caFile: ship.tls_ca }),
  }
}

function sum(a: ShipCounts, b: ShipCounts): ShipCounts {
  return {
    exchanges: a.exchanges + b.exchanges,
    connections: a.connections + b.connections,
    events: a.events + b.events,
    batches: a.batches + b.batches,
    failures: a.failures + b.failures,
    rejected: a.rejected + b.rejected,
    missed: a.missed + b.missed,
    forgotten: a.forgotten + b.forgotten,
  }
}
