/** Finds a blocked request in the record by the code that its device was shown. */
import { boundTo } from '../../../core/device-id.js'
import type { Bound } from '../../../core/device-id.js'
import { openReader } from '../../../audit/queries.js'
import type { Listed } from '../../../audit/queries.js'
import { approvalCode } from '../../../policy/approval.js'
import type { Session } from './household-database.js'

/** How far back a code is looked for, and among how many blocks. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000
const MAX_BLOCKS = 10_000
const COLUMNS = [
  'request_id',
  'timestamp',
  'device_ip',
  'device_mac',
  'device_hostname',
  'endpoint_domain',
  'policy_name',
  'reason',
  'found_marks',
]

export function blockOf({ loaded, nowMs }: Session, code: string): Listed | undefined {
  using reader = openReader(loaded.config.audit.database)
  const filter = { outcome: 'block', sinceMs: nowMs - MAX_AGE_MS }
  for (const block of reader.list(filter, MAX_BLOCKS, COLUMNS)) {
    if (approvalCode(String(block['request_id'])) === code) return block
  }
  return undefined
}

/** Digests of what it was refused for; undefined: the policy does not look at that. */
export function marksOf(block: Listed): readonly string[] | undefined {
  const marks = block['found_marks']
  return typeof marks === 'string' && marks !== '' ? marks.split(' ') : undefined
}

export function deviceOf(block: Listed): Bound {
  const mac = block['device_mac']
  return boundTo({
    ip: String(block['device_ip']),
    mac: typeof mac === 'string' ? mac : undefined,
  })
}
