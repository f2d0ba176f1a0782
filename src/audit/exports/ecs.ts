/**
 * An exchange as a document of the Elastic Common Schema. What ECS has no field for stands under
 * `yori`, since names of its own are reserved. Pure.
 * https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html
 */
import { genaiOperation, genaiProvider } from '../../core/genai-names.js'
import type { ExportRow, Outcome } from './row.js'
import { whole } from './row.js'

export const ECS_VERSION = '8.17.0'

/** Of `event.category: network`, the allowed values of `event.type`. */
const TYPES: Readonly<Record<Outcome, readonly string[]>> = {
  response: ['connection', 'allowed', 'end'],
  block: ['connection', 'denied', 'end'],
  error: ['connection', 'error', 'end'],
  request: ['connection', 'start'],
}

export function ecsDocument(row: ExportRow): object {
  const provider = row.text('provider')
  const latencyMs = row.number('latency_ms')
  return whole({
    '@timestamp': row.startedAt,
    ecs: { version: ECS_VERSION },
    message: `${row.text('http_method') ?? ''} ${row.url}: ${row.outcome}`,
    event: {
      kind: row.outcome === 'block' ? 'alert' : 'event',
      category: ['network', 'web'],
      type: TYPES[row.outcome],
      action: row.text('enforcement_action'),
      outcome: outcomeOf(row),
      id: row.requestId,
      code: row.text('code'),
      reason: row.outcome === 'response' ? undefined : row.reason,
      // Nanoseconds.
      duration: latencyMs === undefined ? undefined : latencyMs * 1_000_000,
      provider: 'yori',
      dataset: 'yori.exchange',
    },
    observer: { vendor: 'YORI', product: 'YORI', type: 'proxy' },
    source: {
      ip: row.text('device_ip'),
      mac: macOf(row.text('device_mac')),
      domain: row.text('device_hostname'),
      bytes: row.number('request_bytes'),
    },
    destination: {
      domain: row.text('endpoint_domain'),
      port: 443,
      bytes: row.number('response_bytes'),
    },
    network: { protocol: 'http', transport: 'tcp', direction: 'outbound' },
    process: { name: row.text('program'), working_directory: row.text('program_folder') },
    http: {
      version: row.text('http_version'),
      request: {
        id: row.requestId,
        method: row.text('http_method'),
        body: { bytes: row.number('request_bytes') },
      },
      response: {
        status_code: row.number('response_status'),
        body: { bytes: row.number('response_bytes') },
      },
    },
    url: {
      full: row.url,
      scheme: 'https',
      domain: row.text('endpoint_domain'),
      path: row.text('http_path'),
    },
    user_agent: { original: row.text('user_agent') },
    rule: { name: row.text('policy_name') },
    gen_ai: {
      operation: { name: genaiOperation(row.text('api')) },
      provider: { name: provider === undefined ? undefined : genaiProvider(provider) },
      request: { model: row.text('model') },
      response: { id: row.text('response_id'), finish_reasons: finishOf(row) },
      usage: {
        input_tokens: row.number('prompt_tokens'),
        output_tokens: row.number('response_tokens'),
      },
      agent: { id: row.text('agent_id') },
    },
    yori: {
      session_id: row.text('session_id'),
      connection_id: row.text('connection_id'),
      policy_decision: row.text('policy_decision'),
      cost_micro_usd: row.number('cost_micro_usd'),
      uninspectable: row.text('uninspectable'),
      tool_calls: row.names('tool_calls'),
      prompt_preview: row.text('prompt_preview'),
    },
  })
}

const outcomeOf = (row: ExportRow): string =>
  row.outcome === 'request' ? 'unknown' : row.isFine ? 'success' : 'failure'

/** RFC 7042: capitals, hyphens. */
const macOf = (mac: string | undefined): string | undefined =>
  mac?.replaceAll(':', '-').toUpperCase()

function finishOf(row: ExportRow): readonly string[] | undefined {
  const reason = row.text('finish_reason')
  return reason === undefined ? undefined : [reason]
}
