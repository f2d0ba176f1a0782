/** Takes what is somebody's out of the inbox and the outbox, also of a YORI that is not running. */
import { existsSync } from 'node:fs'
import { Sqlite } from '../audit/sqlite.js'

const BUSY_TIMEOUT_MS = 5000

/** `devices`: ids as alerts have them, MAC or address. Returns how many alerts went. */
export function forgetAlerts(file: string, devices: readonly string[]): number {
  if (!existsSync(file) || devices.length === 0) return 0
  const db = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('secure_delete = ON')
    const marks = devices.map(() => '?').join(', ')
    const theirs = `SELECT id FROM alerts WHERE lower(event ->> '$.device.id') IN (${marks})`
    const gone = db
      .transaction(() => {
        db.prepare<string[]>(`DELETE FROM deliveries WHERE alert IN (${theirs})`).run(
          ...devices,
        )
        return db
          .prepare<string[]>(`DELETE FROM alerts WHERE id IN (${theirs})`)
          .run(...devices).changes
      })
      .immediate()
    db.pragma('wal_checkpoint(TRUNCATE)')
    return gone
  } finally {
    db.close()
  }
}
