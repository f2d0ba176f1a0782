/**
 * Which YORI runs on a state folder: one at most, found from anywhere by whoever knows the
 * folder. The lock is one of the kernel's, held through SQLite: it is gone with its process,
 * however that ended, and no other process with that number is taken for it.
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import type * as SqliteModule from 'better-sqlite3'
import { Sqlite } from '../audit/sqlite.js'
import { YoriError } from '../core/errors.js'
import { makeFolder } from '../core/make-folder.js'

const FILE = 'instance.db'
const FOLDER_MODE = 0o700

export interface Instance {
  readonly pid: number
  /** `address:port` each, as it listens. */
  readonly listen: readonly string[]
  readonly startedAt: number
}

export class InstanceLock implements Disposable {
  readonly #db: SqliteModule.Database | undefined

  private constructor(db: SqliteModule.Database | undefined) {
    this.#db = db
  }

  /**
   * Makes the folder when there is none. A folder that is there and cannot be written is left
   * to its owner, and so is a disk without room: YORI serves, and keeps nobody from doing so.
   * @throws YORI_STATE_UNUSABLE when it cannot be made, or another YORI runs on it
   */
  static take(stateDir: string): InstanceLock {
    prepare(stateDir)
    if (!isWritable(stateDir)) return new InstanceLock(undefined)
    const db = new Sqlite(join(stateDir, FILE), { timeout: 0 })
    try {
      db.exec('BEGIN IMMEDIATE')
      db.exec(
        'CREATE TABLE IF NOT EXISTS instance (pid INTEGER, listen TEXT, at INTEGER)',
      )
      return new InstanceLock(db)
    } catch (cause) {
      db.close()
      // A full disk keeps nobody from serving, and nobody else from trying.
      if (!isBusy(cause)) return new InstanceLock(undefined)
      throw new YoriError('YORI_STATE_UNUSABLE', inUse(stateDir), { cause })
    }
  }

  /** Says where it listens, to whoever asks from now on. */
  announce({ pid, listen, startedAt }: Instance): void {
    const db = this.#db
    if (db === undefined) return
    const row = [pid, JSON.stringify(listen), startedAt]
    try {
      db.exec('DELETE FROM instance')
      db.prepare('INSERT INTO instance VALUES (?, ?, ?)').run(...row)
      // The row stands only once it is committed; then the lock is taken again.
      db.exec('COMMIT')
      db.exec('BEGIN IMMEDIATE')
    } catch {
      // No room for it: it is not found by others, and serves.
    }
  }

  [Symbol.dispose](): void {
    this.#db?.close()
  }
}

/** The YORI that runs on that state; undefined: none, or this user may not know. */
export function runningInstance(stateDir: string): Instance | undefined {
  let db: SqliteModule.Database | undefined
  try {
    db = new Sqlite(join(stateDir, FILE), { fileMustExist: true, timeout: 0 })
    const row = db.prepare('SELECT pid, listen, at FROM instance').get() as
      { pid: number; listen: string; at: number } | undefined
    if (row === undefined || !isHeld(db)) return undefined
    const listen = JSON.parse(row.listen) as string[]
    return { pid: row.pid, listen, startedAt: row.at }
  } catch {
    return undefined
  } finally {
    db?.close()
  }
}

function isHeld(db: SqliteModule.Database): boolean {
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('ROLLBACK')
    return false
  } catch (cause) {
    return isBusy(cause)
  }
}

function inUse(stateDir: string): string {
  const running = runningInstance(stateDir)
  const who =
    running === undefined
      ? 'another YORI'
      : `process ${running.pid}, a YORI that listens on ${running.listen.join(', ')},`
  return `${who} uses ${stateDir}; end it first, or give this one another folder by --state-dir`
}

function prepare(stateDir: string): void {
  try {
    makeFolder(stateDir, FOLDER_MODE)
  } catch (cause) {
    throw unusable(stateDir, cause)
  }
}

function unusable(stateDir: string, cause: unknown): YoriError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new YoriError(
    'YORI_STATE_UNUSABLE',
    `the state folder ${stateDir} cannot be used: ${why}; give another by --state-dir, ` +
      'YORI_STATE_DIR or state_dir',
    { cause },
  )
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  String(cause.code).startsWith('SQLITE_BUSY')
