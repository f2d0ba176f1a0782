/**
 * What `yori audit` prints: tables for people, JSON and CSV for programs. Pure: lines out of
 * rows. Every text that a client chose goes through `printable`, `jsonLine` or `csvField`.
 */
import { jsonLine, printable } from '../../../audit/printable.js'
import type { AuditStats, Listed, Share } from '../../../audit/queries.js'
import { recordedMs, secondText, zoneText } from '../../../core/moment-text.js'
import { cell, dollars, rowTokens, table } from '../../print-table.js'

/** After the time. */
const LIST_HEAD = [
  'outcome',
  'device',
  'endpoint',
  'model',
  'tokens',
  'USD',
  'session',
  'status',
  'ms',
  'why',
]

/** What `listText` needs of a row. */
export const listColumns = [
  'timestamp',
  'event_type',
  'client_ip',
  'device_hostname',
  'endpoint_domain',
  'model',
  'prompt_tokens',
  'response_tokens',
  'tokens_estimated',
  'prompt_tokens_estimated',
  'response_tokens_estimated',
  'cost_micro_usd',
  'session_id',
  'response_status',
  'latency_ms',
  'policy_name',
  'policy_message',
  'reason',
  'repeats',
] as const

/** Times in `zone`, or the system's. */
export function listText(rows: readonly Listed[], zone?: string): Iterable<string> {
  if (rows.length === 0) return ['no exchange recorded that fits\n']
  return table(
    [`time (${zoneText(zone)})`, ...LIST_HEAD],
    rows.map((row) => listedCells(row, zone)),
  )
}

function listedCells(row: Listed, zone: string | undefined): string[] {
  const why = [row['policy_name'], row['reason'] ?? row['policy_message']]
  return [
    wallText(row['timestamp'], zone),
    cell(row['event_type']),
    cell(row['device_hostname'] ?? row['client_ip']),
    cell(row['endpoint_domain']),
    cell(row['model']),
    rowTokens(row),
    dollars(row['cost_micro_usd']),
    cell(shortId(row['session_id'])),
    cell(row['response_status']),
    cell(row['latency_ms']),
    why
      .filter((part) => part !== null)
      .map(cell)
      .join(': ') + repeated(row),
  ]
}

/** A time of the record on the wall of the zone; what is none stands as it is. */
export function wallText(value: Listed[string] | undefined, zone?: string): string {
  const ms = recordedMs(String(value))
  return Number.isNaN(ms) ? cell(value) : secondText(ms, zone)
}

/** A program that was refused sends the same again. */
function repeated({ repeats }: Listed): string {
  return typeof repeats === 'number' && repeats > 0 ? ` (${repeats + 1} times)` : ''
}

/** The end of an id of our own, which is the random part; others whole. */
function shortId(id: Listed[string] | undefined): string | null {
  if (typeof id !== 'string') return null
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}$/.test(id) ? id.slice(-12) : id
}

export function* statsText(stats: AuditStats): Iterable<string> {
  yield `${stats.total} exchanges\n`
  yield `${stats.promptTokens} prompt tokens, ${stats.responseTokens} response tokens, `
  yield `${(stats.costMicroUsd / 1e6).toFixed(4)} USD, `
  if (stats.atMostMicroUsd > 0)
    yield `at most ${(stats.atMostMicroUsd / 1e6).toFixed(4)} USD without a known price, `
  yield `${stats.averageLatencyMs ?? '-'} ms on average\n`
  yield* sharesText('outcome', stats.outcomes)
  yield* sharesText('endpoint', stats.endpoints)
  yield* sharesText('device', stats.devices)
  yield* sharesText('model', stats.models)
  yield* sharesText('connections by coverage', stats.coverage)
  if (stats.droppedRows > 0)
    yield `\nthe record misses ${stats.droppedRows} rows that were dropped\n`
}

function* sharesText(title: string, shares: readonly Share[]): Iterable<string> {
  if (shares.length === 0) return
  yield `\n${title}\n`
  for (const { name, count } of shares)
    yield `  ${String(count).padStart(8)}  ${cell(name)}\n`
}

/** For a terminal: nothing in a line can move the cursor. */
export function* visible(lines: Iterable<string>): Iterable<string> {
  for (const line of lines) yield `${printable(line.trimEnd())}\n`
}

export function* jsonArray(rows: Iterable<Listed>): Iterable<string> {
  let before = '[\n'
  for (const row of rows) {
    yield before + jsonLine(row)
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}
