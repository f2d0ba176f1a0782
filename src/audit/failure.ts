/** What a failure of the database means for the writer: wait, or begin a new file. Pure. */
import type { Trouble } from './messages.js'
import { NewerDatabase } from './migrations.js'

export interface Failure {
  readonly trouble: Trouble
  readonly reason: string
}

/**
 * By SQLite's result code (https://sqlite.org/rescode.html) or the errno of a file call.
 * `undefined`: nothing is wrong with the database, so it is the row that cannot be written.
 */
export function failureOf(cause: unknown): Failure | undefined {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof NewerDatabase) return { trouble: 'newer', reason }
  const code = codeIn(cause)
  const trouble = code === undefined ? undefined : troubleOf(code)
  return trouble === undefined ? undefined : { trouble, reason: `${code}: ${reason}` }
}

function codeIn(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

function troubleOf(code: string): Trouble | undefined {
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'locked'
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return 'full'
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'corrupt'
  if (UNWRITABLE.test(code)) return 'unwritable'
  if (OF_THE_ROW.test(code)) return undefined
  return code.startsWith('SQLITE_') || code.startsWith('E') ? 'failed' : undefined
}

const UNWRITABLE =
  /^(SQLITE_CANTOPEN|SQLITE_READONLY|SQLITE_PERM|EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EISDIR|EEXIST|ELOOP|ENAMETOOLONG)/
const OF_THE_ROW = /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)|^ERR_/
