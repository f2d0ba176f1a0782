/** A blocked request by the code that its device was shown: in the worker, since it looks at many. */
import type { Database } from 'better-sqlite3'
import { timestampText } from '../audit/rows.js'
import type { Value } from '../audit/tables.js'
import type { Listed } from '../audit/where.js'
import { APPROVAL_COLUMNS, MOST_APPROVABLE } from '../household/approvals.js'
import { approvalCode } from '../policy/approval.js'

/** The newest; undefined: none since then, or none among the newest 10,000 blocks. */
export function readBlockByCode(
  db: Database,
  { code, sinceMs }: { readonly code: string; readonly sinceMs: number },
): Listed | undefined {
  const rows = db
    .prepare<Value[], Listed>(
      `SELECT ${APPROVAL_COLUMNS.join(', ')} FROM audit_events
       WHERE event_type = 'block' AND timestamp >= ?
       ORDER BY timestamp DESC LIMIT ${MOST_APPROVABLE}`,
    )
    .iterate(timestampText(sinceMs))
  for (const row of rows) if (approvalCode(String(row['request_id'])) === code) return row
  return undefined
}
