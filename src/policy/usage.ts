/**
 * What devices, groups, policies and holders of keys of ours have used: calls to models, tokens, money and minutes, in
 * this hour, today and this month by the wall clock of the household, and in the seven days
 * before. A call counts from its beginning, so that many at once cannot all be the first; one
 * that no model got to counts for nobody but the policy that blocked it. Knows no database: what has
 * changed is taken out as rows, and what was kept is put back at a start.
 */
import type { Used } from '../core/record.js'
import type { LocalTime } from './local-time.js'
import type { SharedUse } from './shared-use.js'
import { addTo, addUsed, noDay, noSpent } from './use-words.js'
import type { DayUse, Spent, Subjects, UsageRow, UsageScope } from './use-words.js'

export type { DayUse, Spent, Subjects, UsageRow, UsageScope } from './use-words.js'

export interface Usage {
  readonly hour: Readonly<Spent>
  readonly today: Readonly<DayUse>
  readonly month: Readonly<Spent>
  /** Of the seven days before today, those on which there was something. */
  readonly days: readonly (Readonly<DayUse> & { readonly date: string })[]
}

/** Held while a request runs. */
export interface Ticket {
  readonly entries: readonly Begun[]
}

interface Begun {
  readonly entry: Entry
  readonly hourKey: string
  readonly date: string
  readonly month: string
  readonly newMinute: boolean
}

export interface Outcome extends Used {
  /** False: no model got to it, as when it was blocked. It does not count. */
  readonly taken: boolean
  /** Whose word was the strongest. */
  readonly policy: string | undefined
}

interface Entry {
  readonly scope: UsageScope
  readonly name: string
  hourKey: string
  date: string
  month: string
  hour: Spent
  today: DayUse
  monthly: Spent
  days: (DayUse & { date: string })[]
  /** The last minute with a request, since the epoch. */
  lastMinute: number
}

/** Days before today that are kept at hand. */
export const KEPT_DAYS = 7
/** More than this of a scope are counted together, as one. */
const MAX_SUBJECTS = 4096
export const OVERFLOW = 'others'
/** Rows that wait while the database cannot be written; the oldest go. */
const MAX_ENDED = 20_000
const DAY_MS = 86_400_000

const NOTHING: Usage = {
  hour: noSpent(),
  today: noDay(),
  month: noSpent(),
  days: [],
}

export class UsageCounters {
  readonly #entries = {
    device: new Map<string, Entry>(),
    group: new Map<string, Entry>(),
    policy: new Map<string, Entry>(),
    access: new Map<string, Entry>(),
  }
  readonly #maxSubjects: number
  readonly #dirty = new Set<Entry>()
  /** Periods that ended before they were taken. */
  #ended: UsageRow[] = []
  /** What other gateways have counted; undefined: this is the only one. */
  #shared: SharedUse | undefined

  constructor(maxSubjects = MAX_SUBJECTS) {
    this.#maxSubjects = maxSubjects
  }

  /** From now on what others count is read along with what is counted here. */
  share(shared: SharedUse): void {
    this.#shared = shared
  }

  /** What was counted here alone, by the periods of now. */
  own(scope: UsageScope, name: string, time: LocalTime): readonly UsageRow[] {
    return rowsOf(this.#of(scope, name, time))
  }

  /** What was counted here in a period of now is at least that. */
  raise(
    scope: UsageScope,
    name: string,
    { period, ...least }: DayUse & { period: string },
  ): void {
    const entry = this.#entries[scope].get(name)
    if (entry === undefined) return
    const counted = [entry.hour, entry.today, entry.monthly][
      periodsOf(entry).indexOf(period)
    ]
    if (counted === undefined) return
    for (const field of ['requests', 'tokens', 'microUsd', 'atMostMicroUsd'] as const)
      counted[field] = Math.max(counted[field], least[field])
    if ('minutes' in counted)
      counted.minutes = Math.max(Number(counted.minutes), least.minutes)
    this.#dirty.add(entry)
  }

  /** A request begins: it counts for its device and the groups of that. */
  begin(subjects: Subjects, time: LocalTime, nowMs: number): Ticket {
    const minute = minuteOf(nowMs)
    const entries = [this.#begun(this.#of('device', subjects.device, time), minute)]
    for (const group of subjects.groups)
      entries.push(this.#begun(this.#of('group', group, time), minute))
    for (const name of subjects.access ?? [])
      entries.push(this.#begun(this.#of('access', name, time), minute))
    return { entries }
  }

  end(ticket: Ticket, outcome: Outcome, time: LocalTime): void {
    for (const begun of ticket.entries) {
      if (!outcome.taken) this.#takeBack(begun)
      else this.#spend(this.#of(begun.entry.scope, begun.entry.name, time), outcome)
    }
    if (outcome.policy === undefined) return
    const entry = this.#of('policy', outcome.policy, time)
    entry.hour.requests++
    entry.today.requests++
    entry.monthly.requests++
    this.#spend(entry, outcome)
  }

  /**
   * Of what was no call and was paid for all the same: an answer that is told later. Below zero
   * where it was less than was counted for it; what has been counted in a period never is.
   */
  spend(
    { device, groups, access = [] }: Subjects,
    spent: Used & Partial<Pick<Outcome, 'policy'>>,
    time: LocalTime,
  ): void {
    this.#spend(this.#of('device', device, time), spent)
    for (const group of groups) this.#spend(this.#of('group', group, time), spent)
    for (const name of access) this.#spend(this.#of('access', name, time), spent)
    if (spent.policy !== undefined)
      this.#spend(this.#of('policy', spent.policy, time), spent)
  }

  read(scope: UsageScope, name: string, time: LocalTime): Usage {
    let entry = this.#entries[scope].get(name)
    if (entry === undefined) {
      if (this.#shared === undefined) return NOTHING
      // Others may have counted something for it.
      entry = this.#of(scope, name, time)
      this.#shared.changed(scope, entry.name)
    }
    this.#turn(entry, time)
    const { hour, today, monthly: month, days } = entry
    if (this.#shared === undefined) return { hour, today, month, days }
    const [ofHour, ofDay, ofMonth] = periodsOf(entry) as [string, string, string]
    return {
      hour: this.#withOthers(entry, ofHour, { ...hour, minutes: 0 }),
      today: this.#withOthers(entry, ofDay, today),
      month: this.#withOthers(entry, ofMonth, { ...month, minutes: 0 }),
      days,
    }
  }

  #withOthers(
    { scope, name }: Entry,
    period: string,
    own: Readonly<DayUse>,
  ): Readonly<DayUse> {
    const more = this.#shared?.more(scope, name, period, own)
    if (more === undefined) return own
    const sum = { ...own }
    addTo(sum, more)
    return sum
  }

  /** As it would be for one more call that begins now. */
  ahead(scope: UsageScope, name: string, time: LocalTime, nowMs: number): Usage {
    const { hour, today, month, days } = this.read(scope, name, time)
    const isNew = this.#entries[scope].get(name)?.lastMinute !== minuteOf(nowMs)
    const minutes = today.minutes + (isNew ? 1 : 0)
    return {
      hour: oneMore(hour),
      today: { ...oneMore(today), minutes },
      month: oneMore(month),
      days,
    }
  }

  names(scope: UsageScope): IterableIterator<string> {
    return this.#entries[scope].keys()
  }

  /** What has changed since the last time, in whole values; at most about `max` rows. */
  take(max = 2000): UsageRow[] {
    const rows = this.#ended.splice(0, max)
    for (const entry of this.#dirty) {
      if (rows.length >= max) break
      this.#dirty.delete(entry)
      rows.push(...rowsOf(entry))
    }
    return rows
  }

  /** What was taken did not arrive. */
  lost(rows?: readonly UsageRow[]): void {
    const now = (row: UsageRow): boolean => {
      const entry = this.#entries[row.scope].get(row.name)
      return entry !== undefined && periodsOf(entry).includes(row.period)
    }
    this.#ended.unshift(...(rows ?? []).filter((row) => !now(row)))
    for (const scope of Object.values(this.#entries)) {
      for (const entry of scope.values()) this.#dirty.add(entry)
    }
  }

  /** Adds what an earlier run kept, as of `time`; other periods are left out. */
  restore(rows: Iterable<UsageRow>, time: LocalTime): void {
    const earliest = dayText(time.date, -KEPT_DAYS)
    for (const row of rows) {
      const isDay = row.period.length === 10
      const isNow =
        row.period === time.date ||
        row.period === hourKeyOf(time) ||
        row.period === time.date.slice(0, 7)
      if (!isNow && !(isDay && row.period >= earliest && row.period < time.date)) continue
      const entry = this.#of(row.scope, row.name, time)
      this.#dirty.add(entry)
      if (row.period === time.date) addTo(entry.today, row)
      else if (isDay) this.#addDay(entry, row)
      else addTo(row.period.length === 7 ? entry.monthly : entry.hour, row)
    }
  }

  #addDay(entry: Entry, { period: date, ...row }: UsageRow): void {
    let day = entry.days.find((known) => known.date === date)
    if (day === undefined) {
      day = { ...noDay(), date }
      entry.days.push(day)
      entry.days.sort((a, b) => (a.date < b.date ? 1 : -1))
    }
    addTo(day, row)
  }

  #begun(entry: Entry, minute: number): Begun {
    const { hourKey, date, month } = entry
    const newMinute = entry.lastMinute !== minute
    entry.hour.requests++
    entry.today.requests++
    entry.monthly.requests++
    if (newMinute) entry.today.minutes++
    entry.lastMinute = minute
    this.#changed(entry)
    return { entry, hourKey, date, month, newMinute }
  }

  #takeBack({ entry, hourKey, date, month, newMinute }: Begun): void {
    if (entry.hourKey === hourKey) entry.hour.requests--
    if (entry.date === date) {
      entry.today.requests--
      if (newMinute) {
        entry.today.minutes--
        entry.lastMinute = Number.NaN
      }
    }
    if (entry.month === month) entry.monthly.requests--
    this.#changed(entry)
  }

  #spend(entry: Entry, used: Used): void {
    addUsed(entry.hour, used)
    addUsed(entry.today, used)
    addUsed(entry.monthly, used)
    this.#changed(entry)
  }

  #changed(entry: Entry): void {
    this.#dirty.add(entry)
    this.#shared?.changed(entry.scope, entry.name)
  }

  #of(scope: UsageScope, name: string, time: LocalTime): Entry {
    const entries = this.#entries[scope]
    const known = entries.get(name)
    if (known !== undefined) return this.#turn(known, time)
    if (entries.size >= this.#maxSubjects && name !== OVERFLOW) {
      return this.#of(scope, this.#makeRoom(scope, time) ? name : OVERFLOW, time)
    }
    const entry: Entry = {
      scope,
      name,
      hourKey: hourKeyOf(time),
      date: time.date,
      month: time.date.slice(0, 7),
      hour: noSpent(),
      today: noDay(),
      monthly: noSpent(),
      days: [],
      lastMinute: Number.NaN,
    }
    entries.set(name, entry)
    return entry
  }

  /** Whoever was not seen this month makes room. */
  #makeRoom(scope: UsageScope, time: LocalTime): boolean {
    const entries = this.#entries[scope]
    for (const [name, entry] of entries) {
      if (entry.month === time.date.slice(0, 7) || this.#dirty.has(entry)) continue
      entries.delete(name)
      return true
    }
    return false
  }

  /** Begins the periods anew that have ended. */
  #turn(entry: Entry, time: LocalTime): Entry {
    const hourKey = hourKeyOf(time)
    if (entry.hourKey === hourKey) return entry
    const month = time.date.slice(0, 7)
    const old = this.#dirty.has(entry) ? rowsOf(entry) : []
    entry.hourKey = hourKey
    entry.hour = noSpent()
    if (entry.date !== time.date) {
      const earliest = dayText(time.date, -KEPT_DAYS)
      entry.days = [{ ...entry.today, date: entry.date }, ...entry.days].filter(
        ({ date }) => date >= earliest && date < time.date,
      )
      entry.date = time.date
      entry.today = noDay()
    }
    if (entry.month !== month) {
      entry.month = month
      entry.monthly = noSpent()
    }
    const now = periodsOf(entry)
    this.#ended.push(...old.filter(({ period }) => !now.includes(period)))
    if (this.#ended.length > MAX_ENDED) this.#ended.splice(0, old.length)
    return entry
  }
}

function minuteOf(nowMs: number): number {
  return Math.floor(nowMs / 60_000)
}

function oneMore<Use extends Spent>(use: Readonly<Use>): Use {
  return { ...use, requests: use.requests + 1 }
}

let hourOfKey: Pick<LocalTime, 'date' | 'hour'> = { date: '', hour: -1 }
let keyOfHour = ''

/** The same text as long as it is the same hour. */
export function hourKeyOf({ date, hour }: Pick<LocalTime, 'date' | 'hour'>): string {
  if (hour !== hourOfKey.hour || date !== hourOfKey.date) {
    keyOfHour = `${date}T${String(hour).padStart(2, '0')}`
    hourOfKey = { date, hour }
  }
  return keyOfHour
}

/** The date some days from another, by the calendar. */
export function dayText(date: string, days: number): string {
  const at = Date.parse(`${date}T00:00:00Z`)
  return new Date(at + days * DAY_MS).toISOString().slice(0, 10)
}

function periodsOf({ hourKey, date, month }: Entry): string[] {
  return [hourKey, date, month]
}

function rowsOf(entry: Entry): UsageRow[] {
  const { scope, name, hourKey, date, month, hour, today, monthly } = entry
  return [
    { scope, name, period: hourKey, ...hour, minutes: 0 },
    { scope, name, period: date, ...today },
    { scope, name, period: month, ...monthly, minutes: 0 },
  ]
}
