/** What of the record is asked for, as SQL that names no value. Pure. */
import { timestampText } from './rows.js'
import type { Value } from './tables.js'

/** A row of `audit_events` by the names of its columns. */
export type Listed = Readonly<Record<string, Value>>

export interface Filter {
  readonly sinceMs?: number
  /** Before that moment. */
  readonly untilMs?: number
  /** An IP address, a MAC address or a host name. */
  readonly device?: string
  /** A part of the name. */
  readonly endpoint?: string
  /** Whole, as the catalogue names it. */
  readonly provider?: string
  /** `response`, `block`, `error`, or `request` for those that are open. */
  readonly outcome?: string
  /** A part of the name. */
  readonly model?: string
  readonly session?: string
  /** Its whole id. */
  readonly agent?: string
  readonly policy?: string
  /** What the policies said: `allow`, `alert` or `deny`. */
  readonly decision?: string
  /** A request's id, or the end of it. */
  readonly id?: string
  /** An error's code, such as `YORI_UPSTREAM_UNREACHABLE`. */
  readonly code?: string
  /** Words of the prompt, the answer, the path or the reason, as far as they were kept. */
  readonly text?: string
}

const TEXTS = [
  'prompt_preview',
  'http_path',
  'reason',
  'policy_message',
  'request_body',
  'response_body',
]

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
  if (filter.untilMs !== undefined)
    parts.push(['timestamp < ?', timestampText(filter.untilMs)])
  if (filter.device !== undefined) {
    const name = filter.device.toLowerCase()
    parts.push([
      '? IN (device_ip, lower(device_mac), lower(device_hostname), lower(program))',
      name,
    ])
  }
  if (filter.endpoint !== undefined)
    parts.push(['instr(endpoint_domain, ?) > 0', filter.endpoint.toLowerCase()])
  if (filter.model !== undefined)
    parts.push(['instr(lower(model), ?) > 0', filter.model.toLowerCase()])
  if (filter.provider !== undefined) parts.push(['provider = ?', filter.provider])
  if (filter.policy !== undefined) parts.push(['policy_name = ?', filter.policy])
  if (filter.decision !== undefined) parts.push(['policy_decision = ?', filter.decision])
  if (filter.code !== undefined) parts.push(['code = ?', filter.code.toUpperCase()])
  if (filter.id !== undefined) {
    const id = filter.id.toLowerCase()
    parts.push(['substr(request_id, ?) = ?', -id.length, id])
  }
  if (filter.text !== undefined) {
    const text = filter.text.toLowerCase()
    const any = TEXTS.map((name) => `instr(lower(${name}), ?) > 0`).join(' OR ')
    parts.push([`(${any})`, ...TEXTS.map(() => text)])
  }
  if (filter.agent !== undefined) parts.push(['agent_id = ?', filter.agent])
  if (filter.session !== undefined) parts.push(['session_id = ?', filter.session])
  if (filter.outcome !== undefined) parts.push(['event_type = ?', filter.outcome])
  return {
    sql: parts.length === 0 ? '' : `WHERE ${parts.map(([sql]) => sql).join(' AND ')}`,
    values: parts.flatMap(([, ...values]) => values),
  }
}
