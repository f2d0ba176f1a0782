/**
 * What becomes of an event: is it one, was the same told a moment ago, to whom, when, and again
 * when a sink did not take it. Knows no time but what it is told, so that the thread that it
 * lives in, and tests, decide. Sinks are apart: one that is slow delays no other.
 */
import { randomBytes } from 'node:crypto'
import type { AlertRule } from '../../config/schema-alerts.js'
import { orderedId } from '../core/ordered-id.js'
import { LocalTimes } from '../policy/local-time.js'
import { isUnusualAmount, isUnusualHour, usualSince } from './history.js'
import type { History } from './history.js'
import { afterQuiet } from './quiet-hours.js'
import { AnswerLinks } from './answer-links.js'
import { AnswerTokens } from './answer-tokens.js'
import { AlertStore } from './store.js'
import type { DueDelivery } from './store.js'
import { testDelivery } from './test-delivery.js'
import { keyOf } from './words.js'
import type {
  Alert,
  AlertEvent,
  AlertQuestions,
  Check,
  Delivery,
  PostCounts,
  PostSettings,
  QuestionName,
  Sent,
  SinkSettings,
  Told,
} from './words.js'

/** Messages that wait for one sink; more are dropped and counted. */
export const MOST_WAITING = 1_000
/** Between two tries, the first first; each later wait is the last of these. */
export const RETRY_AFTER_MS = [5_000, 15_000, 60_000, 300_000, 1_800_000, 3_600_000]
/** A sink that refused one message is not given the next at once. */
const REST_MS = 5_000
/** A message that is older than this is given up. */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000
/** Of one try, all in all. */
const TRY_WITHIN_MS = 60_000
const PRUNE_EVERY_MS = 3_600_000
/** A time further off than any wait is one of a clock that was wrong. */
const FURTHEST_MS = 3 * 24 * 3_600_000
const MOST_LISTED = 1_000

export interface PostOfficeOptions {
  /** The file of inbox and outbox. */
  readonly file: string
  /** Of links that answer; unless given, with a key of this process. */
  readonly tokens?: AnswerTokens
  readonly history: History
  readonly send: (sink: SinkSettings, delivery: Delivery) => Promise<Sent>
  /** A sink did not take a message; `''`: the store fails. */
  readonly note: (sink: string, reason: string) => void
  /** For tests: fewer may wait for a sink, and a try takes less. */
  readonly mostWaiting?: number
  readonly tryWithinMs?: number
  /** A message has gone, or not. */
  readonly changed?: () => void
}

export class PostOffice implements Disposable {
  readonly #options: PostOfficeOptions
  readonly #times = new LocalTimes()
  readonly #sending = new Map<string, Promise<void>>()
  readonly #links: AnswerLinks
  readonly #counts = { told: 0, heldBack: 0, sent: 0, failed: 0, dropped: 0 }
  /** Until when a sink that refused is left alone. */
  readonly #resting = new Map<string, number>()
  #store: AlertStore
  #settings: PostSettings | undefined
  #now = 0
  #isClosed = false
  #prunedAt = -Infinity

  constructor(options: PostOfficeOptions) {
    this.#options = options
    this.#links = new AnswerLinks(options.tokens ?? new AnswerTokens())
    this.#store = this.#open(options.file)
  }

  get counts(): PostCounts {
    return { ...this.#counts }
  }

  get waiting(): number {
    return this.#store.waiting()
  }

  get nextDue(): number | null {
    return this.#store.nextDue()
  }

  get isBusy(): boolean {
    return this.#sending.size > 0
  }

  /** Nothing is begun any more; what a sink says now is not heard. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#store[Symbol.dispose]()
  }

  use(settings: PostSettings, nowMs: number): void {
    this.#settings = settings
    this.#now = nowMs
    const names = new Set(settings.sinks.map(({ name }) => name))
    this.#counts.dropped += this.#store.dropFor((sink) => names.has(sink))
  }

  take(told: readonly Told[], nowMs: number): void {
    this.#now = nowMs
    const takeAll = (): void => {
      for (const one of told) this.#takeOne(one)
    }
    try {
      this.#store.all(takeAll)
    } catch (cause) {
      this.#withoutFile(cause)
      takeAll()
    }
    this.tick(nowMs)
  }

  /** Sends what is due, of each sink one at a time. */
  tick(nowMs: number): void {
    this.#now = nowMs
    this.#escalate()
    if (nowMs - this.#prunedAt >= PRUNE_EVERY_MS && this.#settings !== undefined) {
      this.#prunedAt = nowMs
      this.#store.prune(nowMs - this.#settings.keepMs)
    }
    for (const sink of this.#settings?.sinks ?? [])
      if (!this.#sending.has(sink.name)) this.#begin(sink)
  }

  /** When everything that is under way has been taken or refused. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending.values())
  }

  async ask<N extends QuestionName>(
    name: N,
    asked: AlertQuestions[N]['asked'],
    nowMs: number,
  ): Promise<AlertQuestions[N]['found']> {
    this.#now = nowMs
    const answers: {
      [Q in QuestionName]: (asked: AlertQuestions[Q]['asked']) => unknown
    } = {
      list: ({ most, all }) => this.list(Math.min(most, MOST_LISTED), all),
      ack: ({ id, by }) => this.#store.change(id, 'acknowledged', by, null),
      snooze: ({ id, by, until }) => this.#store.change(id, 'snoozed', by, until),
      test: ({ sink }) => this.#test(sink),
      link: ({ token }) => this.#links.look(this.#store, token, this.#now),
      answer: ({ token, said }) =>
        this.#links.answer(this.#store, { token, said }, this.#now),
      unanswer: ({ token }) => this.#links.reopen(this.#store, token, this.#now),
    }
    return (await answers[name](asked)) as AlertQuestions[N]['found']
  }

  list(most: number, all = false): Alert[] {
    return this.#store.list(most, all, this.#now)
  }

  #takeOne({ event, count }: Told): void {
    const rule = this.#settings?.rules[event.rule]
    if (rule?.enabled !== true) return
    this.#store.all(() => {
      if (event.check !== undefined && !this.#isSo(event.check, event)) return
      const key = keyOf(event)
      const before = this.#store.latest(key)
      if (before !== undefined && this.#isHeldBack(event, before, rule.cooldownMs)) {
        this.#counts.heldBack += count
        return this.#store.again(before.id, count, event.at)
      }
      this.#counts.told++
      const id = orderedId(event.at)
      const { escalateAfterMs } = rule
      const escalateAt =
        escalateAfterMs === undefined ? null : this.#now + escalateAfterMs
      this.#store.add({ id, key, event, count, escalateAt })
      const zone = this.#settings?.timezone
      const nextAt = afterQuiet(rule.quiet, this.#now, { times: this.#times, zone })
      this.#deliver(id, rule.sinks, { nextAt, isEscalated: false })
    })
  }

  #isHeldBack(
    { once, at }: AlertEvent,
    before: { at: number; snoozedUntil: number | null },
    cooldownMs: number,
  ): boolean {
    if (once !== undefined) return true
    if (before.snoozedUntil !== null && this.#now < before.snoozedUntil) return true
    // Earlier than the last one: a clock that went back holds nothing back for ever.
    return Math.abs(at - before.at) < cooldownMs
  }

  #isSo(check: Check, { at, since = at }: AlertEvent): boolean {
    const { history } = this.#options
    const zone = this.#settings?.timezone
    const local = { times: this.#times, zone }
    switch (check.kind) {
      case 'first-seen':
        if (!this.#store.knows(check.what))
          for (const key of history.met(check.what, since))
            this.#store.meet(check.what, key, at)
        return this.#store.meet(check.what, check.key, at)
      case 'unusual-hour':
        return isUnusualHour(history.hours(check.device, usualSince(at), at), at, local)
      case 'unusual-amount': {
        const hours = history.hours(check.device, usualSince(at), at)
        return isUnusualAmount(hours, check.calls, { ...local, nowMs: at })
      }
    }
  }

  #deliver(
    alert: string,
    sinks: readonly string[],
    { nextAt, isEscalated }: { readonly nextAt: number; readonly isEscalated: boolean },
  ): void {
    const { mostWaiting = MOST_WAITING, note } = this.#options
    for (const sink of sinks) {
      if (this.#store.waitingFor(sink) >= mostWaiting) {
        this.#counts.dropped++
        if (this.#counts.dropped % mostWaiting === 1)
          note(sink, `${mostWaiting} messages wait for it: more are dropped`)
        continue
      }
      const id = `msg_${randomBytes(16).toString('hex')}`
      this.#store.deliver({ id, alert, sink, nextAt, created: this.#now, isEscalated })
    }
  }

  #escalate(): void {
    const rules = this.#settings?.rules
    if (rules === undefined) return
    this.#store.all(() => {
      for (const { id, rule } of this.#store.toEscalate(this.#now))
        this.#deliver(id, rules[rule as AlertRule]?.escalateTo ?? [], {
          nextAt: this.#now,
          isEscalated: true,
        })
    })
  }

  #begin(sink: SinkSettings): void {
    const restsUntil = this.#resting.get(sink.name) ?? -Infinity
    if (this.#now < restsUntil && restsUntil - this.#now <= REST_MS) return
    const due = this.#dueFor(sink)
    if (due === undefined) return
    const under = this.#try(sink, due)
      .catch((cause: unknown) => this.#withoutFile(cause))
      .finally(() => {
        this.#sending.delete(sink.name)
        if (this.#isClosed) return
        // What waits behind it follows at once; behind a refusal it is not due either.
        const now = this.#settings?.sinks.find(({ name }) => name === sink.name)
        if (now !== undefined) this.#begin(now)
        this.#options.changed?.()
      })
    this.#sending.set(sink.name, under)
  }

  /** What waited for a sink, or for YORI to start, does not ring by night either. */
  #dueFor(sink: SinkSettings): DueDelivery | undefined {
    const zone = this.#settings?.timezone
    for (;;) {
      const due = this.#store.due(sink.name, this.#now, this.#now + FURTHEST_MS)
      if (due === undefined || due.isEscalated) return due
      const quiet = this.#settings?.rules[due.event.rule]?.quiet ?? []
      const nextAt = afterQuiet(quiet, this.#now, { times: this.#times, zone })
      if (nextAt <= this.#now) return due
      this.#store.postpone(due.id, nextAt)
    }
  }

  async #try(sink: SinkSettings, due: DueDelivery): Promise<void> {
    const { send, note, tryWithinMs = TRY_WITHIN_MS } = this.#options
    const { id, isEscalated, tries, created } = due
    const { answerUrl, answerWithinMs = 0 } = this.#settings ?? {}
    const how = { answerUrl, withinMs: answerWithinMs, nowMs: this.#now }
    const event = this.#links.into(this.#store, { sink, due }, how)
    const late = { kind: 'refused', reason: 'it took too long' } as const
    const delivery = { id, event, isEscalated, nowMs: this.#now }
    const sent = await within<Sent>(tryWithinMs, send(sink, delivery), late)
    if (this.#isClosed) return
    if (sent.kind === 'taken') {
      this.#resting.delete(sink.name)
      this.#counts.sent++
      return this.#store.sent(id)
    }
    this.#resting.set(sink.name, this.#now + REST_MS)
    const waits = RETRY_AFTER_MS[Math.min(tries, RETRY_AFTER_MS.length - 1)] ?? 0
    const nextAt = this.#now + Math.max(waits, sent.afterMs ?? 0)
    const isOver = nextAt - created > GIVE_UP_AFTER_MS
    if (isOver) this.#counts.failed++
    this.#store.refused(id, sent.reason, isOver ? undefined : nextAt)
    note(sink.name, isOver ? `${sent.reason}; the message is given up` : sent.reason)
  }

  async #test(name: string): Promise<Sent | undefined> {
    const sink = this.#settings?.sinks.find((one) => one.name === name)
    if (sink === undefined) return undefined
    return this.#options.send(sink, testDelivery(this.#now))
  }

  #open(file: string): AlertStore {
    try {
      return AlertStore.open(file)
    } catch (cause) {
      return this.#inMemory(cause)
    }
  }

  /** A disk that is full is worth a message, and takes none. */
  #withoutFile(cause: unknown): void {
    this.#store[Symbol.dispose]()
    this.#store = this.#inMemory(cause)
  }

  #inMemory(cause: unknown): AlertStore {
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#options.note('', `what waits does not outlive a restart: ${reason}`)
    return AlertStore.open(':memory:')
  }
}

async function within<T>(limitMs: number, work: Promise<T>, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const waiting = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), limitMs)
  })
  try {
    return await Promise.race([work, waiting])
  } finally {
    clearTimeout(timer)
  }
}
