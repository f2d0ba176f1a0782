/**
 * `yori audit`: looks into the record, exports it, prunes it. Asks the running YORI where one
 * runs, else the database file. What clients wrote is escaped on its way out.
 */
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ChainWriter, hasChain } from '../../../audit/evidence/chain-writer.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { BY_COLUMN, FORMATS, exportLines } from '../../../audit/exports/formats.js'
import type { Format } from '../../../audit/exports/formats.js'
import type { Filter, Listed } from '../../../audit/queries.js'
import { openDatabase, openReader, unavailable } from '../../../audit/queries.js'
import type { Pruned } from '../../../audit/retention.js'
import { countOlder, cutoffMs, prune } from '../../../audit/retention.js'
import { parseSince } from '../../../audit/since.js'
import { YoriError } from '../../../core/errors.js'
import type { AuditCommandDeps, CommonFlags } from './record-deps.js'
import { addShow, requestOfCode } from './audit-show.js'
import { addVerify } from './audit-verify.js'
import { packageVersion } from '../../package-version.js'
import { openRecord } from './record-source.js'
import type { RecordSource } from './record-source.js'
import { jsonArray, listColumns, listText, statsText, visible } from './audit-text.js'

export type { AuditCommandDeps, CommonFlags } from './record-deps.js'

export interface FilterFlags extends CommonFlags {
  readonly since?: string
  readonly until?: string
  readonly provider?: string
  readonly session?: string
  readonly decision?: string
  readonly device?: string
  readonly endpoint?: string
  readonly outcome?: string
  readonly model?: string
  readonly policy?: string
  readonly id?: string
  readonly code?: string
  readonly text?: string
}

const MOST_LISTED = 10_000
const MOST_DAYS = 36_500

/** Its actions throw YoriError; the caller prints one line and chooses the exit code. */
export function auditCommand(deps: AuditCommandDeps): Command {
  const command = new Command('audit').description('look into what YORI recorded')
  filtered(command.command('list'))
    .description('exchanges, newest first')
    .option('--limit <number>', 'how many at most', upTo(MOST_LISTED), 50)
    .action((flags: FilterFlags & { limit: number }) => list(deps, flags))
  addShow(command, deps)
  filtered(command.command('stats'))
    .description('counts by outcome, endpoint, device, model and coverage')
    .action((flags: FilterFlags) => showStats(deps, flags))
  filtered(command.command('export'))
    .description('every exchange that fits, oldest first, in the form of another tool')
    .addOption(
      new Option('--format <format>', 'what to write').choices(FORMATS).default('csv'),
    )
    .option(
      '--columns <names>',
      'which columns of audit_events, with commas between (csv, jsonl)',
    )
    .option('--out <file>', 'write to this file (0600) instead of the standard output')
    .action((flags: ExportFlags) => exportRows(deps, flags))
  addVerify(command, deps)
  common(command.command('prune'))
    .description('delete old rows now, as the daily pruning does')
    .option(
      '--older-than <days>',
      'days to keep instead of audit.retention_days',
      upTo(MOST_DAYS),
    )
    .option('--dry-run', 'only say how many rows would go')
    .action((flags: PruneFlags) => pruneNow(deps, flags))
  return command
}

export const common = (command: Command): Command =>
  command
    .option('--config <file>', 'the configuration that names the database')
    .option('--json', 'for programs')

export const filtered = (command: Command): Command =>
  common(command)
    .option(
      '--since <when>',
      'a span such as 24h or 7d, or a date in enforcement.timezone',
    )
    .option('--until <when>', 'before that moment: 24h for a day ago, or such a date')
    .option(
      '--device <device>',
      'an IP address, MAC address, host name, or program of this machine',
    )
    .option('--endpoint <domain>', 'the endpoint that was asked, or a part of its name')
    .option('--provider <name>', 'a provider, as `yori providers list` has it')
    .option('--model <name>', 'a model, or a part of its name')
    .option('--session <id>', 'a conversation')
    .option('--policy <name>', 'the policy that decided')
    .addOption(
      new Option('--decision <decision>', 'what the policies said').choices([
        'allow',
        'alert',
        'deny',
      ]),
    )
    .option('--id <id>', 'one request, by its id or the end of it')
    .option('--code <code>', 'an error, such as YORI_UPSTREAM_UNREACHABLE')
    .option('--text <words>', 'words of prompt, answer, path or reason, as far as kept')
    .addOption(
      new Option('--outcome <outcome>', 'how it ended; `request` is still open').choices([
        'response',
        'block',
        'error',
        'request',
      ]),
    )

export const upTo =
  (most: number) =>
  (text: string): number => {
    const count = Number(text)
    if (!/^\d{1,6}$/.test(text) || count > most)
      throw new InvalidArgumentError(`It is a whole number from 0 to ${most}.`)
    return count
  }

export function filterOf(
  flags: FilterFlags,
  deps: Pick<AuditCommandDeps, 'clock' | 'zone'>,
): Filter {
  const { since, until, id, ...rest } = flags
  const wall = { nowMs: deps.clock.now(), zone: () => deps.zone?.(flags.config) }
  const sinceMs = momentOf('--since', since, wall)
  const untilMs = momentOf('--until', until, wall)
  const { device, endpoint, outcome, model, policy, code, text } = rest
  const { provider, session, decision } = rest
  return {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(device === undefined ? {} : { device }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(provider === undefined ? {} : { provider }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(model === undefined ? {} : { model }),
    ...(session === undefined ? {} : { session }),
    ...(policy === undefined ? {} : { policy }),
    ...(decision === undefined ? {} : { decision }),
    ...(id === undefined ? {} : { id }),
    ...(code === undefined ? {} : { code }),
    ...(text === undefined ? {} : { text }),
  }
}

/** @throws YORI_CONFIG_INVALID */
function momentOf(
  flag: string,
  text: string | undefined,
  { nowMs, zone }: { nowMs: number; zone: () => string | undefined },
) {
  if (text === undefined) return undefined
  const moment = parseSince(text, nowMs, zone())
  if (moment === undefined)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `${flag} ${printable(text)}: neither a span such as 24h nor a date such as 2026-01-31`,
    )
  return moment
}

async function list(
  deps: AuditCommandDeps,
  flags: FilterFlags & { limit: number },
): Promise<void> {
  const filter = filterOf(flags, deps)
  using reader = await openRecord(deps, flags)
  const json = flags.json === true
  const rows = await reader.list(
    await shownTo(reader, filter),
    flags.limit,
    json ? reader.columns : listColumns,
  )
  await print(
    deps,
    json ? jsonArray(rows) : listText([...rows], deps.zone?.(flags.config)),
  )
}

/** What a block page shows as its code is a request, too. */
async function shownTo(
  reader: RecordSource,
  { code, ...filter }: Filter,
): Promise<Filter> {
  if (code === undefined) return filter
  const id = await requestOfCode(reader, code)
  return id === undefined ? { ...filter, code } : { ...filter, id }
}

async function showStats(deps: AuditCommandDeps, flags: FilterFlags): Promise<void> {
  const filter = filterOf(flags, deps)
  using reader = await openRecord(deps, flags)
  const stats = await reader.stats(filter)
  await print(deps, flags.json === true ? [`${jsonLine(stats)}\n`] : statsText(stats))
}

interface ExportFlags extends FilterFlags {
  readonly format: Format
  readonly columns?: string
  readonly out?: string
}

async function exportRows(deps: AuditCommandDeps, flags: ExportFlags): Promise<void> {
  const filter = filterOf(flags, deps)
  const { database } = await deps.auditOptions(flags.config)
  using reader = openReader(database)
  deps.note?.('yori: told from the files\n')
  const format = flags.json === true ? 'jsonl' : flags.format
  if (flags.columns !== undefined && !BY_COLUMN.has(format))
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `--columns: ${format} has members of its own; choose columns of csv or jsonl`,
    )
  const columns = chosenColumns(flags.columns, reader.columns)
  const rows = counted(reader.each(filter, columns), deps, reader.count(filter))
  const lines = exportLines(format, rows, { columns, version: packageVersion() })
  if (flags.out !== undefined) return await toFile(flags.out, lines)
  await print(deps, deps.stdout.isTTY === true ? visible(lines) : lines)
}

/** Under its name only when it is whole: a full disk or Ctrl-C leaves what was there before. */
async function toFile(file: string, lines: Iterable<string>): Promise<void> {
  const partial = `${file}.partial`
  try {
    await pipeline(pieces(lines), createWriteStream(partial, { mode: 0o600 }))
    renameSync(partial, file)
  } catch (cause) {
    rmSync(partial, { force: true })
    throw cause
  }
}

/** A stream of single lines costs several times what the lines do. */
function* pieces(lines: Iterable<string>): Iterable<string> {
  let piece = ''
  for (const line of lines) {
    piece += line
    if (piece.length < PIECE_LENGTH) continue
    yield piece
    piece = ''
  }
  yield piece
}

/** Tells how far it is. */
function* counted(
  rows: Iterable<Listed>,
  deps: AuditCommandDeps,
  total: number,
): Iterable<Listed> {
  let done = 0
  for (const row of rows) {
    yield row
    if (++done % ROWS_A_WORD === 0) deps.progress?.(done, total)
  }
}

const ROWS_A_WORD = 1000

function chosenColumns(
  wanted: string | undefined,
  known: readonly string[],
): readonly string[] {
  if (wanted === undefined) return known
  const chosen = wanted.split(',').map((name) => name.trim())
  for (const name of chosen)
    if (!known.includes(name))
      throw new YoriError(
        'YORI_CONFIG_INVALID',
        `--columns: no ${printable(name)}; there are ${known.join(', ')}`,
      )
  return chosen
}

interface PruneFlags extends CommonFlags {
  readonly olderThan?: number
  readonly dryRun?: boolean
}

async function pruneNow(deps: AuditCommandDeps, flags: PruneFlags): Promise<void> {
  const options = await deps.auditOptions(flags.config)
  const days = flags.olderThan ?? options.retentionDays
  const cutoff =
    flags.olderThan === 0 ? deps.clock.now() : cutoffMs(deps.clock.now(), days)
  const dryRun = flags.dryRun === true
  const db = openDatabase(options.database, dryRun)
  try {
    if (dryRun) {
      const older = cutoff === undefined ? nothing : countOlder(db, cutoff)
      return await print(deps, prunedText(older, flags))
    }
    const request = { cutoffMs: cutoff, maxBytes: options.maxBytes }
    const chain = hasChain(db) ? new ChainWriter(db, options.database) : undefined
    const steps = prune(db, request, chain)
    let step = steps.next()
    while (step.done !== true) {
      await new Promise((resolve) => setImmediate(resolve))
      step = steps.next()
    }
    await print(deps, prunedText(step.value, flags))
  } catch (cause) {
    throw unavailable(options.database, cause)
  } finally {
    db.close()
  }
}

type Gone = Omit<Pruned, 'longestMs'>
const nothing: Gone = { exchanges: 0, connections: 0, events: 0 }

function prunedText(
  { exchanges, connections, events }: Gone,
  flags: PruneFlags,
): string[] {
  if (flags.json === true)
    return [
      `${JSON.stringify({ dryRun: flags.dryRun === true, exchanges, connections, events })}\n`,
    ]
  const verb = flags.dryRun === true ? 'would delete' : 'deleted'
  return [
    `${verb} ${exchanges} exchanges, ${connections} connections, ${events} events\n`,
  ]
}

/** Pieces are gathered to this length before they are written. */
const PIECE_LENGTH = 16 * 1024

/** Writes with back-pressure; a reader that leaves (`| head`) ends it quietly. */
export async function print(
  { stdout }: Pick<AuditCommandDeps, 'stdout'>,
  lines: Iterable<string>,
): Promise<void> {
  const ignore = (): void => undefined // the callback of the write tells first
  stdout.on('error', ignore)
  try {
    for (const piece of pieces(lines)) await write(stdout, piece)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EPIPE'))
      throw cause
  } finally {
    stdout.off('error', ignore)
  }
}

const write = (stdout: Writable, piece: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stdout.write(piece, (cause) => (cause ? reject(cause) : resolve()))
  })
