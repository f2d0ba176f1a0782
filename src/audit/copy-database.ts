/** A database in another file while others write to it: one snapshot, however long that takes. */
import { chmodSync } from 'node:fs'
import { Sqlite, isOfNode } from './sqlite.js'

/** How long its beginning waits for a lock of others. */
const BUSY_TIMEOUT_MS = 5_000
/** Between two words about progress: 2 MiB of SQLite's usual pages. */
const STEP_PAGES = 512

/**
 * `to` must not be there. Without a snapshot of its own, each page that somebody writes meanwhile
 * would begin the copy anew, and beside a busy YORI it would never end. Node's SQLite copies by
 * one statement, and tells no progress. Throws what SQLite throws.
 */
export async function copyDatabase(
  from: string,
  to: string,
  progress?: (done: number, total: number) => void,
): Promise<void> {
  const db = new Sqlite(from, { readonly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    if (!isOfNode) {
      db.exec('BEGIN')
      db.prepare('SELECT count(*) FROM sqlite_master').get()
    }
    await db.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        progress?.(totalPages - remainingPages, totalPages)
        return STEP_PAGES
      },
    })
    chmodSync(to, 0o600)
  } finally {
    db.close()
  }
}
