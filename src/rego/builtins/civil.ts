/** Moments and calendars: nanoseconds since the Unix epoch, and what a clock on a wall shows. */
import type { Zone } from './zones.js'

export type Moment = { readonly ns: bigint; readonly zone: Zone }

export type Civil = {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly nanosecond: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** 1 is the first of January. */
  readonly yearDay: number
  /** Seconds east of UTC. */
  readonly offset: number
}

const nsPerSecond = 1_000_000_000n

/** What a moment is within 64 bits; others are refused by all of `time.*`. */
export function isMoment(ns: bigint): boolean {
  return BigInt.asIntN(64, ns) === ns
}

export function secondsOf(ns: bigint): { seconds: number; nanosecond: number } {
  const nanosecond = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond
  return {
    seconds: Number((ns - nanosecond) / nsPerSecond),
    nanosecond: Number(nanosecond),
  }
}

export function civilOf({ ns, zone }: Moment): Civil {
  const { seconds, nanosecond } = secondsOf(ns)
  const offset = zone.offsetAt(seconds)
  const local = new Date((seconds + offset) * 1000)
  const year = local.getUTCFullYear()
  const startOfYear = Date.UTC(year, 0, 1)
  return {
    year,
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    nanosecond,
    weekday: local.getUTCDay(),
    yearDay: Math.floor((local.getTime() - startOfYear) / 86_400_000) + 1,
    offset,
  }
}

/** Seconds either side of the epoch that a Date holds, with room for a zone's offset. */
const maxSeconds = 8.63e12

export type Fields = {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  nanosecond: number
}

/**
 * The moment at which a wall clock in the zone shows the fields; months and days out of range
 * run on into the next. Undefined when no Date could hold it.
 */
export function momentAt(fields: Fields, zone: Zone): bigint | undefined {
  // Date.UTC takes years below 100 as of the twentieth century.
  const date = new Date(0)
  date.setUTCFullYear(fields.year, fields.month - 1, fields.day)
  date.setUTCHours(fields.hour, fields.minute, fields.second)
  const local = date.getTime() / 1000
  if (!(Math.abs(local) < maxSeconds)) return undefined
  const guess = zone.offsetAt(local)
  const offset = zone.offsetAt(local - guess)
  return BigInt(local - offset) * nsPerSecond + BigInt(fields.nanosecond)
}

export function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (((year % 400) + 400) % 400), month, 0)).getUTCDate()
}
