/** What of the record is asked for, as SQL that names no value. Pure. */
import { timestampText } from './rows.js'
import type { Value } from './tables.js'

/** A row of `audit_events` by the names of its columns. */
export type Listed = Readonly<Record<string, Value>>

export interface Filter {
  readonly sinceMs?: number
  /** An IP address, a MAC address or a host name. */
  readonly device?: string
  readonly endpoint?: string
  /** `response`, `block`, `error`, or `request` for those that are open. */
  readonly outcome?: string
  readonly model?: string
  readonly session?: string
}

export interface Where {
  readonly sql: string
  readonly values: readonly Value[]
}

export function whereOf(
  filter: Filter,
  more: readonly [string, ...Value[]][] = [],
): Where {
  const parts: [string, ...Value[]][] = [...more]
  if (filter.sinceMs !== undefined)
    parts.push(['timestamp >= ?', timestampText(filter.sinceMs)])
  if (filter.device !== undefined) {
    const name = filter.device.toLowerCase()
    parts.push([
      '(device_ip = ? OR lower(device_mac) = ? OR lower(device_hostname) = ?)',
      name,
      name,
      name,
    ])
  }
  if (filter.endpoint !== undefined)
    parts.push(['endpoint_domain = ?', filter.endpoint.toLowerCase()])
  if (filter.model !== undefined) parts.push(['model = ?', filter.model])
  if (filter.session !== undefined) parts.push(['session_id = ?', filter.session])
  if (filter.outcome !== undefined) parts.push(['event_type = ?', filter.outcome])
  return {
    sql: parts.length === 0 ? '' : `WHERE ${parts.map(([sql]) => sql).join(' AND ')}`,
    values: parts.flatMap(([, ...values]) => values),
  }
}
