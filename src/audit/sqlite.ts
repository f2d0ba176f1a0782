/**
 * SQLite, by the one driver that is here: better-sqlite3, whose types everybody is written
 * against, or where that is not installed the `node:sqlite` of this Node.js (22.16 and later), so
 * that a package needs no compiler. Everybody who opens a database takes it from here.
 */
import { createRequire } from 'node:module'
import type SqliteModule from 'better-sqlite3'
import { nodeSqlite } from './sqlite-node.js'

type Driver = typeof SqliteModule

/** `node` takes that of Node.js although the other is here; for tests. */
const CHOICE = 'YORI_SQLITE'

interface Loaded {
  readonly driver: Driver
  readonly ofNode: boolean
}

/** @throws when neither is here, with what would bring one */
function load(): Loaded {
  if (process.env[CHOICE] !== 'node') {
    try {
      // Required, not imported: importing CommonJS makes Node load its lexer, 5 MB a thread.
      const driver = createRequire(import.meta.url)('better-sqlite3') as Driver
      return { driver, ofNode: false }
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      if (code !== 'MODULE_NOT_FOUND') throw cause
    }
  }
  const driver = nodeSqlite()
  if (driver !== undefined) return { driver, ofNode: true }
  throw new Error(
    'there is no SQLite: install better-sqlite3, or run it by Node.js 22.16 or later',
  )
}

const { driver, ofNode } = load()

export const Sqlite = driver
/** That of Node.js copies a database by one statement, outside of transactions. */
export const isOfNode = ofNode
