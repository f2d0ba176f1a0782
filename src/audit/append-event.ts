/** One event from a command, beside whatever the running appliance writes. */
import type { EventRecord } from '../core/record.js'
import { encode, timestampText } from './rows.js'
import { eventColumns } from './tables.js'
import { openWriter } from './writer.js'

const BUSY_TIMEOUT_MS = 2000
const LIMITS = { textLength: 16 * 1024, bodyLength: 0 } as const

/** Throws what SQLite throws. Makes the database when there is none yet. */
export function appendEvent(database: string, event: EventRecord): void {
  const writer = openWriter(database)
  try {
    writer.db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
    const { row } = encode(eventColumns, event, LIMITS)
    row[0] = timestampText(event.at)
    writer.append(row)
  } finally {
    writer.close()
  }
}
