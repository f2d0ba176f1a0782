/** The record on disk: how much there is, how far it goes back, and what it knows it misses. */
import { statSync } from 'node:fs'
import { printable } from '../../audit/printable.js'
import { openReader } from '../../audit/queries.js'
import type { Finding, StatusSection } from './status-section.js'

const MIB = 1024 * 1024

export const storeSection: StatusSection = {
  name: 'store',
  read({ config }): Finding {
    const { database, retention_days: days } = config.audit
    const bytes = ['', '-wal'].reduce((sum, end) => sum + sizeOf(`${database}${end}`), 0)
    if (bytes === 0) {
      const lines = [`${printable(database)} is not there yet: the first start makes it`]
      return { level: 'notice', facts: { database, bytes }, lines }
    }
    using reader = openReader(database)
    const { total, droppedRows } = reader.stats({})
    const size = (bytes / MIB).toFixed(1)
    const lines = [
      `${total} exchanges, ${size} MiB in ${printable(database)}, kept ${days} days`,
    ]
    if (droppedRows > 0)
      lines.push(`${droppedRows} rows are missing: they could not be written in time`)
    return {
      level: droppedRows > 0 ? 'notice' : 'good',
      facts: { database, bytes, exchanges: total, droppedRows, retentionDays: days },
      lines,
    }
  },
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
