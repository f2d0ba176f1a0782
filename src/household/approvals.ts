/**
 * What an adult says to a refused request: that it may pass, for a while or once, or that it may
 * not. Out of the row of the record that has the refusal; pure.
 */
import { randomUUID } from 'node:crypto'
import type { Listed } from '../audit/where.js'
import { boundTo } from '../core/device-id.js'
import type { Bound } from '../core/device-id.js'
import type { Denial, Grant } from '../policy/state.js'

/** How far back a code is looked for, and among how many blocks. */
export const APPROVAL_AGE_MS = 24 * 3_600_000
export const MOST_APPROVABLE = 10_000
/** How long a permission for one request waits for it. */
export const ONCE_MS = 3_600_000
/** Until it is revoked. */
export const ALWAYS = Date.parse('9999-12-31T00:00:00Z')

/** What of a row tells whom a permission is for. */
export const APPROVAL_COLUMNS: readonly string[] = [
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

/** The event of somebody who pressed Ask on a block page; its details hold the `requestId`. */
export const ASKED_EVENT = 'approval_asked'

export function grantFor(block: Listed, how: Pick<Grant, 'until' | 'once'>): Grant {
  const found = marksOf(block)
  return {
    id: randomUUID(),
    policy: String(block['policy_name']),
    endpoint: String(block['endpoint_domain']),
    until: how.until,
    once: how.once,
    request: String(block['request_id']),
    ...deviceOf(block),
    ...(found === undefined ? {} : { found }),
  }
}

export function denialFor(block: Listed, nowMs: number): Denial {
  return { request: String(block['request_id']), until: nowMs + APPROVAL_AGE_MS }
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
