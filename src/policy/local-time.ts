/**
 * What the clock on the wall shows in a zone (IANA name, by Intl), and daily windows in that
 * time. A window holds its start and not its end. One that ends before it starts goes over
 * midnight and belongs to the day on which it opened: Friday 22:00 to 02:00 holds Saturday
 * 00:30 and not Friday 00:30. Where summer time skips wall time, a window in the gap does not
 * happen; where it repeats wall time, a window happens twice.
 */

export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const

export type Weekday = (typeof WEEKDAYS)[number]

export interface LocalTime {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly weekday: Weekday
  readonly hour: number
  /** Minutes since 00:00 on the wall. */
  readonly minuteOfDay: number
}

export interface DailyWindow {
  /** On which it opens; empty means every day. */
  readonly days: readonly Weekday[]
  /** Minutes since 00:00, 0 to 1439. */
  readonly start: number
  /** Minutes since 00:00, 1 to 1440; not included. */
  readonly end: number
}

/** Formatters and their last answers; a household has one zone, an office a few. */
const MAX_ZONES = 64
const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

/** No zone shifts its clocks but at a quarter of an hour (tz database, since 1972). */
const QUARTER_MINUTES = 15

interface Zone {
  readonly format: Intl.DateTimeFormat
  minute: number
  time: LocalTime | undefined
  /** The quarter of an hour that was read last, and what the clock showed at its beginning. */
  quarter: number
  begun: LocalTime | undefined
}

/** Undefined asks for the system's zone. Throws RangeError for a zone that Intl does not know. */
export class LocalTimes {
  readonly #zones = new Map<string | undefined, Zone>()
  /** Added to every moment: how far the clock by which several gateways go is ahead of ours. */
  skewMs = 0

  at(clockMs: number, zone: string | undefined): LocalTime {
    const nowMs = clockMs + this.skewMs
    const entry = this.#zone(zone)
    // Every zone's offset is a whole minute in our century.
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (entry.time === undefined || entry.minute !== minute) {
      entry.time = this.#read(entry, minute)
      entry.minute = minute
    }
    return entry.time
  }

  /** By Intl once a quarter of an hour: its answer is dear, and within one only minutes pass. */
  #read(entry: Zone, minute: number): LocalTime {
    const quarter = Math.floor(minute / QUARTER_MINUTES)
    if (entry.begun === undefined || entry.quarter !== quarter) {
      entry.begun = read(entry.format, quarter * QUARTER_MINUTES * MINUTE_MS)
      entry.quarter = quarter
    }
    const passed = minute - quarter * QUARTER_MINUTES
    const minuteOfDay = entry.begun.minuteOfDay + passed
    // A clock that showed 23:50 then is read anew.
    if (minuteOfDay % 60 < passed) return read(entry.format, minute * MINUTE_MS)
    return passed === 0 ? entry.begun : { ...entry.begun, minuteOfDay }
  }

  #zone(name: string | undefined): Zone {
    const known = this.#zones.get(name)
    if (known !== undefined) return known
    if (this.#zones.size >= MAX_ZONES) this.#zones.clear()
    const entry: Zone = {
      format: formatOf(name),
      ...{ minute: Number.NaN, time: undefined, quarter: Number.NaN, begun: undefined },
    }
    this.#zones.set(name, entry)
    return entry
  }
}

function formatOf(zone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...(zone === undefined ? {} : { timeZone: zone }),
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    weekday: 'long',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  })
}

function read(format: Intl.DateTimeFormat, nowMs: number): LocalTime {
  const parts = new Map(
    format.formatToParts(nowMs).map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  const hour = Number(part('hour'))
  return {
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    weekday: part('weekday').toLowerCase() as Weekday,
    hour,
    minuteOfDay: hour * 60 + Number(part('minute')),
  }
}

export function isWithin(window: DailyWindow, time: LocalTime): boolean {
  const { start, end } = window
  const { minuteOfDay, weekday } = time
  if (start < end) {
    return minuteOfDay >= start && minuteOfDay < end && opensOn(window, weekday)
  }
  if (start === end) return false
  if (minuteOfDay >= start) return opensOn(window, weekday)
  return minuteOfDay < end && opensOn(window, dayBefore(weekday))
}

function opensOn({ days }: DailyWindow, day: Weekday): boolean {
  return days.length === 0 || days.includes(day)
}

function dayBefore(day: Weekday): Weekday {
  return WEEKDAYS[(WEEKDAYS.indexOf(day) + 6) % 7] as Weekday
}

/** Minutes of `HH:MM`, 00:00 to 24:00; undefined for anything else. */
export function minutesOf(text: string): number | undefined {
  const found = /^(\d{2}):(\d{2})$/.exec(text)
  if (found === null) return undefined
  const [hour, minute] = [Number(found[1]), Number(found[2])]
  const minutes = hour * 60 + minute
  return minute < 60 && minutes <= DAY_MINUTES ? minutes : undefined
}

export function timeText(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** As configuration and people write it; undefined: no window, or one that never opens. */
export function windowOf(
  days: readonly string[],
  start: string,
  end: string,
): DailyWindow | undefined {
  const [from, to] = [minutesOf(start), minutesOf(end)]
  const on = days.map(weekdayOf)
  if (from === undefined || to === undefined || from === to || from === DAY_MINUTES)
    return undefined
  if (!on.every((day) => day !== undefined)) return undefined
  return { days: [...new Set(on)], start: from, end: to }
}

/** `monday`, `Mon` or `mo`: at least two letters of one day. */
export function weekdayOf(text: string): Weekday | undefined {
  const lower = text.trim().toLowerCase()
  return lower.length < 2 ? undefined : WEEKDAYS.find((day) => day.startsWith(lower))
}
