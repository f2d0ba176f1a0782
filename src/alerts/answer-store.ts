/**
 * Which links may answer which ask, in the file of inbox and outbox: the digest of each token, of
 * which alert, sent where, until when, and what was said by it. One answer ends all links of its
 * alert. Synchronous; throws what SQLite throws.
 */
import type SqliteModule from 'better-sqlite3'
import { isSameDigest } from './answer-tokens.js'
import type { AlertEvent, AnswerLink } from './words.js'

/** Links that are kept, used ones and old ones, too; beyond it the oldest go. */
export const MOST_LINKS = 1_000

export const ANSWER_SCHEMA = `
  CREATE TABLE IF NOT EXISTS answers (
    digest BLOB PRIMARY KEY, alert TEXT NOT NULL, sink TEXT NOT NULL, made INTEGER NOT NULL,
    until INTEGER NOT NULL, said TEXT, by TEXT, said_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS answers_alert ON answers (alert);
  CREATE INDEX IF NOT EXISTS answers_made ON answers (made);
`

export interface NewLink {
  readonly digest: Buffer
  readonly alert: string
  readonly sink: string
  readonly made: number
  readonly until: number
}

interface Row {
  readonly digest: Buffer
  readonly alert: string
  readonly sink: string
  readonly until: number
  readonly said: string | null
  readonly by: string | null
  readonly event: string
}

export class AnswerStore {
  readonly #db: SqliteModule.Database

  constructor(db: SqliteModule.Database) {
    this.#db = db
  }

  /** False: somebody has answered already. A link that there is lasts as long as is said now. */
  offer({ digest, alert, sink, made, until }: NewLink): boolean {
    const answered = this.#db
      .prepare('SELECT 1 FROM answers WHERE alert = ? AND said IS NOT NULL LIMIT 1')
      .get(alert)
    if (answered !== undefined) return false
    this.#db
      .prepare(
        `INSERT INTO answers (digest, alert, sink, made, until) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (digest) DO UPDATE SET until = excluded.until`,
      )
      .run(digest, alert, sink, made, until)
    this.#db
      .prepare(
        `DELETE FROM answers WHERE digest IN
           (SELECT digest FROM answers ORDER BY made DESC LIMIT -1 OFFSET ?)`,
      )
      .run(MOST_LINKS)
    return true
  }

  /** Undefined: there is no such link. */
  look(digest: Buffer, nowMs: number): AnswerLink | undefined {
    const row = this.#db
      .prepare<[Buffer], Row>(
        `SELECT l.digest, l.alert, l.sink, l.until, l.said, l.by, a.event
         FROM answers l JOIN alerts a ON a.id = l.alert WHERE l.digest = ?`,
      )
      .get(digest)
    if (row === undefined || !isSameDigest(row.digest, digest)) return undefined
    const { alert, sink, until, said, by } = row
    const event = JSON.parse(row.event) as AlertEvent
    const state = said !== null ? 'answered' : until <= nowMs ? 'old' : 'open'
    return { alert, sink, until, said, by, state, event }
  }

  /** Ends every link of the alert. */
  say(alert: string, said: string, by: string, nowMs: number): void {
    this.#db
      .prepare('UPDATE answers SET said = ?, by = ?, said_at = ? WHERE alert = ?')
      .run(said, by, nowMs, alert)
  }

  /** What was said could not be done: the links are as before. */
  unsay(alert: string): void {
    this.#db
      .prepare(
        'UPDATE answers SET said = NULL, by = NULL, said_at = NULL WHERE alert = ?',
      )
      .run(alert)
  }

  /** Those of alerts that are no more. */
  prune(): void {
    this.#db
      .prepare('DELETE FROM answers WHERE alert NOT IN (SELECT id FROM alerts)')
      .run()
  }
}
