/**
 * Reading the record: over a connection of its own that cannot write, while the service
 * writes. Long reads go page by page, so that no snapshot keeps the log from being cut.
 */
import { existsSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { YoriError } from '../core/errors.js'
import { readRequestsOf } from './agent-queries.js'
import { Sqlite } from './sqlite.js'
import { daysUntil, hasCoverage, readCoverage } from './coverage-queries.js'
import type { CoverageReport } from './coverage-queries.js'
import { timestampText } from './rows.js'
import {
  atMostOf,
  readSession,
  readSessions,
  readTagged,
  readUsage,
} from './session-queries.js'
import type { SessionLine, TaggedSums, Usage, UsageWall } from './session-queries.js'
import { whereOf } from './where.js'
import type { Filter, Listed, Where } from './where.js'

export type { Filter, Listed } from './where.js'

export interface Share {
  readonly name: string
  readonly count: number
}

export interface AuditStats {
  readonly total: number
  readonly outcomes: readonly Share[]
  readonly endpoints: readonly Share[]
  readonly devices: readonly Share[]
  readonly models: readonly Share[]
  /** How connections ended: what was seen and what was not. */
  readonly coverage: readonly Share[]
  readonly promptTokens: number
  readonly responseTokens: number
  readonly costMicroUsd: number
  /** The most that calls without a known price can have cost. */
  readonly atMostMicroUsd: number
  readonly averageLatencyMs: number | null
  /** Rows of which the record knows that it misses them. */
  readonly droppedRows: number
}

export interface AuditReader extends Disposable {
  /** Newest first, read as they are taken: no other query before the last. */
  list(filter: Filter, limit: number, columns: readonly string[]): Iterable<Listed>
  /** Every row that fits, oldest first, with these columns; `after`: those behind that `id`. */
  each(filter: Filter, columns: readonly string[], after?: number): Iterable<Listed>
  /** Exchanges that fit. */
  count(filter: Filter): number
  stats(filter: Filter): AuditStats
  usage(filter: Filter, wall: UsageWall): Usage
  /** Of so many days of that wall, today included. */
  coverage(wall: UsageWall, days: number): CoverageReport
  /** Those with the newest exchanges first. */
  sessions(filter: Filter, limit: number): readonly SessionLine[]
  /** The exchanges of a session, oldest first, by its id or the end of it. */
  session(id: string, limit: number): readonly Listed[]
  /** The sums of exchanges that carry this tag. */
  tagged(key: string, value: string, sinceMs: number): TaggedSums
  /** The requests that events of that kind are about. */
  requestsOf(kind: string, sinceMs: number): readonly string[]
  /** The columns of `audit_events`. */
  readonly columns: readonly string[]
}

const BUSY_TIMEOUT_MS = 2000
const PAGE_ROWS = 500
const PAGE_LENGTH = 2 ** 20
/** Names in one list of `stats`; the rest is not shown. */
const MOST_SHARES = 20

/** Throws YORI_AUDIT_UNAVAILABLE when there is no database or it cannot be read. */
export function openReader(database: string): AuditReader {
  return readerOver(openDatabase(database, true), database)
}

/** On a connection that is open already, and is closed with it. @throws as `openReader` */
export function readerOver(db: Database, database: string): AuditReader {
  const columns = explained(database, () =>
    db.prepare(`SELECT name FROM pragma_table_info('audit_events')`).pluck().all(),
  ) as string[]
  if (columns.length === 0) {
    db.close()
    throw unavailable(database, 'holds no audit record of YORI')
  }
  return {
    columns,
    list: (filter, limit, wanted) => list(db, filter, limit, wanted),
    each: (filter, wanted, after = 0) => {
      // A record of before has fewer.
      const known = wanted.filter((name) => columns.includes(name))
      return each(db, filter, known, after)
    },
    count: (filter) => countOf(db, filter),
    stats: (filter) => stats(db, filter),
    usage: (filter, wall) => readUsage(db, filter, wall),
    coverage: ({ nowMs, zone }, days) => {
      if (hasCoverage(db)) return readCoverage(db, daysUntil(nowMs, days, zone))
      throw unavailable(database, 'counts no coverage yet: it is of an earlier YORI')
    },
    sessions: (filter, limit) => readSessions(db, filter, limit),
    session: (id, limit) => readSession(db, id, limit),
    requestsOf: (kind, sinceMs) => readRequestsOf(db, { kind, sinceMs }),
    tagged: (key, value, sinceMs) => readTagged(db, { key, value, sinceMs }),
    [Symbol.dispose]: () => void db.close(),
  }
}

/** A connection of a command's own; `prune` needs one that may write. */
export function openDatabase(database: string, readonly: boolean): Database {
  if (!existsSync(database))
    throw new YoriError(
      'YORI_AUDIT_UNAVAILABLE',
      `there is no audit database at ${database}`,
    )
  return explained(database, () => {
    const db = new Sqlite(database, {
      readonly,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    })
    db.pragma('cache_size = -4096')
    return db
  })
}

function explained<Result>(database: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw unavailable(database, cause)
  }
}

/** Whatever SQLite threw, as an error that names the file. */
export function unavailable(database: string, cause: unknown): YoriError {
  if (cause instanceof YoriError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new YoriError('YORI_AUDIT_UNAVAILABLE', `${database}: ${reason}`, { cause })
}

function list(
  db: Database,
  filter: Filter,
  limit: number,
  columns: readonly string[],
): Iterable<Listed> {
  const where = whereOf(filter)
  return db
    .prepare<unknown[], Listed>(
      `SELECT ${columns.join(', ')} FROM audit_events ${where.sql}
       ORDER BY timestamp DESC, id DESC LIMIT ?`,
    )
    .iterate(...where.values, limit)
}

function* each(
  db: Database,
  filter: Filter,
  columns: readonly string[],
  begin: number,
): Iterable<Listed> {
  let after = begin
  for (;;) {
    const { rows, last } = page(db, filter, columns, after)
    yield* rows
    if (last === undefined) return
    after = last
  }
}

function countOf(db: Database, filter: Filter): number {
  const where = whereOf(filter)
  const sql = `SELECT count(*) FROM exchanges ${where.sql}`
  return db
    .prepare<unknown[], number>(sql)
    .pluck()
    .get(...where.values) as number
}

/** The next rows by id: a limited number, and a limited amount of text. */
function page(db: Database, filter: Filter, columns: readonly string[], after: number) {
  const where = whereOf(filter, [['id > ?', after]])
  const isWanted = columns.includes('id')
  const statement = db.prepare<unknown[], Listed>(
    `SELECT ${(isWanted ? columns : [...columns, 'id']).join(', ')} FROM audit_events
     ${where.sql} ORDER BY id LIMIT ${PAGE_ROWS}`,
  )
  const rows: Listed[] = []
  let length = 0
  let last: number | undefined
  for (const row of statement.iterate(...where.values)) {
    last = row['id'] as number
    rows.push(isWanted ? row : withoutId(row))
    for (const name of columns) {
      const value = row[name]
      if (typeof value === 'string') length += value.length
    }
    if (length >= PAGE_LENGTH) break
  }
  return { rows, last }
}

function withoutId({ id: _, ...row }: Listed): Listed {
  return row
}

function stats(db: Database, filter: Filter): AuditStats {
  const where = whereOf(filter)
  const sums = db
    .prepare<unknown[], Record<string, number | null>>(
      `SELECT count(*) AS total, sum(prompt_tokens) AS prompt_tokens,
         sum(response_tokens) AS response_tokens, sum(cost_micro_usd) AS cost,
         sum(${atMostOf(db)}) AS at_most,
         avg(latency_ms) AS latency
       FROM exchanges ${where.sql}`,
    )
    .get(...where.values)
  const shares = (table: string, name: string, chosen: Where): readonly Share[] =>
    db
      .prepare<unknown[], Share>(
        `SELECT ${name} AS name, count(*) AS count FROM ${table} ${chosen.sql}
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_SHARES}`,
      )
      .all(...chosen.values)
  const { sinceMs, device } = filter
  const ofConnections = whereOf({
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(device === undefined ? {} : { device }),
  })
  const latency = sums?.['latency'] ?? null
  return {
    total: sums?.['total'] ?? 0,
    outcomes: shares('exchanges', 'event_type', where),
    endpoints: shares('exchanges', 'endpoint_domain', where),
    devices: shares('exchanges', 'coalesce(device_hostname, device_ip)', where),
    models: shares('exchanges', `coalesce(model, '(unknown)')`, where),
    coverage: shares('connections', 'coverage', ofConnections),
    promptTokens: sums?.['prompt_tokens'] ?? 0,
    responseTokens: sums?.['response_tokens'] ?? 0,
    costMicroUsd: sums?.['cost'] ?? 0,
    atMostMicroUsd: sums?.['at_most'] ?? 0,
    averageLatencyMs: latency === null ? null : Math.round(latency * 10) / 10,
    droppedRows: droppedRows(db, filter.sinceMs ?? 0),
  }
}

function droppedRows(db: Database, sinceMs: number): number {
  const sum = db
    .prepare(
      `SELECT sum(details ->> 'connections' + details ->> 'exchanges' + details ->> 'events')
       FROM events WHERE event_type = 'audit.dropped' AND timestamp >= ?`,
    )
    .pluck()
    .get(timestampText(sinceMs)) as number | null
  return sum ?? 0
}
