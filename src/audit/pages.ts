/**
 * Pages of exchanges and sessions, newest first, by key: where a page ended the next begins,
 * however many rows have come since. A look goes over so many rows at a time; a page ends when it
 * has looked at enough of them, or when its time is up, so that a search in a large record costs a page what it costs in a small one; it
 * says how far it has come, and the next page goes on from there.
 */
import type { Database } from 'better-sqlite3'
import { timestampText } from './rows.js'
import { readSessions } from './session-queries.js'
import type { SessionLine } from './session-queries.js'
import type { Value } from './tables.js'
import { whereOf } from './where.js'
import type { Filter, Listed } from './where.js'

/** Rows of one look; 2,000 take some 5 ms. */
const LOOK_ROWS = 2_000
/** Of one page, when little fits: so many rows are looked at, for so long. */
export const MOST_LOOKED = 100_000
export const PAGE_MS = 250
export const PAGE_ROWS = 50
export const MOST_PAGE_ROWS = 200

/** A place in the record: everything older than it comes after. */
export interface Place {
  readonly timestamp: string
  readonly id: number
}

export interface PageAsked {
  readonly filter: Filter
  /** Older than that; undefined: from the newest on. */
  readonly before?: Place
  readonly rows?: number
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Where the next page begins; undefined: this was the last. */
  readonly next?: Place
}

/** Text that says a place, as URLs carry it. */
export function placeText({ timestamp, id }: Place): string {
  return Buffer.from(`${timestamp}|${id}`).toString('base64url')
}

/** Undefined: no text that says one. */
export function placeIn(text: string): Place | undefined {
  const plain = Buffer.from(text, 'base64url').toString('latin1')
  const found = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\|(\d{1,15})$/.exec(plain)
  return found === null
    ? undefined
    : { timestamp: found[1] as string, id: Number(found[2]) }
}

/** After every row. */
const NEWEST: Place = {
  timestamp: '9999-12-31 23:59:59.999',
  id: Number.MAX_SAFE_INTEGER,
}

/** Exchanges with these columns of `audit_events`. `now` counts milliseconds, monotonically. */
export function readPage(
  db: Database,
  asked: PageAsked,
  columns: readonly string[],
  now: () => number,
): Page<Listed> {
  const found = findPage(db, asked, now)
  const rows = rowsOf(
    db,
    found.rows.map(({ id }) => id),
    columns,
  )
  return { ...found, rows }
}

/** Sessions, the one with the newest exchange first: each on the page of that exchange. */
export function readSessionPage(
  db: Database,
  { filter, before = NEWEST, rows: most = PAGE_ROWS }: PageAsked,
  now: () => number,
): Page<SessionLine> {
  const lines: SessionLine[] = []
  const seen = new Set<string>()
  const until = now() + PAGE_MS
  let from = before
  for (let looked = SESSION_LOOK_ROWS; ; looked += SESSION_LOOK_ROWS) {
    const look = lookAt(db, filter, from, SESSION_LOOK_ROWS)
    for (const row of look.rows) {
      from = row
      if (row.session === null || seen.has(row.session)) continue
      seen.add(row.session)
      // A session that went on after where this page begins was on an earlier one.
      if (before !== NEWEST && hasNewer(db, row, before)) continue
      // The same id from two devices is two.
      lines.push(...readSessions(db, { session: row.session }, MOST_DEVICES))
      if (lines.length >= most) return { rows: lines, next: from }
    }
    if (look.end === undefined) return { rows: lines }
    from = look.end
    if (looked >= MOST_LOOKED || now() >= until) return { rows: lines, next: from }
  }
}

const SESSION_LOOK_ROWS = 500
/** Of one session id, which a client may have made up. */
const MOST_DEVICES = 8

/** One exchange with all its columns. */
export function readExchange(db: Database, requestId: string): Listed | undefined {
  return db
    .prepare<[string], Listed>('SELECT * FROM audit_events WHERE request_id = ?')
    .get(requestId)
}

function findPage(
  db: Database,
  { filter, before = NEWEST, rows: most = PAGE_ROWS }: PageAsked,
  now: () => number,
): Page<Place> {
  const rows: Place[] = []
  const until = now() + PAGE_MS
  let from = before
  for (let looked = LOOK_ROWS; ; looked += LOOK_ROWS) {
    const look = lookAt(db, filter, from, LOOK_ROWS)
    for (const row of look.rows) {
      rows.push(row)
      if (rows.length >= most) return { rows, next: row }
    }
    if (look.end === undefined) return { rows }
    from = look.end
    if (looked >= MOST_LOOKED || now() >= until) return { rows, next: from }
  }
}

interface Seen extends Place {
  readonly session: string | null
}

/** What fits among the next rows, and where those ended; no `end`: at the oldest. */
function lookAt(
  db: Database,
  { sinceMs, untilMs, ...filter }: Filter,
  from: Place,
  most: number,
): { readonly rows: readonly Seen[]; readonly end?: Place } {
  const since = timestampText(sinceMs ?? 0)
  const until = untilMs === undefined ? NEWEST.timestamp : timestampText(untilMs)
  const reach = `(timestamp, id) < (?, ?) AND timestamp >= ? AND timestamp < ?`
  const values = [from.timestamp, from.id, since, until] as const
  const end = db
    .prepare<Value[], Place>(
      `SELECT timestamp, id FROM exchanges WHERE ${reach}
       ORDER BY timestamp DESC, id DESC LIMIT 1 OFFSET ?`,
    )
    .get(...values, most - 1)
  const where = whereOf(filter)
  const fits = where.sql === '' ? '' : ` ${where.sql}`
  const rows = db
    .prepare<Value[], Seen>(
      `WITH look AS MATERIALIZED (
         SELECT id AS look_id, timestamp AS look_at FROM exchanges WHERE ${reach}
         ORDER BY timestamp DESC, id DESC LIMIT ?)
       SELECT look_at AS timestamp, look_id AS id, session_id AS session
       FROM look CROSS JOIN exchanges ON id = look_id${fits}
       ORDER BY look_at DESC, look_id DESC`,
    )
    .all(...values, most, ...where.values)
  return { rows, ...(end === undefined ? {} : { end }) }
}

function hasNewer(db: Database, { session }: Seen, { timestamp, id }: Place): boolean {
  const newer = `SELECT 1 FROM exchanges WHERE session_id = ? AND (timestamp, id) >= (?, ?)`
  return db.prepare(`${newer} LIMIT 1`).get(session, timestamp, id) !== undefined
}

function rowsOf(
  db: Database,
  ids: readonly number[],
  columns: readonly string[],
): readonly Listed[] {
  const places = ids.map(() => '?').join(', ')
  return db
    .prepare<Value[], Listed>(
      `SELECT ${columns.join(', ')} FROM audit_events WHERE id IN (${places})
       ORDER BY timestamp DESC, id DESC`,
    )
    .all(...ids)
}
