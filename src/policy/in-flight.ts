/**
 * Calls to models that have not ended, and the most that each may still use. A budget is asked
 * about a call as if all that was let through before it had used that; what does not fit beside
 * them waits for them to end, in its order. Of one call at a time nothing is added to what was
 * counted: it passes while anything is left. Knows neither policies nor wire; what a call used
 * in the end is counted by `usage.ts`.
 */
import { PassingMap } from '../core/passing-map.js'
import type { SessionFacts } from './input.js'
import type { LocalTime } from './local-time.js'
import { hourKeyOf } from './usage.js'
import type { Spent, Subjects, Usage, UsageScope } from './usage.js'

/** The most that a call may use: all of it, and of that what no policy is told of. */
export interface WorstCase {
  readonly tokens: number
  readonly microUsd: number
  /** What it writes: its prompt is estimated for policies already. */
  readonly outputTokens: number
  readonly outputMicroUsd: number
  /** Calls of tools: more than one nobody foresees; 0: it offers none. */
  readonly toolCalls: number
}

/**
 * How a call is looked at: beside what was let through before it, or alone, as if all of that
 * used nothing.
 */
export type View = 'beside' | 'alone'

/** Why a call waits no longer. */
export type Waited = 'changed' | 'late' | 'over'

/** What is in flight for one device, group, conversation, or holder of a key. */
interface Subject {
  readonly calls: Call[]
  /** Goes up whenever one of them ends, or gives back what it had reserved. */
  changes: number
}

interface Call {
  readonly id: string
  readonly subjects: string[]
  /** Its request is counted in these; undefined: it is not counted. */
  counted: { readonly hour: string; readonly date: string } | undefined
  /** The order of reservations; undefined: none. */
  seq: number | undefined
  worst: WorstCase
  /** Somebody was told of its reservation. */
  seen: boolean
  /** What ends its waiting. */
  wake: ((why: Waited) => void) | undefined
  /** Nobody waits for what becomes of it. */
  over: boolean
}

const NOTHING: WorstCase = {
  tokens: 0,
  microUsd: 0,
  outputTokens: 0,
  outputMicroUsd: 0,
  toolCalls: 0,
}

/** For whom it is reserved what a call may use. */
export interface Reserving extends Subjects {
  /** The key of its conversation. */
  readonly session?: string | undefined
}

/** What calls in flight may use that were let through before. */
interface Ahead {
  readonly earlier: ReadonlySet<Call>
  readonly tokens: number
  readonly microUsd: number
  readonly toolCalls: number
}

export class InFlight {
  readonly #calls = new PassingMap<Call>()
  readonly #bySubject = new Map<string, Subject>()
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Call>()
  #seq = 0
  #turn: Promise<unknown> = Promise.resolve()

  /** Calls that have begun and not ended; of them, those that wait. */
  get counts(): { readonly open: number; readonly waiting: number } {
    return { open: this.#calls.size, waiting: this.#waiting.size }
  }

  /** Goes up whenever something ends that counts for the same, or gives back what it had. */
  changes(id: string): number {
    const subjects = this.#calls.get(id)?.subjects ?? []
    return subjects.reduce(
      (sum, key) => sum + (this.#bySubject.get(key)?.changes ?? 0),
      0,
    )
  }

  /** A request has been counted. */
  begun(id: string, subjects: Subjects, time: LocalTime): void {
    this.#of(id, subjects).counted = { hour: hourKeyOf(time), date: time.date }
  }

  /** From now on those that come later are asked about as if it had used that. */
  reserve(id: string, { session, ...subjects }: Reserving, worst: WorstCase): void {
    const call = this.#of(id, subjects)
    // Only what it says tells its conversation.
    if (session !== undefined) this.#join(call, subjectKey('session', session))
    call.seq = ++this.#seq
    call.worst = worst
    call.seen = false
  }

  /** It was not let through, or not yet. */
  release(id: string): void {
    const call = this.#calls.get(id)
    if (call?.seq === undefined) return
    call.seq = undefined
    if (call.seen) this.#changed(call)
  }

  /** Something was let through before it that has not ended. */
  isBeside(id: string): boolean {
    const call = this.#calls.get(id)
    return call?.subjects.some((key) => this.#earlier(call, key).size > 0) ?? false
  }

  /** Resolves when something has changed since `changes` said `since`, or after `waitMs`. */
  wait(id: string, since: number, waitMs: number): Promise<Waited> {
    const call = this.#calls.get(id)
    if (call === undefined || call.over) return Promise.resolve('over')
    if (this.changes(id) !== since) return Promise.resolve('changed')
    return new Promise((resolve) => {
      const timer = setTimeout(() => call.wake?.('late'), waitMs)
      call.wake = (why) => {
        clearTimeout(timer)
        call.wake = undefined
        this.#waiting.delete(call)
        resolve(why)
      }
      this.#waiting.add(call)
    })
  }

  /** Runs after what was given before has ended, however that was. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** It has been let through, or refused: the next that waits for the same is asked about. */
  settled(id: string): void {
    const call = this.#calls.get(id)
    if (call !== undefined) this.#wakeNext(call)
  }

  /** Whoever asked is gone; it waits no longer. */
  giveUp(id: string): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.over = true
    call.wake?.('over')
  }

  /** Call once it has been counted what it used. */
  ended(id: string): void {
    const call = this.#calls.take(id)
    if (call === undefined) return
    call.wake?.('over')
    for (const key of call.subjects) {
      const calls = this.#bySubject.get(key)?.calls ?? []
      const at = calls.indexOf(call)
      const last = calls.pop()
      if (last !== undefined && last !== call && at >= 0) calls[at] = last
      if (calls.length === 0) this.#bySubject.delete(key)
    }
    this.#changed(call)
  }

  /** What was counted for a subject, as a call is to see it. */
  seenBy(
    id: string,
    view: View,
    counted: { readonly scope: UsageScope; readonly name: string; readonly usage: Usage },
    time: LocalTime,
  ): Usage {
    const { scope, name, usage } = counted
    const own = this.#calls.get(id)
    const key = subjectKey(scope, name)
    const calls = this.#bySubject.get(key)?.calls
    if (own === undefined || calls === undefined) return usage
    const { earlier, ...more } = this.#ahead(own, view, key)
    const others = calls.filter((call) => call !== own && !earlier.has(call))
    const hour = hourKeyOf(time)
    const without = (is: (call: NonNullable<Call['counted']>) => boolean): number =>
      others.filter(({ counted: when }) => when !== undefined && is(when)).length
    const seen = <S extends Spent>(spent: Readonly<S>, later: number): S => ({
      ...spent,
      requests: spent.requests - later,
      tokens: spent.tokens + more.tokens,
      microUsd: spent.microUsd + more.microUsd,
    })
    const month = time.date.slice(0, 7)
    return {
      ...usage,
      hour: seen(
        usage.hour,
        without((when) => when.hour === hour),
      ),
      today: seen(
        usage.today,
        without(({ date }) => date === time.date),
      ),
      month: seen(
        usage.month,
        without(({ date }) => date.startsWith(month)),
      ),
    }
  }

  /** What its conversation has used before, as a call of it is to see that. */
  sessionSeenBy(id: string, view: View, session: SessionFacts): SessionFacts {
    const own = this.#calls.get(id)
    if (own === undefined) return session
    const { tokens, microUsd, toolCalls } = this.#ahead(
      own,
      view,
      subjectKey('session', session.key),
    )
    return {
      ...session,
      tokens: session.tokens + tokens,
      microUsd: session.microUsd + microUsd,
      toolCalls: session.toolCalls + toolCalls,
    }
  }

  #ahead(own: Call, view: View, key: string): Ahead {
    const earlier = view === 'alone' ? new Set<Call>() : this.#earlier(own, key)
    const ahead = { earlier, tokens: 0, microUsd: 0, toolCalls: 0 }
    for (const call of earlier) {
      call.seen = true
      ahead.tokens += call.worst.tokens
      ahead.microUsd += call.worst.microUsd
      ahead.toolCalls += call.worst.toolCalls
    }
    if (earlier.size > 0) {
      ahead.tokens += own.worst.outputTokens
      ahead.microUsd += own.worst.outputMicroUsd
    }
    return ahead
  }

  #earlier(own: Call, key: string): Set<Call> {
    const earlier = new Set<Call>()
    if (own.seq === undefined) return earlier
    for (const call of this.#bySubject.get(key)?.calls ?? [])
      if (call.seq !== undefined && call.seq < own.seq) earlier.add(call)
    return earlier
  }

  #of(id: string, { device, groups, access = [] }: Subjects): Call {
    const known = this.#calls.get(id)
    if (known !== undefined) return known
    const call: Call = {
      id,
      subjects: [],
      counted: undefined,
      seq: undefined,
      worst: NOTHING,
      seen: false,
      wake: undefined,
      over: false,
    }
    this.#calls.set(id, call)
    this.#join(call, subjectKey('device', device))
    for (const group of groups) this.#join(call, subjectKey('group', group))
    for (const name of access) this.#join(call, subjectKey('access', name))
    return call
  }

  #join(call: Call, key: string): void {
    if (call.subjects.includes(key)) return
    call.subjects.push(key)
    const subject = this.#bySubject.get(key)
    if (subject === undefined) this.#bySubject.set(key, { calls: [call], changes: 0 })
    else subject.calls.push(call)
  }

  #changed(call: Call): void {
    for (const key of call.subjects) {
      const subject = this.#bySubject.get(key)
      if (subject !== undefined) subject.changes++
    }
    this.#wakeNext(call)
  }

  /** One at a time: who is let through makes the next be asked about, who is not waits on. */
  #wakeNext({ subjects }: Call): void {
    if (this.#waiting.size === 0) return
    for (const waiting of this.#waiting) {
      if (!waiting.subjects.some((subject) => subjects.includes(subject))) continue
      waiting.wake?.('changed')
      return
    }
  }
}

let lastName = ''
let lastScope = ''
let lastKey = '\n'

/** The same text while the same is asked for, as it mostly is: a house has few devices. */
function subjectKey(scope: UsageScope | 'session', name: string): string {
  if (name !== lastName || scope !== lastScope) {
    lastKey = `${scope}\n${name}`
    lastName = name
    lastScope = scope
  }
  return lastKey
}
