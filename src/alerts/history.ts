/**
 * What the record says of a device before now: who has been met, when it is in use, and how
 * much. Read over a connection that cannot write; a record that cannot be read says nothing.
 */
import { openDatabase } from '../audit/queries.js'
import { timestampText } from '../audit/rows.js'
import type { LocalTimes } from '../policy/local-time.js'

const DAY_MS = 86_400_000
/** What is usual is what was in these days. */
export const USUAL_DAYS = 30
/** A device that has been seen on fewer days has no habits yet. */
const DAYS_FOR_HABITS = 7
/** So many calls a day are usual for everybody. */
export const FEW_CALLS = 20
/** Of its busiest day. */
const TIMES_BUSIEST = 2

export interface History {
  /** Every device or service that was met before, by its key. */
  met(what: 'device' | 'service', beforeMs: number): readonly string[]
  /** Calls by hour, `YYYY-MM-DD HH` in UTC, of a device by its MAC or address. */
  hours(device: string, sinceMs: number, untilMs: number): readonly HourCalls[]
}

export interface HourCalls {
  readonly hour: string
  readonly calls: number
}

export const NO_HISTORY: History = { met: () => [], hours: () => [] }

export function historyIn(database: string): History {
  const reading = <Found>(
    read: (db: ReturnType<typeof openDatabase>) => Found[],
  ): Found[] => {
    try {
      const db = openDatabase(database, true)
      try {
        return read(db)
      } finally {
        db.close()
      }
    } catch {
      return []
    }
  }
  const column = {
    device: 'coalesce(device_mac, device_ip)',
    service: 'endpoint_domain',
  } as const
  return {
    met: (what, beforeMs) =>
      reading((db) =>
        db
          .prepare<[string]>(
            `SELECT DISTINCT ${column[what]} FROM exchanges WHERE timestamp < ? LIMIT 10000`,
          )
          .pluck()
          .all(timestampText(beforeMs)),
      ) as string[],
    hours: (device, sinceMs, untilMs) =>
      reading((db) =>
        db
          .prepare<[string, string, string, string], HourCalls>(
            `SELECT substr(timestamp, 1, 13) AS hour, count(*) AS calls FROM exchanges
             WHERE timestamp >= ? AND timestamp < ? AND is_call = 1
               AND (device_mac = ? OR (device_mac IS NULL AND device_ip = ?))
             GROUP BY 1 LIMIT 2000`,
          )
          .all(timestampText(sinceMs), timestampText(untilMs), device, device),
      ),
  }
}

interface LocalIn {
  readonly times: LocalTimes
  readonly zone: string | undefined
}

/**
 * Is it the first time in 30 days that this device is in use about this hour of the day (an
 * hour more or less)? False where it has no habits yet.
 */
export function isUnusualHour(
  hours: readonly HourCalls[],
  nowMs: number,
  { times, zone }: LocalIn,
): boolean {
  const { hour: now, date: today } = times.at(nowMs, zone)
  const days = new Set<string>()
  let isUsual = false
  for (const { hour } of hours) {
    const local = times.at(Date.parse(`${hour.replace(' ', 'T')}:00:00Z`), zone)
    if (local.date === today) continue
    days.add(local.date)
    const apart = Math.abs(local.hour - now)
    if (Math.min(apart, 24 - apart) <= 1) isUsual = true
  }
  return days.size >= DAYS_FOR_HABITS && !isUsual
}

/** Is so much today more than twice its busiest day of the last 30? */
export function isUnusualAmount(
  hours: readonly HourCalls[],
  calls: number,
  { times, zone, nowMs }: LocalIn & { readonly nowMs: number },
): boolean {
  const today = times.at(nowMs, zone).date
  const days = new Map<string, number>()
  for (const { hour, calls: some } of hours) {
    const { date } = times.at(Date.parse(`${hour.replace(' ', 'T')}:00:00Z`), zone)
    if (date !== today) days.set(date, (days.get(date) ?? 0) + some)
  }
  if (days.size < DAYS_FOR_HABITS) return false
  return calls > Math.max(FEW_CALLS, TIMES_BUSIEST * Math.max(...days.values()))
}

export const usualSince = (nowMs: number): number => nowMs - USUAL_DAYS * DAY_MS
