/**
 * An exchange as an event of the Open Cybersecurity Schema Framework: HTTP Activity (4002), of the
 * category Network Activity (4). Pure. https://schema.ocsf.io/1.6.0/classes/http_activity
 */
import type { ExportRow } from './row.js'
import { whole } from './row.js'

/** Pinned: later ones rename members. */
export const OCSF_VERSION = '1.6.0'
const HTTP_ACTIVITY = 4002
const NETWORK_ACTIVITY = 4

/** `activity_id` by the method. */
const ACTIVITIES: readonly string[] = [
  'UNKNOWN',
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'TRACE',
  'PATCH',
]
const OTHER = 99
const [SUCCESS, FAILURE] = [1, 2] as const
const [INFORMATIONAL, LOW, MEDIUM] = [1, 2, 3] as const
const [ALLOWED, DENIED] = [1, 2] as const

export function ocsfEvent(row: ExportRow): object {
  const method = row.text('http_method') ?? ''
  const known = ACTIVITIES.indexOf(method)
  const activity = known > 0 ? known : OTHER
  const isBlocked = row.outcome === 'block'
  const severity = isBlocked ? MEDIUM : row.isFine ? INFORMATIONAL : LOW
  return whole({
    activity_id: activity,
    activity_name: activity === OTHER ? method : titled(method),
    category_uid: NETWORK_ACTIVITY,
    category_name: 'Network Activity',
    class_uid: HTTP_ACTIVITY,
    class_name: 'HTTP Activity',
    type_uid: HTTP_ACTIVITY * 100 + activity,
    type_name: `HTTP Activity: ${activity === OTHER ? 'Other' : titled(method)}`,
    // Milliseconds.
    time: row.startedMs,
    start_time: row.startedMs,
    end_time: row.outcome === 'request' ? undefined : row.endedMs,
    duration: row.number('latency_ms'),
    severity_id: severity,
    severity: ['', 'Informational', 'Low', 'Medium'][severity],
    status_id: row.outcome === 'request' ? 0 : row.isFine ? SUCCESS : FAILURE,
    status: row.outcome === 'request' ? 'Unknown' : row.isFine ? 'Success' : 'Failure',
    status_code: row.text('code') ?? row.number('response_status')?.toString(),
    status_detail: row.isFine ? undefined : row.reason,
    action_id: isBlocked ? DENIED : ALLOWED,
    action: isBlocked ? 'Denied' : 'Allowed',
    message: `${method} ${row.url}: ${row.outcome}`,
    metadata: {
      version: OCSF_VERSION,
      uid: row.requestId,
      correlation_uid: row.text('session_id'),
      logged_time: row.startedMs,
      product: { name: 'YORI', vendor_name: 'YORI' },
      // Of the profile `security_control`: action_id, policy.
      profiles: ['security_control'],
    },
    policy: { name: row.text('policy_name') },
    src_endpoint: {
      ip: row.text('device_ip'),
      mac: row.text('device_mac'),
      hostname: row.text('device_hostname'),
    },
    dst_endpoint: { hostname: row.text('endpoint_domain'), port: 443 },
    http_request: {
      uid: row.requestId,
      http_method: method,
      version: row.text('http_version'),
      user_agent: row.text('user_agent'),
      length: row.number('request_bytes'),
      url: {
        url_string: row.url,
        scheme: 'https',
        hostname: row.text('endpoint_domain'),
        path: row.text('http_path'),
        port: 443,
      },
    },
    http_response: {
      code: row.number('response_status') ?? 0,
      length: row.number('response_bytes'),
      latency: row.number('first_byte_ms'),
    },
    traffic: {
      bytes_in: row.number('response_bytes'),
      bytes_out: row.number('request_bytes'),
    },
    // What the schema has no place for.
    unmapped: {
      provider: row.text('provider'),
      model: row.text('model'),
      api: row.text('api'),
      input_tokens: row.number('prompt_tokens'),
      output_tokens: row.number('response_tokens'),
      cost_micro_usd: row.number('cost_micro_usd'),
      enforcement_action: row.text('enforcement_action'),
      agent_id: row.text('agent_id'),
      program: row.text('program'),
      uninspectable: row.text('uninspectable'),
      prompt_preview: row.text('prompt_preview'),
    },
  })
}

const titled = (method: string): string => method[0] + method.slice(1).toLowerCase()
