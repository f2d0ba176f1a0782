/**
 * Inbox and outbox in one SQLite file: what was told, and what is still under way to a sink.
 * Synchronous, so it lives in the worker. Every method throws what SQLite throws.
 */
import { chmodSync, closeSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import type SqliteModule from 'better-sqlite3'
import { Sqlite } from '../audit/sqlite.js'
import { makeFolder } from '../core/make-folder.js'
import { ANSWER_SCHEMA, AnswerStore } from './answer-store.js'
import type { Alert, AlertEvent, AlertState, DeliveryState } from './words.js'

/** Of the inbox; the oldest go first. */
export const MOST_ALERTS = 10_000
/** Devices and services that have been met. */
const MOST_KNOWN = 10_000
const BUSY_TIMEOUT_MS = 200

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    count INTEGER NOT NULL, event TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'new',
    by TEXT, snoozed_until INTEGER, escalate_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS alerts_key ON alerts (key, at);
  CREATE INDEX IF NOT EXISTS alerts_at ON alerts (at);
  CREATE INDEX IF NOT EXISTS alerts_escalate ON alerts (escalate_at)
    WHERE escalate_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS deliveries (
    id TEXT PRIMARY KEY, alert TEXT NOT NULL, sink TEXT NOT NULL, state TEXT NOT NULL,
    next_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,
    escalated INTEGER NOT NULL, error TEXT
  );
  CREATE INDEX IF NOT EXISTS deliveries_alert ON deliveries (alert);
  CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (sink, created)
    WHERE state = 'waiting';
  CREATE TABLE IF NOT EXISTS known (
    what TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (what, key)
  ) WITHOUT ROWID;
`

/** Of this format; a file of a later one is left alone. */
const VERSION = 1

export interface NewAlert {
  readonly id: string
  readonly key: string
  readonly event: AlertEvent
  readonly count: number
  readonly escalateAt: number | null
}

export interface NewDelivery {
  readonly id: string
  readonly alert: string
  readonly sink: string
  readonly nextAt: number
  readonly created: number
  readonly isEscalated: boolean
}

export interface DueDelivery {
  readonly id: string
  readonly alert: string
  readonly sink: string
  readonly tries: number
  readonly created: number
  readonly isEscalated: boolean
  readonly event: AlertEvent
}

interface AlertRow {
  readonly id: string
  readonly at: number
  readonly last_at: number
  readonly count: number
  readonly event: string
  readonly state: AlertState
  readonly by: string | null
  readonly snoozed_until: number | null
}

export class AlertStore implements Disposable {
  readonly #db: SqliteModule.Database

  /** Opens or makes the file, 0600; `:memory:` is none. One that is corrupt is moved aside. */
  static open(file: string): AlertStore {
    try {
      return new AlertStore(file)
    } catch (cause) {
      const { code } = cause as { code?: string }
      if (code !== 'SQLITE_CORRUPT' && code !== 'SQLITE_NOTADB') throw cause
      renameSync(file, `${file}.corrupt`)
      return new AlertStore(file)
    }
  }

  private constructor(file: string) {
    if (file !== ':memory:') {
      makeFolder(dirname(file), 0o700)
      closeSync(openSync(file, 'a', 0o600))
      chmodSync(file, 0o600)
    }
    this.#db = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS })
    try {
      this.#db.pragma('journal_mode = WAL')
      this.#db.pragma('synchronous = NORMAL')
      this.#db.pragma('journal_size_limit = 1048576')
      const version = this.#db.pragma('user_version', { simple: true }) as number
      if (version > VERSION) throw new Error('a later version of YORI has written it')
      this.#db.exec(SCHEMA)
      this.#db.exec(ANSWER_SCHEMA)
      this.#db.pragma(`user_version = ${VERSION}`)
    } catch (cause) {
      this.#db.close()
      throw cause
    }
  }

  /** Links by which an ask is answered. */
  get answers(): AnswerStore {
    return new AnswerStore(this.#db)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  all<Result>(changes: () => Result): Result {
    return this.#db.transaction(changes).immediate()
  }

  /** The last one of that key. */
  latest(
    key: string,
  ): { id: string; at: number; snoozedUntil: number | null } | undefined {
    return this.#db
      .prepare<[string], { id: string; at: number; snoozedUntil: number | null }>(
        `SELECT id, at, snoozed_until AS snoozedUntil FROM alerts
         WHERE key = ? ORDER BY at DESC LIMIT 1`,
      )
      .get(key)
  }

  again(id: string, count: number, at: number): void {
    this.#db
      .prepare(
        'UPDATE alerts SET count = count + ?, last_at = max(last_at, ?) WHERE id = ?',
      )
      .run(count, at, id)
  }

  add({ id, key, event, count, escalateAt }: NewAlert): void {
    this.#db
      .prepare(
        `INSERT INTO alerts (id, key, at, last_at, count, event, escalate_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(id, key, event.at, event.at, count, JSON.stringify(event), escalateAt)
  }

  deliver({ id, alert, sink, nextAt, created, isEscalated }: NewDelivery): void {
    this.#db
      .prepare(
        `INSERT INTO deliveries (id, alert, sink, state, next_at, created, escalated)
         VALUES (?, ?, ?, 'waiting', ?, ?, ?)`,
      )
      .run(id, alert, sink, nextAt, created, isEscalated ? 1 : 0)
  }

  /** Those of a sink that wait. */
  waitingFor(sink: string): number {
    return this.#count(
      `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND sink = ?`,
      sink,
    )
  }

  waiting(): number {
    return this.#count(`SELECT count(*) FROM deliveries WHERE state = 'waiting'`)
  }

  /** When the next is to be tried or told on; null: nothing waits. */
  nextDue(): number | null {
    return this.#db
      .prepare(
        `SELECT min(at) FROM (
           SELECT min(next_at) AS at FROM deliveries WHERE state = 'waiting'
           UNION ALL SELECT min(escalate_at) FROM alerts WHERE escalate_at IS NOT NULL)`,
      )
      .pluck()
      .get() as number | null
  }

  /** The oldest of a sink whose time has come; or that the clock put out of reach. */
  due(sink: string, nowMs: number, latestMs: number): DueDelivery | undefined {
    const row = this.#db
      .prepare<
        [string, number, number],
        Omit<DueDelivery, 'event' | 'isEscalated'> & { event: string; escalated: number }
      >(
        `SELECT d.id, d.alert, d.sink, d.tries, d.created, d.escalated, a.event
         FROM deliveries d JOIN alerts a ON a.id = d.alert
         WHERE d.state = 'waiting' AND d.sink = ? AND (d.next_at <= ? OR d.next_at > ?)
         ORDER BY d.created, d.rowid LIMIT 1`,
      )
      .get(sink, nowMs, latestMs)
    if (row === undefined) return undefined
    const { event, escalated, ...rest } = row
    return {
      ...rest,
      isEscalated: escalated === 1,
      event: JSON.parse(event) as AlertEvent,
    }
  }

  sent(id: string): void {
    this.#db
      .prepare(
        `UPDATE deliveries SET state = 'sent', tries = tries + 1, error = NULL WHERE id = ?`,
      )
      .run(id)
  }

  postpone(id: string, nextAt: number): void {
    this.#db.prepare('UPDATE deliveries SET next_at = ? WHERE id = ?').run(nextAt, id)
  }

  refused(id: string, error: string, nextAt: number | undefined): void {
    this.#db
      .prepare(
        `UPDATE deliveries SET tries = tries + 1, error = ?,
           state = iif(? IS NULL, 'failed', state), next_at = coalesce(?, next_at)
         WHERE id = ? AND state = 'waiting'`,
      )
      .run(error, nextAt ?? null, nextAt ?? null, id)
  }

  /** What waits for sinks that there are no more. Returns how many. */
  dropFor(isThere: (sink: string) => boolean): number {
    const names = this.#db
      .prepare(`SELECT DISTINCT sink FROM deliveries WHERE state = 'waiting'`)
      .pluck()
      .all() as string[]
    let dropped = 0
    for (const name of names) {
      if (isThere(name)) continue
      const error = 'there is no such sink any more'
      dropped += this.#db
        .prepare(
          `UPDATE deliveries SET state = 'failed', error = ? WHERE state = 'waiting' AND sink = ?`,
        )
        .run(error, name).changes
    }
    return dropped
  }

  /** Alerts that nobody has acknowledged in time; each is given once. */
  toEscalate(nowMs: number): { id: string; rule: string }[] {
    const rows = this.#db
      .prepare<[number], { id: string; rule: string }>(
        `SELECT id, json_extract(event, '$.rule') AS rule FROM alerts
         WHERE escalate_at <= ? AND state = 'new' LIMIT 100`,
      )
      .all(nowMs)
    this.#db
      .prepare('UPDATE alerts SET escalate_at = NULL WHERE escalate_at <= ?')
      .run(nowMs)
    return rows
  }

  /** By its id or the end of it; false: there is none, or more than one. */
  change(id: string, state: AlertState, by: string, until: number | null): boolean {
    const ids = this.#db
      .prepare<[string, number, string], { id: string }>(
        'SELECT id FROM alerts WHERE id = ? OR (? >= 6 AND substr(id, -6) = ?) LIMIT 2',
      )
      .all(id, id.length, id.slice(-6))
      .filter((row) => row.id.endsWith(id))
    const [only] = ids
    if (only === undefined || ids.length > 1) return false
    this.#db
      .prepare(
        `UPDATE alerts SET state = ?, by = ?, snoozed_until = ?, escalate_at = NULL WHERE id = ?`,
      )
      .run(state, by, until, only.id)
    // Who has answered need not be told any more.
    this.#db
      .prepare(`DELETE FROM deliveries WHERE alert = ? AND state = 'waiting'`)
      .run(only.id)
    return true
  }

  /** Newest first; `all`: those that are acknowledged or asleep, too. */
  list(most: number, all: boolean, nowMs: number): Alert[] {
    const rows = this.#db
      .prepare<[number, number, number], AlertRow>(
        `SELECT * FROM alerts
         WHERE ? OR state = 'new' OR (state = 'snoozed' AND snoozed_until <= ?)
         ORDER BY last_at DESC, id DESC LIMIT ?`,
      )
      .all(all ? 1 : 0, nowMs, most)
    const deliveries = this.#db.prepare<[string], DeliveryState>(
      'SELECT sink, state, tries, error FROM deliveries WHERE alert = ? ORDER BY created, rowid',
    )
    return rows.map((row) => ({
      id: row.id,
      event: JSON.parse(row.event) as AlertEvent,
      count: row.count,
      lastAt: row.last_at,
      state: row.state,
      by: row.by,
      snoozedUntil: row.snoozed_until,
      deliveries: deliveries.all(row.id),
    }))
  }

  /** False: it was known before. */
  meet(what: string, key: string, at: number): boolean {
    const isNew = this.#db
      .prepare('INSERT OR IGNORE INTO known VALUES (?, ?, ?)')
      .run(what, key, at).changes
    return isNew > 0
  }

  knows(what: string): boolean {
    return this.#count('SELECT count(*) FROM known WHERE what = ?', what) > 0
  }

  /** What is old, and what is more than there is room for. */
  prune(beforeMs: number): void {
    const old = 'SELECT id FROM alerts WHERE at < ? OR id NOT IN '
    const kept = '(SELECT id FROM alerts ORDER BY at DESC LIMIT ?)'
    this.#db
      .prepare(`DELETE FROM deliveries WHERE alert IN (${old}${kept})`)
      .run(beforeMs, MOST_ALERTS)
    this.#db
      .prepare(`DELETE FROM alerts WHERE at < ? OR id NOT IN ${kept}`)
      .run(beforeMs, MOST_ALERTS)
    this.#db
      .prepare(
        `DELETE FROM known WHERE at < (SELECT at FROM known ORDER BY at DESC LIMIT 1 OFFSET ?)`,
      )
      .run(MOST_KNOWN)
    this.answers.prune()
  }

  #count(sql: string, ...values: string[]): number {
    return this.#db
      .prepare(sql)
      .pluck()
      .get(...values) as number
  }
}
