/** Finds a blocked request in the record by the code that its device was shown. */
import { openReader } from '../../../audit/queries.js'
import type { Listed } from '../../../audit/queries.js'
import {
  APPROVAL_AGE_MS,
  APPROVAL_COLUMNS,
  MOST_APPROVABLE,
} from '../../../household/approvals.js'
import { approvalCode } from '../../../policy/approval.js'
import type { Session } from './household-database.js'

export function blockOf({ loaded, nowMs }: Session, code: string): Listed | undefined {
  using reader = openReader(loaded.config.audit.database)
  const filter = { outcome: 'block', sinceMs: nowMs - APPROVAL_AGE_MS }
  for (const block of reader.list(filter, MOST_APPROVABLE, APPROVAL_COLUMNS)) {
    if (approvalCode(String(block['request_id'])) === code) return block
  }
  return undefined
}
