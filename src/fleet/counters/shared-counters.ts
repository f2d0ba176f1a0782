/**
 * Counters that hold across gateways. Each counts for itself, tells the server whole values of its
 * own as they change, and is told what the others have counted; all in the background. A decision
 * that a budget may refuse waits for that for `WAIT_MS` at most. What the server has not confirmed
 * counts as often as there are gateways: so while it is away each has its share of what was left,
 * and all of them together no more than that. Periods are by the clock of the server.
 */
import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.js'
import type { Concern } from '../../core/concern.js'
import type { Log } from '../../core/log.js'
import type { Service } from '../../core/service.js'
import type { LocalTime, LocalTimes } from '../../policy/local-time.js'
import type { OwnCounters, SharedUse } from '../../policy/shared-use.js'
import type { DayUse, Subjects, UsageScope } from '../../policy/use-words.js'
import { Connection } from './connection.js'
import type { RedisAddress } from './redis.js'
import type { Reply } from './resp.js'
import { TELL } from './scripts.js'
import { NO_USE, most, useOf, useText, withShare } from './use.js'

/** The longest that a decision waits for the server. */
export const WAIT_MS = 5
/** Of what is asked about, the others' counts are this old at most while the server is there. */
export const REFRESH_MS = 1_000
/** For so long after it was last asked about. */
const REFRESHED_FOR_MS = 300_000
const MOST_REFRESHED = 256
/** Of one question to the server. */
const MOST_TOLD = 64
/** A server that has lost what it knew is told again by all within that. */
const GRACE_MS = 5_000
/** A gateway that was not heard of for so long is none any more. */
const KNOWN_HOURS = 24
const CONCERN_MS = 60_000
const HOUR_MS = 3_600_000
/** Below that it is the way to the server; above a day somebody's clock is no clock. */
const [LEAST_SKEW_MS, MOST_SKEW_MS] = [1_000, 86_400_000]
/** By the length of a period's key: an hour, a day, a month, with room for clocks. */
const KEPT_MS: Readonly<Record<number, number>> = {
  13: 4 * HOUR_MS,
  10: 72 * HOUR_MS,
  7: 34 * 24 * HOUR_MS,
}

export interface SharedCountersOptions {
  readonly address: () => RedisAddress
  /** Of the fleet: what keys begin with. */
  readonly name: string
  /** Names this gateway there; lasts. */
  readonly id: string
  /** At least so many there are. */
  readonly gateways: number
  readonly zone: string | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface SharedCounts {
  /** Questions that the server has answered. */
  readonly told: number
  /** Times that it could not be reached, or did not answer. */
  readonly failures: number
  /** Decisions that did not wait any longer for it. */
  readonly late: number
  /** Gateways that are known. */
  readonly gateways: number
  /** Subjects of which it has not been told the newest. */
  readonly waiting: number
}

interface Period {
  readonly key: string
  others: Readonly<DayUse>
  /** Of ours, what it has confirmed; undefined: it was not asked yet what it knows of us. */
  told: Readonly<DayUse> | undefined
}

interface Subject {
  readonly scope: UsageScope
  readonly name: string
  periods: readonly Period[]
  changed: number
  confirmed: number
  /** When the oldest change was made that is not confirmed, as far as it is known. */
  waitsSince: number
  /** A change for which somebody has waited in vain: until it is confirmed, each has its share. */
  lateFor: number
  askedAt: number
}

interface Waiting {
  readonly subjects: readonly (readonly [Subject, number])[]
  readonly resolve: () => void
}

export class SharedCounters implements SharedUse, Service {
  readonly name = 'shared counters'
  readonly #options: SharedCountersOptions
  readonly #sha = hash('sha1', TELL)
  readonly #subjects = new Map<string, Subject>()
  readonly #pending = new Set<Subject>()
  readonly #waiting = new Set<Waiting>()
  readonly #connection: Connection
  #counters: OwnCounters | undefined
  #times: LocalTimes | undefined
  #flushing = false
  #scheduled = false
  #refresh: NodeJS.Timeout | undefined
  #graceUntil = -Infinity
  #known = 0
  #skewMs = 0
  #counts = { told: 0, late: 0 }

  constructor(options: SharedCountersOptions) {
    this.#options = options
    const { address, clock, log } = options
    this.#connection = new Connection({
      ...{ address, clock, log, script: TELL },
      onUp: () => this.#up(),
      onDown: () => {
        for (const waiting of this.#waiting) waiting.resolve()
      },
    })
  }

  get isUp(): boolean {
    return this.#connection.redis !== undefined
  }

  get counts(): SharedCounts {
    return {
      ...this.#counts,
      failures: this.#connection.failures,
      gateways: this.#gateways,
      waiting: this.#pending.size,
    }
  }

  /** How far the clock of the server is ahead of ours, as it is used. */
  get skewMs(): number {
    return this.#skewMs
  }

  get reason(): string | undefined {
    return this.isUp ? undefined : this.#connection.reason
  }

  get concern(): Concern | undefined {
    if (this.#connection.awayMs < CONCERN_MS) return undefined
    return {
      kind: 'counters',
      says: 'limits hold for this gateway alone: the server of counters is away',
    }
  }

  attach({
    counters,
    times,
  }: {
    readonly counters: OwnCounters
    readonly times: LocalTimes
  }): void {
    this.#counters = counters
    this.#times = times
  }

  /** Does not wait for the server. */
  start(): Promise<void> {
    this.#connection.start()
    this.#refresh = setInterval(() => this.#refreshAll(), REFRESH_MS)
    this.#refresh.unref()
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    clearInterval(this.#refresh)
    if (this.#pending.size > 0) await Promise.race([this.#flush(), sleep(LAST_MS)])
    await this.#connection.stop()
  }

  /** Of whoever else has something to ask there; undefined: it is away. */
  ask(args: readonly string[]): Promise<Reply> | undefined {
    return this.#connection.redis?.ask(args)
  }

  changed(scope: UsageScope, name: string): void {
    const { clock } = this.#options
    const subject = this.#subject(scope, name)
    const now = clock.monotonic()
    if (subject.changed === subject.confirmed) subject.waitsSince = now
    subject.changed++
    subject.askedAt = now
    this.#pending.add(subject)
    this.#schedule()
  }

  more(
    scope: UsageScope,
    name: string,
    period: string,
    own: Readonly<DayUse>,
  ): Readonly<DayUse> | undefined {
    const subject = this.#subjects.get(`${scope}\n${name}`)
    if (subject === undefined) return undefined
    const now = this.#options.clock.monotonic()
    subject.askedAt = now
    const known = subject.periods.find(({ key }) => key === period)
    const others = known?.others ?? NO_USE
    const isLate =
      !this.isUp ||
      subject.confirmed < subject.lateFor ||
      (subject.changed !== subject.confirmed && now - subject.waitsSince >= WAIT_MS)
    if (!isLate) return others
    return withShare(others, own, known?.told ?? NO_USE, this.#gateways - 1)
  }

  told({ device, groups, access = [] }: Subjects): Promise<void> | undefined {
    if (!this.isUp) return undefined
    const subjects = [
      this.#subjects.get(`device\n${device}`),
      ...groups.map((name) => this.#subjects.get(`group\n${name}`)),
      ...access.map((name) => this.#subjects.get(`access\n${name}`)),
    ].flatMap((subject) =>
      subject === undefined || subject.changed === subject.confirmed
        ? []
        : [[subject, subject.changed] as const],
    )
    if (subjects.length === 0) return undefined
    return new Promise((resolve) => {
      const waiting: Waiting = {
        subjects,
        resolve: () => {
          clearTimeout(late)
          this.#waiting.delete(waiting)
          resolve()
        },
      }
      const late = setTimeout(() => {
        this.#counts.late++
        // By no clock: timers may be early by it.
        for (const [subject, need] of subjects)
          subject.lateFor = Math.max(subject.lateFor, need)
        waiting.resolve()
      }, WAIT_MS)
      this.#waiting.add(waiting)
    })
  }

  get #gateways(): number {
    return Math.max(this.#options.gateways, this.#known)
  }

  #subject(scope: UsageScope, name: string): Subject {
    const key = `${scope}\n${name}`
    const known = this.#subjects.get(key)
    if (known !== undefined) return known
    // As many as the counters have; see `usage.ts`.
    const subject: Subject = {
      ...{ scope, name, periods: [], changed: 0, confirmed: 0 },
      ...{ waitsSince: 0, lateFor: 0, askedAt: 0 },
    }
    this.#subjects.set(key, subject)
    return subject
  }

  #up(): void {
    const { clock, log } = this.#options
    this.#graceUntil = clock.monotonic() + GRACE_MS
    log.info({ gateways: this.#gateways }, 'counters are shared with other gateways')
    // It may have lost what it knew of us.
    for (const subject of this.#subjects.values()) this.#pending.add(subject)
    this.#schedule()
  }

  #refreshAll(): void {
    const since = this.#options.clock.monotonic() - REFRESHED_FOR_MS
    let left = MOST_REFRESHED
    for (const subject of this.#subjects.values()) {
      if (subject.askedAt < since) continue
      if (left-- === 0) break
      this.#pending.add(subject)
    }
    this.#schedule(true)
  }

  /** With everything that is counted within this turn of the loop. */
  #schedule(always = false): void {
    if (this.#scheduled || this.#flushing || !this.isUp) return
    if (this.#pending.size === 0 && !always) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    const { redis } = this.#connection
    const counters = this.#counters
    if (redis === undefined || counters === undefined || this.#flushing) return
    this.#flushing = true
    try {
      const subjects = [...this.#pending].slice(0, MOST_TOLD)
      const time = this.#time()
      const asked = subjects.map((subject) => {
        this.#pending.delete(subject)
        return { subject, changed: subject.changed, own: this.#ownOf(subject, time) }
      })
      const all = asked.flatMap(({ subject, own }) =>
        subject.periods.map((period, at) => ({
          subject,
          period,
          own: own[at] ?? NO_USE,
        })),
      )
      const sentAt = this.#options.clock.now()
      const reply = await redis.ask(this.#question(all))
      const onlyAsked = this.#take(reply, all, sentAt)
      for (const { subject, changed } of asked)
        if (!onlyAsked.has(subject)) this.#confirm(subject, changed)
      this.#counts.told++
    } catch (cause) {
      this.#connection.broken(cause)
    } finally {
      this.#flushing = false
      this.#schedule()
    }
  }

  /** Values of the periods of now, which the subject has afterwards. */
  #ownOf(subject: Subject, time: LocalTime): readonly Readonly<DayUse>[] {
    const { scope, name, periods } = subject
    const own = this.#counters?.own(scope, name, time) ?? []
    subject.periods = own.map(
      ({ period: key }) =>
        periods.find((known) => known.key === key) ?? {
          ...{ key, others: NO_USE, told: undefined },
        },
    )
    return own
  }

  #question(
    all: readonly {
      readonly subject: Subject
      readonly period: Period
      readonly own: Readonly<DayUse>
    }[],
  ): string[] {
    const { name, id } = this.#options
    const keys = all.map(
      ({ subject, period }) =>
        `{${name}}:use:${period.key}:${subject.scope}:${subject.name}`,
    )
    const values = all.flatMap(({ period: { key, told }, own }) => [
      told === undefined ? '' : useText(own),
      String(KEPT_MS[key.length] ?? HOUR_MS),
    ])
    const count = String(keys.length + 1)
    const gateways = `{${name}}:gateways`
    return [
      'EVALSHA',
      this.#sha,
      count,
      gateways,
      ...keys,
      id,
      String(KNOWN_HOURS),
      ...values,
    ]
  }

  /** Gives those that it was only asked about so far: the next time it is told. */
  #take(
    reply: Reply,
    all: readonly {
      readonly subject: Subject
      readonly period: Period
      readonly own: Readonly<DayUse>
    }[],
    sentAt: number,
  ): ReadonlySet<Subject> {
    const onlyAsked = new Set<Subject>()
    if (!Array.isArray(reply)) throw new Error('answers with no list')
    const [at, known, ...sums] = reply as readonly Reply[]
    this.#known = Number(known) || 0
    this.#skew(Number(at), sentAt)
    const isGrace = this.#options.clock.monotonic() < this.#graceUntil
    all.forEach(({ subject, period, own }, index) => {
      const others = useOf(sums[2 * index])
      period.others = isGrace ? most(period.others, others) : others
      if (period.told !== undefined) {
        period.told = { ...own }
        return
      }
      // What an earlier run had told and could not keep here is counted, too.
      const stood = useOf(sums[2 * index + 1])
      this.#counters?.raise(subject.scope, subject.name, { ...stood, period: period.key })
      period.told = stood
      this.#pending.add(subject)
      onlyAsked.add(subject)
    })
    return onlyAsked
  }

  #confirm(subject: Subject, changed: number): void {
    subject.confirmed = Math.max(subject.confirmed, changed)
    if (subject.changed !== subject.confirmed)
      subject.waitsSince = this.#options.clock.monotonic()
    for (const waiting of this.#waiting)
      if (waiting.subjects.every(([one, need]) => one.confirmed >= need))
        waiting.resolve()
  }

  /** Half of the way there and back is the time of the way. */
  #skew(there: number, sentAt: number): void {
    const here = (sentAt + this.#options.clock.now()) / 2
    const skew = Math.round(there - here)
    const isOne = Math.abs(skew) >= LEAST_SKEW_MS && Math.abs(skew) <= MOST_SKEW_MS
    this.#skewMs = isOne ? skew : 0
    if (this.#times !== undefined) this.#times.skewMs = this.#skewMs
  }

  #time(): LocalTime {
    const { clock, zone } = this.#options
    if (this.#times === undefined) throw new Error('not attached')
    return this.#times.at(clock.now(), zone)
  }
}

const LAST_MS = 500
