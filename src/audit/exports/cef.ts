/**
 * An exchange as a line of ArcSight's Common Event Format, version 0: seven heads between bars,
 * then keys with values. Values that hold a line break, `=` or `\` are escaped, so that a line is
 * an event whatever a client wrote. Pure.
 */
import { printable } from '../printable.js'
import type { ExportRow, Outcome } from './row.js'

const NAMES: Readonly<Record<Outcome, string>> = {
  response: 'LLM request answered',
  block: 'LLM request blocked',
  error: 'LLM request failed',
  request: 'LLM request open',
}

/** Of 0 to 10. */
const SEVERITIES: Readonly<Record<Outcome, number>> = {
  response: 1,
  request: 1,
  error: 4,
  block: 6,
}

/** The greatest length that the format gives a custom string. */
const MAX_CUSTOM = 4000

/** `version` is YORI's. Without a line break. */
export function cefLine(row: ExportRow, version: string): string {
  const { outcome } = row
  const head = [
    ...['CEF:0', 'YORI', 'YORI', version, `exchange.${outcome}`],
    ...[NAMES[outcome], String(SEVERITIES[outcome])],
  ]
  const [first, ...rest] = head
  const extension = Object.entries(extensionOf(row)).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${valueOf(value)}`],
  )
  return `${first}|${rest.map(headOf).join('|')}|${extension.join(' ')}`
}

function extensionOf(
  row: ExportRow,
): Readonly<Record<string, string | number | undefined>> {
  return {
    rt: row.startedMs,
    start: row.startedMs,
    end: row.outcome === 'request' ? undefined : row.endedMs,
    externalId: row.requestId,
    act: row.text('enforcement_action'),
    outcome: row.outcome === 'request' ? undefined : row.isFine ? 'success' : 'failure',
    reason: row.isFine ? undefined : row.reason,
    src: row.text('device_ip'),
    smac: row.text('device_mac'),
    shost: row.text('device_hostname'),
    sproc: row.text('program'),
    dhost: row.text('endpoint_domain'),
    dpt: 443,
    app: 'HTTPS',
    requestMethod: row.text('http_method'),
    request: row.url,
    requestClientApplication: row.text('user_agent'),
    out: row.number('request_bytes'),
    in: row.number('response_bytes'),
    ...custom('cs', 1, 'provider', row.text('provider')),
    ...custom('cs', 2, 'model', row.text('model')),
    ...custom('cs', 3, 'policy', row.text('policy_name')),
    ...custom('cs', 4, 'session', row.text('session_id')),
    ...custom('cs', 5, 'code', row.text('code')),
    ...custom('cs', 6, 'prompt', row.text('prompt_preview')),
    ...custom('cn', 1, 'status', row.number('response_status')),
    ...custom('cn', 2, 'tokens', tokensOf(row)),
    ...custom('cn', 3, 'cost_micro_usd', row.number('cost_micro_usd')),
  }
}

/** A field of one's own has a label beside it. */
function custom(kind: string, place: number, label: string, value?: string | number) {
  if (value === undefined) return {}
  const cut =
    typeof value === 'string' ? value.slice(0, MAX_CUSTOM).toWellFormed() : value
  return { [`${kind}${place}Label`]: label, [`${kind}${place}`]: cut }
}

function tokensOf(row: ExportRow): number | undefined {
  const [input, output] = [row.number('prompt_tokens'), row.number('response_tokens')]
  return input === undefined && output === undefined
    ? undefined
    : (input ?? 0) + (output ?? 0)
}

/** A head may not hold a line break at all. */
const headOf = (text: string): string =>
  text.replace(/[\\|]/g, '\\$&').replace(/[\r\n]+/g, ' ')

/** What a terminal would act on is shown, line breaks by the format's own escapes. */
function valueOf(value: string | number): string {
  if (typeof value === 'number') return String(value)
  return value
    .replace(/[^\r\n]+/g, printable)
    .replace(/[\\=]/g, '\\$&')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')
}
