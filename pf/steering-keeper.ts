/**
 * The unprivileged half of steering, while YORI runs: it keeps the file of addresses that the
 * supervisor loads, and records the periods in which the supervisor had to take steering off.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { loadCatalogue } from '../config/read-catalogue.js'
import type { Config } from '../config/schema.js'
import {
  MEANWHILE,
  OFF_CAUSES,
  offMs,
  parseOffPeriods,
  unseenOffPeriods,
} from './off-periods.js'
import type { OffPeriod } from './off-periods.js'
import { tableSettings } from './settings.js'
import { parseStatus } from './steering-status.js'
import { steeringFiles } from './steering-files.js'
import type { SteeringFiles } from './steering-files.js'
import { planTable } from './table.js'
import { TableUpdater } from './table-updater.js'
import type { Clock } from '../src/core/clock.js'
import type { Log } from '../src/core/log.js'
import type { Service } from '../src/core/service.js'
import type { Watch, Watched } from '../src/core/watched.js'

/** Clients get other addresses from a content network as often as every minute. */
const REFRESH_MS = 30_000
/** A file that is longer was not written by the supervisor. */
const MAX_PERIODS_BYTES = 1024 * 1024

/** What names lead to, asked in a way of one's own. */
export interface NameLookup {
  /** Canonical addresses; rejects when there is no answer. */
  lookup(name: string): Promise<readonly string[]>
  close(): void
}

export interface NameLookupOptions {
  /** DNS servers; none: those of the system. */
  readonly servers: readonly string[]
  /** For how long an answer may be given after it ran out. */
  readonly staleMs: number
  readonly timeoutMs: number
  readonly maxNames: number
}

export interface SteeringKeeperOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Watch
  readonly own: { has(address: string): boolean }
  readonly openLookup: (options: NameLookupOptions) => NameLookup
  readonly event: (kind: string, details: Record<string, unknown>) => void
}

/** How steering stood when it was last looked at. */
export interface SteeringStands {
  /** `yori pf apply` was the last word. */
  readonly wished: boolean
  /** Families of which packets are led here now. */
  readonly led: readonly ('inet' | 'inet6')[]
  /** Seconds in which it was wished for and could not be, as far as they are remembered. */
  readonly offSeconds: number
}

export class SteeringKeeper implements Service, Watched {
  readonly name = 'steering'
  readonly #options: SteeringKeeperOptions
  readonly #files: SteeringFiles
  #config: Config
  #updater: TableUpdater | undefined
  #resolver: NameLookup | undefined
  #due = 0
  #seen: number | undefined
  #stands: SteeringStands = { wished: false, led: [], offSeconds: 0 }
  readonly #ended = new AbortController()
  #busy: Promise<void> | undefined

  constructor(options: SteeringKeeperOptions) {
    this.#options = options
    this.#config = options.config
    this.#files = steeringFiles(options.config.state_dir)
  }

  get stands(): SteeringStands {
    return this.#stands
  }

  async start(): Promise<void> {
    this.#options.deadlines.watch(this)
    this.tick(this.#options.deadlines.now())
  }

  async stop(): Promise<void> {
    this.#options.deadlines.unwatch(this)
    this.#ended.abort()
    this.#resolver?.close()
    await this.#busy
  }

  /** Another configuration may steer other hosts. */
  use(config: Config): void {
    this.#config = config
    this.#resolver?.close()
    this.#resolver = undefined
    this.#updater = undefined
    this.#due = 0
  }

  tick(now: number): void {
    if (now < this.#due || this.#busy !== undefined) return
    this.#due = now + REFRESH_MS
    this.#busy = this.#look()
      .catch((err: unknown) => {
        this.#options.log.warn({ err }, 'steering could not be looked after')
      })
      .finally(() => {
        this.#busy = undefined
      })
  }

  /** For tests: resolves when what is under way has ended. */
  async settled(): Promise<void> {
    await this.#busy
  }

  async #look(): Promise<void> {
    await this.#recordPeriods()
    this.#stands = await this.#howItStands()
    if (!(await this.#steers())) return
    this.#updater ??= await this.#openUpdater()
    await this.#updater?.refresh()
  }

  async #howItStands(): Promise<SteeringStands> {
    const { desired, status, pid, offPeriods } = this.#files
    const wished = (await readBounded(desired))?.trim() === 'on'
    const isKept = isAlive(Number(await readBounded(pid)))
    const { holds } = parseStatus((isKept && (await readBounded(status))) || '')
    const periods = parseOffPeriods((await readBounded(offPeriods)) ?? '')
    const nowMs = this.#options.clock.now()
    return {
      wished,
      led: (['inet', 'inet6'] as const).filter(
        (family) => holds === 'both' || holds === family,
      ),
      offSeconds: offMs(periods, { sinceMs: 0, nowMs }) / 1000,
    }
  }

  /** Without interfaces and without a plan nobody would read the table. */
  async #steers(): Promise<boolean> {
    const { interfaces, guests } = this.#config.steer
    if (interfaces.length + guests.length > 0) return true
    return stat(this.#files.plan).then(
      () => true,
      () => false,
    )
  }

  async #openUpdater(): Promise<TableUpdater | undefined> {
    const { clock, log, own, openLookup } = this.#options
    const config = this.#config
    const loaded = await loadCatalogue(config.catalogue.file)
    if (loaded.kind !== 'ok') return undefined
    const { steer, upstream, timeouts, limits } = config
    const resolver = openLookup({
      servers: steer.dns.length > 0 ? steer.dns : upstream.dns,
      // An old answer is no sign that the address is still in use.
      staleMs: 0,
      timeoutMs: timeouts.dns * 1000,
      maxNames: limits.dns_names,
    })
    const updater = new TableUpdater({
      path: this.#files.table,
      plan: planTable(tableSettings(config), loaded.catalogue.entries),
      keptMs: steer.keep * 1000,
      lookup: (name) => unlessEnded(resolver.lookup(name), this.#ended.signal),
      own: (address) => own.has(address),
      clock,
      log,
    })
    this.#resolver = resolver
    await updater.open()
    return updater
  }

  async #recordPeriods(): Promise<void> {
    const text = await readBounded(this.#files.offPeriods)
    if (text === undefined) return
    this.#seen ??= Number((await readBounded(this.#files.offPeriodsSeen)) ?? 0) || 0
    const periods = parseOffPeriods(text)
    const unseen = unseenOffPeriods(periods, this.#seen)
    if (unseen.length === 0) return
    for (const period of unseen) this.#record(period)
    this.#seen = periods.at(-1)?.number ?? 0
    // First recorded, then remembered: told twice is better than never.
    const draft = `${this.#files.offPeriodsSeen}.new`
    await writeFile(draft, `${this.#seen}\n`, { mode: 0o600 })
    await rename(draft, this.#files.offPeriodsSeen)
  }

  #record({ fromMs, toMs, cause, state }: OffPeriod): void {
    const { log, event } = this.#options
    const alert = this.#config.mode === 'enforce'
    const from = new Date(fromMs).toISOString()
    const known = { from, cause, on_failure: state, alert }
    const details =
      toMs === undefined
        ? known
        : { ...known, to: new Date(toMs).toISOString(), seconds: (toMs - fromMs) / 1000 }
    event(toMs === undefined ? 'steering_off' : 'steering_back', details)
    const why = OFF_CAUSES[cause]?.what ?? cause
    const message = `${MEANWHILE[state]}, not through YORI: ${why}`
    if (alert) log.error(details, message)
    else log.warn(details, message)
  }
}

/** A stop does not wait for a resolver. */
function unlessEnded<T>(asking: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(new Error('stopping'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
    asking.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}

/** The supervisor is root's: that it may not be signalled tells that it is there. */
function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Undefined when there is none, or none that we would have. */
async function readBounded(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MAX_PERIODS_BYTES) return undefined
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
