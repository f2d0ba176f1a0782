/**
 * The database of what people changed while YORI runs: allowlist entries, times, the emergency
 * override, grants. Small, beside the audit database, one writer at a time. A change and the
 * reading of it are synchronous: commands call them, the running appliance reads only when
 * something has changed (`live-state.ts`).
 */
import { chmodSync, chownSync, closeSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type SqliteModule from 'better-sqlite3'
import { Sqlite } from '../audit/sqlite.js'
import { makeFolder } from '../core/make-folder.js'
import { YoriError } from '../core/errors.js'
import type { AccessKey } from '../policy/access-keys.js'
import type { Pin } from '../policy/pin.js'
import { EMPTY_STATE } from '../policy/state.js'
import type {
  Denial,
  Act,
  Emergency,
  Grant,
  KnownDevice,
  ListedDevice,
  Person,
  PolicyState,
  Stop,
  TimeException,
  TimeRule,
} from '../policy/state.js'

/** Entries of one kind; a household has tens. */
export const MAX_ENTRIES = 1000
/** Emergencies that are kept for people to look at. */
const MAX_HISTORY = 1000
const BUSY_TIMEOUT_MS = 2000

const SCHEMA = `
CREATE TABLE IF NOT EXISTS entries (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE TABLE IF NOT EXISTS emergencies (
  id INTEGER PRIMARY KEY,
  activated_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  by TEXT NOT NULL,
  reason TEXT NOT NULL,
  ended_at INTEGER,
  ended_by TEXT
);
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
`

export interface Kept<Value> {
  readonly key: string
  readonly value: Value
  readonly addedAt: number
  readonly addedBy: string
}

interface Kinds {
  readonly device: ListedDevice
  readonly exception: TimeException
  readonly rule: TimeRule
  readonly grant: Grant
  readonly pin: Pin
  readonly stop: Stop
  readonly denial: Denial
  readonly known: KnownDevice
  readonly person: Person
  readonly act: Act
  readonly key: AccessKey
}

export interface PastEmergency extends Emergency {
  readonly endedAt: number | undefined
  readonly endedBy: string | undefined
}

export function policyDatabasePath(stateDir: string): string {
  return join(stateDir, 'policy.db')
}

/** Settings of the database itself: how often it was changed, and what of that is in force. */
const REVISION = 'revision'
const TAKEN = 'taken'

export class PolicyDatabase implements Disposable {
  readonly #db: SqliteModule.Database
  /** By this object. */
  #changes = 0

  /**
   * Opens or makes it: file 0600 in a folder 0700, owned as the folder is. `patient: false`
   * never waits for another's lock.
   * @throws YORI_STATE_UNUSABLE
   */
  constructor(file: string, options: { patient: boolean } = { patient: true }) {
    try {
      prepareFile(file)
      this.#db = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS })
      this.#db.pragma('journal_mode = WAL')
      this.#db.pragma('synchronous = NORMAL')
      this.#db.exec(SCHEMA)
      if (!options.patient) this.#db.pragma('busy_timeout = 0')
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new YoriError('YORI_STATE_UNUSABLE', `${file}: ${why}`, { cause })
    }
  }

  /** Another number than before: another connection has changed something. */
  get version(): number {
    return this.#db.pragma('data_version', { simple: true }) as number
  }

  /** Everything that decides now; what is over is left out. */
  state(nowMs: number): PolicyState {
    const emergency = this.emergency()
    return {
      ...EMPTY_STATE,
      devices: this.list('device').map(({ value }) => value),
      exceptions: this.list('exception').map(({ value }) => value),
      rules: this.list('rule').map(({ value }) => value),
      grants: this.list('grant')
        .map(({ value }) => value)
        .filter(({ until }) => nowMs < until),
      pins: this.list('pin')
        .map(({ value }) => value)
        .filter(({ expiresAt }) => nowMs < expiresAt),
      stops: this.list('stop')
        .map(({ value }) => value)
        .filter(({ until }) => nowMs < until),
      denials: this.list('denial')
        .map(({ value }) => value)
        .filter(({ until }) => nowMs < until),
      known: this.list('known').map(({ value }) => value),
      people: this.list('person').map(({ value }) => value),
      acts: this.list('act')
        .map(({ value }) => value)
        .filter(({ until }) => nowMs < until),
      keys: this.list('key').map(({ value }) => value),
      ...(emergency === undefined ? {} : { emergency }),
    }
  }

  list<Kind extends keyof Kinds>(kind: Kind): Kept<Kinds[Kind]>[] {
    return this.#db
      .prepare<[string, number], EntryRow>(
        'SELECT * FROM entries WHERE kind = ? ORDER BY added_at, key LIMIT ?',
      )
      .all(kind, MAX_ENTRIES)
      .map(({ key, value, added_at: addedAt, added_by: addedBy }) => ({
        key,
        value: JSON.parse(value) as Kinds[Kind],
        addedAt,
        addedBy,
      }))
  }

  /** Takes the place of an entry with the same key. @throws YORI_STATE_UNUSABLE when full */
  put<Kind extends keyof Kinds>(kind: Kind, entry: Kept<Kinds[Kind]>): void {
    this.#changed(() => {
      this.#forgetPast(entry.addedAt)
      const count = this.#db
        .prepare<[string, string], { n: number }>(
          'SELECT count(*) AS n FROM entries WHERE kind = ? AND key <> ?',
        )
        .get(kind, entry.key)
      if ((count?.n ?? 0) >= MAX_ENTRIES) {
        throw new YoriError(
          'YORI_STATE_UNUSABLE',
          `there are ${MAX_ENTRIES} entries already: remove some`,
        )
      }
      this.#db
        .prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)')
        .run(kind, entry.key, JSON.stringify(entry.value), entry.addedAt, entry.addedBy)
    })
  }

  /** Permissions whose time is over take no room; nobody lists them any more. */
  #forgetPast(nowMs: number): void {
    this.#db
      .prepare(
        `DELETE FROM entries WHERE
           (kind IN ('grant', 'denial', 'act') AND json_extract(value, '$.until') <= ?) OR
           (kind = 'pin' AND json_extract(value, '$.expiresAt') <= ?)`,
      )
      .run(nowMs, nowMs)
  }

  remove(kind: keyof Kinds, key: string): boolean {
    return this.#changed(
      () =>
        this.#db.prepare('DELETE FROM entries WHERE kind = ? AND key = ?').run(kind, key)
          .changes > 0,
    )
  }

  /** The last that was not ended; whether it still runs is a matter of its time. */
  emergency(): Emergency | undefined {
    const [last] = this.history(1)
    if (last === undefined || last.endedAt !== undefined) return undefined
    const { activatedAt, expiresAt, by, reason } = last
    return { activatedAt, expiresAt, by, reason }
  }

  /** Newest first. */
  history(limit = 20): PastEmergency[] {
    return this.#db
      .prepare<[number], EmergencyRow>(
        'SELECT * FROM emergencies ORDER BY id DESC LIMIT ?',
      )
      .all(Math.min(limit, MAX_HISTORY))
      .map((row) => ({
        activatedAt: row.activated_at,
        expiresAt: row.expires_at,
        by: row.by,
        reason: row.reason,
        endedAt: row.ended_at ?? undefined,
        endedBy: row.ended_by ?? undefined,
      }))
  }

  activate({ activatedAt, expiresAt, by, reason }: Emergency): void {
    this.#changed(() => {
      this.#db
        .prepare(
          'INSERT INTO emergencies (activated_at, expires_at, by, reason) VALUES (?, ?, ?, ?)',
        )
        .run(activatedAt, expiresAt, by, reason)
      this.#db
        .prepare(
          `DELETE FROM emergencies WHERE id <= (SELECT max(id) FROM emergencies) - ?`,
        )
        .run(MAX_HISTORY)
    })
  }

  extend(expiresAt: number): void {
    this.#changed(() =>
      this.#db
        .prepare(
          `UPDATE emergencies SET expires_at = ?
           WHERE id = (SELECT max(id) FROM emergencies) AND ended_at IS NULL`,
        )
        .run(expiresAt),
    )
  }

  deactivate(atMs: number, by: string): void {
    this.#changed(() =>
      this.#db
        .prepare(
          `UPDATE emergencies SET ended_at = ?, ended_by = ?
           WHERE id = (SELECT max(id) FROM emergencies) AND ended_at IS NULL`,
        )
        .run(atMs, by),
    )
  }

  setting(key: string): string | undefined {
    return this.#db
      .prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?')
      .get(key)?.value
  }

  set(key: string, value: string): void {
    this.#changed(() =>
      this.#db.prepare('INSERT OR REPLACE INTO settings VALUES (?, ?)').run(key, value),
    )
  }

  /** Several changes as one; nobody else changes anything meanwhile. */
  locked<Result>(changes: () => Result): Result {
    return this.#changed(changes)
  }

  /** How often it was changed, by whomever. */
  get revision(): number {
    return Number(this.setting(REVISION) ?? 0)
  }

  /** Was it changed by this object? */
  get wasChanged(): boolean {
    return this.#changes > 0
  }

  /** Up to which change a running appliance has read it. */
  get taken(): number {
    return Number(this.setting(TAKEN) ?? 0)
  }

  /** The running appliance has read it as it was then: commands say so. */
  take(revision: number): void {
    if (revision !== this.taken) this.#put(TAKEN, revision)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #changed<Result>(change: () => Result): Result {
    if (this.#db.inTransaction) return change()
    const counted = (): Result => {
      const before = this.#rowsChanged()
      const result = change()
      if (this.#rowsChanged() !== before) {
        this.#changes++
        this.#put(REVISION, this.revision + 1)
      }
      return result
    }
    return this.#db.transaction(counted).immediate()
  }

  #rowsChanged(): number {
    const row = this.#db.prepare<[], { n: number }>('SELECT total_changes() AS n').get()
    return row?.n ?? 0
  }

  #put(key: string, value: number): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO settings VALUES (?, ?)')
      .run(key, String(value))
  }
}

interface EntryRow {
  readonly key: string
  readonly value: string
  readonly added_at: number
  readonly added_by: string
}

interface EmergencyRow {
  readonly activated_at: number
  readonly expires_at: number
  readonly by: string
  readonly reason: string
  readonly ended_at: number | null
  readonly ended_by: string | null
}

/** A command of root's must not take the file away from the user that YORI runs as. */
function prepareFile(file: string): void {
  const folder = dirname(file)
  makeFolder(folder, 0o700)
  const isNew = statSync(file, { throwIfNoEntry: false }) === undefined
  closeSync(openSync(file, 'a', 0o600))
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  if (!isNew || process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  chownSync(file, uid, gid)
}
