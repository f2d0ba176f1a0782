/**
 * An exchange as one line for a person: when, who, which model, how much, how long, what was
 * decided, and the first words. Pure. What clients wrote is made safe to look at.
 */
import { printable } from '../audit/printable.js'
import type { Listed } from '../audit/where.js'
import { clockText, recordedMs } from '../core/moment-text.js'
import { dollars, rowTokens } from './print-table.js'

/** What a line needs of a row of `audit_events`. */
export const watchColumns = [
  'timestamp',
  'request_id',
  'event_type',
  'client_ip',
  'device_hostname',
  'user_agent',
  'program',
  'endpoint_domain',
  'http_method',
  'http_path',
  'is_call',
  'model',
  'prompt_tokens',
  'response_tokens',
  'tokens_estimated',
  'prompt_tokens_estimated',
  'response_tokens_estimated',
  'cost_micro_usd',
  'response_status',
  'latency_ms',
  'enforcement_action',
  'policy_name',
  'policy_message',
  'reason',
  'uninspectable',
  'prompt_preview',
] as const

export interface LineOptions {
  readonly colour: boolean
  /** Columns of the terminal; longer lines are cut. Undefined: never. */
  readonly width?: number | undefined
  /** Of the time of day; the system's when left out. */
  readonly zone?: string | undefined
}

/** A terminal that says less does not know how wide it is. */
const NARROWEST = 20

export function watchLine(row: Listed, { colour, width, zone }: LineOptions): string {
  const paint = colour ? paintOf(row) : undefined
  const [tokens, usd] = [rowTokens(row), dollars(row['cost_micro_usd'])]
  const parts = [
    timeText(row['timestamp'], zone),
    column(whoText(row), 18),
    column(text(row, 'model') ?? text(row, 'endpoint_domain') ?? '-', 24),
    (tokens === '-' ? '' : tokens).padStart(12),
    (usd === '-' ? '' : `$${usd}`).padStart(10),
    msText(row['latency_ms']).padStart(8),
    outcomeText(row),
    wordsText(row),
  ]
  const line = parts.filter((part) => part !== '').join('  ')
  const isKnown = width !== undefined && width >= NARROWEST
  const shown = isKnown ? cut(line, width - 1) : line
  return paint === undefined ? `${shown}\n` : `\u001b[${paint}m${shown}\u001b[0m\n`
}

const text = (row: Listed, name: string): string | undefined => {
  const value = row[name]
  return typeof value === 'string' && value !== '' ? printable(value) : undefined
}

const cut = (line: string, most: number): string =>
  line.length <= most ? line : `${line.slice(0, Math.max(0, most - 1))}…`

const column = (value: string, width: number): string => cut(value, width).padEnd(width)

/** Time of day in the zone, of a time of the record. */
function timeText(value: Listed[string] | undefined, zone: string | undefined): string {
  const ms = recordedMs(String(value))
  return Number.isNaN(ms) ? '--:--:--' : clockText(ms, zone)
}

/** The device; on this machine the program, or what it calls itself. */
function whoText(row: Listed): string {
  const ip = text(row, 'client_ip') ?? '-'
  const isHere = ip === '::1' || ip.startsWith('127.')
  const agent = text(row, 'user_agent')?.split(/[\s/(]/, 1)[0]
  const program = text(row, 'program') ?? agent
  return text(row, 'device_hostname') ?? (isHere ? (program ?? ip) : ip)
}

function msText(value: Listed[string] | undefined): string {
  if (typeof value !== 'number') return ''
  return value < 10_000 ? `${value} ms` : `${(value / 1000).toFixed(1)} s`
}

function outcomeText(row: Listed): string {
  const action = row['enforcement_action']
  const why = [
    text(row, 'policy_name'),
    text(row, 'reason') ?? text(row, 'policy_message'),
  ]
  const because = why.filter((part) => part !== undefined).join(': ')
  if (row['event_type'] === 'block') return `BLOCKED ${because}`
  if (row['event_type'] === 'error')
    return `FAILED ${text(row, 'reason') ?? ''}`.trimEnd()
  const status = Number(row['response_status'] ?? 0)
  const answered = status >= 400 ? `${status}` : ''
  const decided = action === 'allow' || action === null ? '' : `${action} ${because}`
  return [answered, decided].filter((part) => part !== '').join(' ')
}

/** What a person said; of what is no call to a model, what was asked for. */
function wordsText(row: Listed): string {
  const words = text(row, 'prompt_preview')?.replaceAll(/\\u000a|\s+/g, ' ')
  if (words !== undefined) return `"${words}"`
  return `${text(row, 'http_method') ?? ''} ${text(row, 'http_path') ?? ''}`
}

/** SGR, ECMA-48 8.3.117. */
function paintOf(row: Listed): string | undefined {
  if (row['event_type'] === 'block') return '31'
  if (row['event_type'] === 'error') return '35'
  if (row['enforcement_action'] === 'alert') return '33'
  return row['is_call'] === 1 ? undefined : '2'
}
