/**
 * Who is told when it matters: an observer of what passes, and a look at how things stand. What
 * rules tell is only put into a queue here; inbox, outbox and sending are the worker's (`thread.ts`),
 * so that a sink that is down, or a disk that is slow, never touches traffic. Without a sink,
 * and without the wish for an inbox, nothing is kept and no worker starts.
 */
import { join } from 'node:path'
import type { AlertRule } from '../../config/schema-alerts.js'
import type { Config } from '../../config/schema.js'
import type { Appliance } from '../assembly/appliance.js'
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import { momentText } from '../core/moment-text.js'
import { Recent } from '../core/recent.js'
import type { ConnectionRecord, EventRecord } from '../core/record.js'
import { LocalTimes } from '../policy/local-time.js'
import type { ExchangeObserver, SeenExchange } from '../proxy/words/observer.js'
import { aboutBudget, budgetOf } from './rules/budget.js'
import type { BudgetSettings } from './rules/budget.js'
import { CoverageWatch } from './rules/coverage-watch.js'
import { aboutExchange } from './rules/exchange-rules.js'
import { Habits } from './rules/habits.js'
import type { Happened } from './rules/rule.js'
import { RunawayWatch } from './rules/runaway.js'
import { StateWatch } from './rules/state-watch.js'
import type { Disk } from './rules/state-watch.js'
import { isOn, settingsOf } from './settings.js'
import { AlertThread } from './thread.js'
import { keyOf } from './words.js'
import type {
  AlertQuestions,
  PostCounts,
  PostSettings,
  QuestionName,
  Told,
} from './words.js'

/** Different events that wait for the worker; more are dropped and counted. */
export const MOST_QUEUED = 1_000
const FLUSH_MS = 50
/** What only adds to something told is handed on with the rest, or this late. */
const REPEATS_WITHIN_MS = 600_000
const MOST_REMEMBERED = 4_096
const TICK_MS = 1_000
const COVERAGE_EVERY_MS = 60_000
/** Of one sink: how often its trouble is logged. */
const NOTE_EVERY_MS = 300_000
const DEFAULT_PERCENTS = [50, 80, 95]
const DEFAULT_RUNAWAY = { calls: 120, withinMs: 600_000 }

export interface AlertsOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** For tests. */
  readonly disk?: (folder: string) => Promise<Disk>
  readonly idleMs?: number
}

export interface AlertCounts extends PostCounts {
  readonly waiting: number
}

type WatchedAppliance = Pick<Appliance, 'audit' | 'current' | 'trust'>

export class Alerts implements ExchangeObserver {
  readonly name = 'alerts'
  readonly #options: AlertsOptions
  readonly #thread: AlertThread
  readonly #times = new LocalTimes()
  readonly #habits = new Habits((happened) => this.tell(happened))
  readonly #runaway = new RunawayWatch()
  readonly #coverage = new CoverageWatch()
  readonly #queue = new Map<string, { event: Told['event']; count: number }>()
  /** When the worker was last told of a key. */
  readonly #told = new Recent<string, number>({ max: MOST_REMEMBERED })
  readonly #noted = new Recent<string, number>({ max: 64 })
  #config: Config
  #settings: PostSettings
  #budget: BudgetSettings | undefined
  #isOn: boolean
  #onSince: number
  #appliance: WatchedAppliance | undefined
  #states: StateWatch | undefined
  #timer: NodeJS.Timeout | undefined
  #flushing: NodeJS.Timeout | undefined
  #oldestRepeat: number | undefined
  #nextCoverage = -Infinity
  #dropped = 0

  constructor(options: AlertsOptions) {
    const { config, clock } = options
    this.#options = options
    this.#config = config
    this.#settings = settingsOf(config)
    this.#budget = budgetOf(config)
    this.#isOn = isOn(config)
    this.#onSince = clock.now()
    this.#thread = new AlertThread({
      file: join(config.state_dir, 'alerts.db'),
      database: config.audit.database,
      clock,
      note: (sink, reason) => this.#note(sink, reason),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    })
  }

  get counts(): AlertCounts {
    const { counts, waiting } = this.#thread
    return { ...counts, dropped: counts.dropped + this.#dropped, waiting }
  }

  /** Does the worker run? */
  get running(): boolean {
    return this.#thread.running
  }

  /** Where asks can be answered from their messages; undefined: nowhere. */
  get answerUrl(): string | undefined {
    return this.#settings.answerUrl
  }

  get sinks(): readonly string[] {
    return this.#settings.sinks.map(({ name }) => name)
  }

  /** From now on it looks at that appliance, and sends what an earlier process left. */
  start(appliance: WatchedAppliance): void {
    this.#appliance = appliance
    this.#thread.use(this.#settings)
    const { disk } = this.#options
    this.#states = new StateWatch(
      {
        ca: () =>
          appliance.current.authority.condition(this.#options.clock.now(), (ms) =>
            momentText(ms, this.#config.enforcement.timezone),
          ),
        audit: () => appliance.audit,
        trust: () => appliance.trust.entries(),
        root: () => appliance.current.authority.rootFingerprint,
        folder: this.#config.state_dir,
        ...(disk === undefined ? {} : { disk }),
      },
      (happened) => this.tell(happened),
    )
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
  }

  /** The configuration has changed. */
  use(config: Config): void {
    this.#config = config
    this.#settings = settingsOf(config)
    this.#budget = budgetOf(config)
    if (!this.#isOn) this.#onSince = this.#options.clock.now()
    this.#isOn = isOn(config)
    this.#told.clear()
    this.#thread.use(this.#settings)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#flush()
    await this.#thread.end()
  }

  /** For tests: when the disk has been asked about. */
  async settled(): Promise<void> {
    await this.#states?.settled()
  }

  /** Once a second; tests call it after they have moved their clock. */
  tick(): void {
    if (!this.#isOn) return
    const { clock } = this.#options
    const now = clock.monotonic()
    this.#states?.tick(now)
    if (now >= this.#nextCoverage) {
      this.#nextCoverage = now + COVERAGE_EVERY_MS
      this.#tellMaybe(this.#coverage.look(clock.now()))
    }
    const repeatsSince = this.#oldestRepeat ?? Infinity
    if (now - repeatsSince >= REPEATS_WITHIN_MS) this.#flush()
    this.#thread.tick()
  }

  /** @throws Error when it cannot be asked */
  ask<N extends QuestionName>(
    name: N,
    asked: AlertQuestions[N]['asked'],
  ): Promise<AlertQuestions[N]['found']> {
    this.#flush()
    return this.#thread.ask(name, asked)
  }

  ended(seen: SeenExchange): void {
    if (!this.#isOn) return
    const { clock } = this.#options
    const { enforcement } = this.#config
    this.#tellMaybe(aboutExchange(seen, { canAsk: enforcement.override_enabled }))
    const runaway = this.#config.alerts.rules['runaway']
    const limits =
      runaway === undefined
        ? DEFAULT_RUNAWAY
        : { calls: runaway.calls, withinMs: runaway.within * 1000 }
    this.#tellMaybe(this.#runaway.ended(seen, clock.now(), limits))
    const local = this.#times.at(clock.now(), enforcement.timezone)
    this.#habits.ended(seen, local)
    this.#lookAtBudget(seen, local.date.slice(0, 7))
  }

  connectionEnded(seen: Readonly<ConnectionRecord>): void {
    if (!this.#isOn) return
    this.#coverage.connectionEnded(seen, this.#options.clock.now())
    this.#habits.connectionEnded(seen)
  }

  event(record: EventRecord): void {
    if (this.#isOn) this.#states?.event(record)
  }

  /** Never throws, never waits. */
  tell(happened: Happened): void {
    const rule = this.#settings.rules[happened.rule]
    if (!this.#isOn || !rule.enabled) return
    const { clock } = this.#options
    const event = {
      at: clock.now(),
      mode: this.#config.mode,
      since: this.#onSince,
      metadata: {},
      ...happened,
      ...this.#userOf(happened),
    }
    const key = keyOf(event)
    const queued = this.#queue.get(key)
    if (queued !== undefined) {
      queued.count++
      return
    }
    if (this.#queue.size >= MOST_QUEUED) {
      this.#dropped++
      return
    }
    this.#queue.set(key, { event, count: 1 })
    if (this.#isRepeat(key, happened.rule)) this.#oldestRepeat ??= clock.monotonic()
    else this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  #tellMaybe(happened: Happened | undefined): void {
    if (happened !== undefined) this.tell(happened)
  }

  /** The worker would only count it. */
  #isRepeat(key: string, rule: AlertRule): boolean {
    const toldAt = this.#told.get(key)
    if (toldAt === undefined) return false
    const { cooldownMs } = this.#settings.rules[rule]
    return this.#options.clock.monotonic() - toldAt < cooldownMs
  }

  #flush(): void {
    clearTimeout(this.#flushing)
    this.#flushing = undefined
    if (this.#queue.size === 0 || !this.#thread.take([...this.#queue.values()])) return
    const now = this.#options.clock.monotonic()
    for (const [key, { event }] of this.#queue)
      if (!this.#isRepeat(key, event.rule)) this.#told.set(key, now)
    this.#queue.clear()
    this.#oldestRepeat = undefined
  }

  #lookAtBudget(seen: SeenExchange, month: string): void {
    if (this.#budget === undefined || this.#appliance === undefined) return
    if ((seen.costMicroUsd ?? seen.costAtMostMicroUsd ?? 0) === 0) return
    const { decider } = this.#appliance.current.services
    const percents = this.#config.alerts.rules['budget']?.percent ?? DEFAULT_PERCENTS
    const { device } = seen
    const asked = { device, month, percents, monthly: decider.monthly(device) }
    for (const happened of aboutBudget(this.#budget, asked)) this.tell(happened)
  }

  #userOf({ device }: Happened): { readonly user: string } | undefined {
    if (device === undefined || this.#appliance === undefined) return undefined
    const { name } = this.#appliance.current.services.decider.lists.book.identity(device)
    return name === undefined ? undefined : { user: name }
  }

  #note(sink: string, reason: string): void {
    const { log, clock } = this.#options
    const now = clock.monotonic()
    if (now - (this.#noted.get(sink) ?? -Infinity) < NOTE_EVERY_MS) return
    this.#noted.set(sink, now)
    const says = sink === '' ? 'alerts have trouble' : 'a sink did not take an alert'
    log.warn({ ...(sink === '' ? {} : { sink }), reason }, says)
  }
}
