/**
 * `yori audit show`: one exchange, as far as it was kept; as it stands, as a `curl` to send it
 * again, or as HAR 1.2 for the tools that read that.
 */
import { Option } from 'commander'
import type { Command } from 'commander'
import { jsonLine, printable } from '../../../audit/printable.js'
import type { Listed } from '../../../audit/queries.js'
import { approvalCode, readApprovalCode } from '../../../policy/approval.js'
import { zoneText } from '../../../core/moment-text.js'
import { wallText } from './audit-text.js'
import { dollars, rowTokens } from '../../print-table.js'
import { usageError } from '../../usage.js'
import type { AuditCommandDeps, CommonFlags } from './record-deps.js'
import { curlText, harOf } from '../../../audit/exchange-forms.js'
import { openRecord } from './record-source.js'
import type { RecordSource } from './record-source.js'

/** Codes are looked for among so many blocks, the newest first. */
const MAX_BLOCKS = 10_000
/** Of an id that is not unique, so many are named. */
const MOST_NAMED = 5
const SHORTEST_ID = 4

interface ShowFlags extends CommonFlags {
  readonly as: 'text' | 'json' | 'curl' | 'har'
}

export function addShow(command: Command, deps: AuditCommandDeps): void {
  command
    .command('show')
    .description('one exchange, as far as it was kept')
    .argument('<id>', "a request's id or the end of it, or the code of a block page")
    .option('--config <file>', 'the configuration that names the database')
    .addOption(
      new Option('--as <form>', 'how')
        .choices(['text', 'json', 'curl', 'har'])
        .default('text'),
    )
    .option('--json', 'as --as json')
    .action((id: string, flags: ShowFlags) => show(deps, id, flags))
}

async function show(deps: AuditCommandDeps, id: string, flags: ShowFlags): Promise<void> {
  using reader = await openRecord(deps, flags)
  const row = await exchangeOf(reader, id)
  deps.stdout.write(
    formOf(row, flags.json === true ? 'json' : flags.as, deps.zone?.(flags.config)),
  )
}

function formOf(row: Listed, form: ShowFlags['as'], zone?: string): string {
  switch (form) {
    case 'json':
      return `${jsonLine(row)}\n`
    case 'har':
      return `${JSON.stringify(harOf(row), undefined, 2)}\n`
    case 'curl':
      return curlText(row)
    case 'text':
      return detailText(row, zone)
  }
}

/** @throws usageError, exit code 1, when there is none or several */
async function exchangeOf(reader: RecordSource, text: string): Promise<Listed> {
  const id = (await requestOfCode(reader, text)) ?? text.toLowerCase()
  if (id.length < SHORTEST_ID || !/^[0-9a-f-]+$/.test(id))
    throw usageError(`${printable(text)} is no request id, no end of one, and no code`)
  const found = [...(await reader.list({ id }, MOST_NAMED + 1, reader.columns))]
  const [first, second] = found
  if (first === undefined)
    throw usageError(`no exchange ${printable(text)} is recorded`, 1)
  if (second === undefined) return first
  const names = found.slice(0, MOST_NAMED).map((row) => String(row['request_id']))
  const more = found.length > MOST_NAMED ? ', ...' : ''
  throw usageError(`several end with ${id}: ${names.join(', ')}${more}`, 1)
}

/** The request that was refused with that code; undefined: it is no code, or nobody's. */
export async function requestOfCode(
  reader: RecordSource,
  text: string,
): Promise<string | undefined> {
  const code = readApprovalCode(text)
  if (code === undefined) return undefined
  const blocks = await reader.list({ outcome: 'block' }, MAX_BLOCKS, ['request_id'])
  for (const { request_id: id } of blocks)
    if (typeof id === 'string' && approvalCode(id) === code) return id
  return undefined
}

/** Columns that are told by others, or in a block of their own. */
const APART = new Set(['id', 'request_body', 'response_body', 'client_ip', 'endpoint'])

function detailText(row: Listed, zone: string | undefined): string {
  const timestamp = `${wallText(row['timestamp'], zone)} ${zoneText(zone)}`
  const told: Listed = { ...row, timestamp }
  const [sum, usd] = [rowTokens(row), dollars(row['cost_micro_usd'])]
  const names = Object.keys(row).filter((name) => row[name] !== null && !APART.has(name))
  const widest = Math.max(...names.map((name) => name.length))
  const lines = names.map(
    (name) => `${name.padEnd(widest)}  ${printable(String(told[name]))}\n`,
  )
  const sums = `${'tokens, USD'.padEnd(widest)}  ${sum}, ${usd}\n`
  return lines.join('') + sums + bodyText('request', row) + bodyText('response', row)
}

function bodyText(side: 'request' | 'response', row: Listed): string {
  const body = row[`${side}_body`]
  if (typeof body !== 'string') return `\n${side} body: not kept (audit.bodies)\n`
  const shown = body.split('\n').map((line) => `  ${printable(line)}\n`)
  return `\n${side} body\n${shown.join('')}`
}
