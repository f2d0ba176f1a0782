/**
 * The counters in the audit database: written by its worker in the transaction of the rows
 * that were counted, read once at a start.
 */
import type { Database } from 'better-sqlite3'
import { dayText, KEPT_DAYS } from '../policy/usage.js'
import type { UsageRow, UsageScope } from '../policy/usage.js'
import { openDatabase } from './queries.js'

/** Days and months for which counts are kept; of hours, today's and yesterday's. */
const DAYS = 40
const MONTHS = 13
/** Rows that a start reads: more devices than are counted apart have no more. */
const MAX_READ = 200_000

/** Since 2, `requests` counts calls to a model and `tokens` all that went in and came out. */
const MEANING = 2

const UPSERT = `
INSERT INTO usage
  (scope, name, period, requests, tokens, cost_micro_usd, cost_at_most_micro_usd, minutes,
   meaning)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${MEANING})
ON CONFLICT (scope, name, period) DO UPDATE SET
  requests = excluded.requests, tokens = excluded.tokens,
  cost_micro_usd = excluded.cost_micro_usd,
  cost_at_most_micro_usd = excluded.cost_at_most_micro_usd, minutes = excluded.minutes,
  meaning = excluded.meaning`

const FORGET = `
DELETE FROM usage WHERE
  (length(period) = 13 AND period < date(:day, '-1 day'))
  OR (length(period) = 10 AND period < date(:day, '-${DAYS} days'))
  OR (length(period) = 7 AND period < substr(date(:day, '-${MONTHS} months'), 1, 7))`

export interface UsageWriter {
  /** Within the caller's transaction. */
  write(rows: readonly UsageRow[]): void
}

export function usageWriter(db: Database): UsageWriter {
  const upsert = db.prepare(UPSERT)
  const forget = db.prepare(FORGET)
  let newest = ''
  return {
    write: (rows) => {
      for (const row of rows) {
        const { scope, name, period, requests, tokens, minutes } = row
        const cost = [row.microUsd, row.atMostMicroUsd]
        upsert.run(scope, name, period, requests, tokens, ...cost, minutes)
        if (period.length !== 10 || period <= newest) continue
        newest = period
        forget.run({ day: period })
      }
    },
  }
}

interface Kept {
  readonly scope: UsageScope
  readonly name: string
  readonly period: string
  readonly requests: number
  readonly tokens: number
  readonly cost_micro_usd: number
  readonly cost_at_most_micro_usd: number
  readonly minutes: number
  readonly meaning: number
}

/**
 * What counts on `date` still: its hours, its month and the days before it.
 * @throws YORI_AUDIT_UNAVAILABLE
 */
export function readCounters(database: string, date: string): UsageRow[] {
  const db = openDatabase(database, true)
  try {
    return db
      .prepare<unknown[], Kept>(
        `SELECT * FROM usage WHERE period = ? OR period >= ? AND period < ? LIMIT ?`,
      )
      .all(date.slice(0, 7), dayText(date, -KEPT_DAYS), dayText(date, 1), MAX_READ)
      .flatMap((kept) => usageOf(kept, date))
  } finally {
    db.close()
  }
}

/**
 * Of a YORI that counted every exchange, the requests of today are none, and its days before
 * today are left out: a quota would be used up by them, and an allowance saved.
 */
function usageOf(kept: Kept, date: string): UsageRow[] {
  const { cost_micro_usd: microUsd, cost_at_most_micro_usd: atMostMicroUsd } = kept
  const { scope, name, period, requests, tokens, minutes, meaning } = kept
  const row = { scope, name, period, requests, tokens, microUsd, atMostMicroUsd, minutes }
  if (meaning === MEANING) return [row]
  const isPast = period.length === 10 && period < date
  return isPast ? [] : [{ ...row, requests: 0 }]
}
