/**
 * `yori waf tune`: which rules spoke on whom, out of the record, with the exclusion to paste; or,
 * with `--dry-run`, what other rules would say of recorded requests.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { openReader } from '../../../audit/queries.js'
import { parseSince } from '../../../audit/since.js'
import type { Listed } from '../../../audit/where.js'
import { bytesOf } from '../../../replay/recording.js'
import type { Recording } from '../../../replay/recording.js'
import { readRecordings } from '../../../replay/recording-files.js'
import type { JudgedHead, Judgement } from '../../../waf/judge.js'
import { Engine } from '../../../waf/libmodsecurity.js'
import { openJudge } from '../../../waf/open-judge.js'
import { rulesInUse } from '../../../waf/kept-rules.js'
import { settingsAnyway } from '../../../waf/settings-of.js'
import { exclusionText, Tuning } from '../../../waf/tuning.js'
import type { TuneReport } from '../../../waf/tuning.js'
import { Command } from '../../commander.js'
import { cell, table } from '../../print-table.js'
import { usage } from '../../usage.js'
import type { WafCommandDeps } from './waf-deps.js'

const COLUMNS = [
  'timestamp',
  'event_type',
  'device_ip',
  'device_mac',
  'device_hostname',
  'endpoint_domain',
  'http_path',
  'policy_name',
  'policy_decision',
  'policy_message',
] as const
/** Rows between two turns of the loop. */
const SLICE = 500
const MOST_SHOWN = 30

interface Flags {
  readonly config?: string
  readonly since: string
  readonly all?: boolean
  readonly dryRun?: string
  readonly recordings?: string
  readonly json?: boolean
}

export function tuneCommand(deps: WafCommandDeps): Command {
  return new Command('tune')
    .description(
      'which rules spoke on whom, and the exclusion that would keep them from it',
    )
    .option('--since <when>', 'such as 24h, 7d or a date', '7d')
    .option('--all', 'also what only gave a score')
    .option('--dry-run <folder>', 'ask the rules of that folder about --recordings')
    .option('--recordings <path>', 'a folder of recordings, or one, for --dry-run')
    .option('--config <file>', 'the configuration')
    .option('--json', 'for programs')
    .action((flags: Flags) => tune(deps, flags))
}

async function tune(deps: WafCommandDeps, flags: Flags): Promise<void> {
  if ((flags.dryRun === undefined) !== (flags.recordings === undefined))
    usage('--dry-run and --recordings go together: yori record --to DIR makes some')
  if (flags.dryRun !== undefined) await dryRun(deps, flags)
  else await fromRecord(deps, flags)
}

async function fromRecord(deps: WafCommandDeps, flags: Flags): Promise<void> {
  const { config, clock, print } = deps
  const settings = config(flags.config)
  const zone = settings.enforcement.timezone
  const sinceMs = parseSince(flags.since, clock.now(), zone)
  if (sinceMs === undefined)
    return usage(`--since ${flags.since} is neither a time such as 7d nor a date`)
  const tuning = new Tuning()
  using reader = openReader(settings.audit.database)
  let seen = 0
  for (const row of reader.each({ sinceMs }, COLUMNS)) {
    if (++seen % SLICE === 0) await turn()
    if (row['event_type'] === 'request' || row['policy_message'] === null) continue
    tuning.look({
      at: text(row, 'timestamp'),
      device: text(row, 'device_hostname') || text(row, 'device_ip'),
      host: text(row, 'endpoint_domain'),
      path: text(row, 'http_path'),
      note: text(row, 'policy_message'),
      isObjection: isObjection(row),
    })
  }
  const report = tuning.report(clock.now())
  if (flags.json === true) print(`${JSON.stringify(report)}\n`)
  else tell(deps, report, flags)
}

function tell({ print }: WafCommandDeps, report: TuneReport, flags: Flags): void {
  const { rows, objections, found, leftOut } = report
  print(
    `since ${cell(flags.since)}: a rule matched in ${rows} requests, ` +
      `${objections} of them blocked, or would have been\n`,
  )
  const shown = found.filter((one) => flags.all === true || one.objections > 0)
  if (shown.length === 0) {
    if (rows > 0) print('what matched only gave a score (--all shows it)\n')
    return
  }
  const head = ['rule', 'in', 'requests', 'blocked', 'devices', 'route']
  const lines = shown.slice(0, MOST_SHOWN).map((one) => [
    ...[String(one.rule), cell(one.where), String(one.requests), String(one.objections)],
    cell(
      one.devices
        .slice(0, 3)
        .map(({ name, count }) => `${name} (${count})`)
        .join(', '),
    ),
    cell(one.route),
  ])
  for (const line of table(head, lines)) print(line)
  if (shown.length > MOST_SHOWN) print(`and ${shown.length - MOST_SHOWN} more (--json)\n`)
  if (leftOut > 0) print(`${leftOut} more were not told apart\n`)
  const exclusions = shown
    .slice(0, MOST_SHOWN)
    .flatMap(({ exclusion }) => exclusion ?? [])
  if (exclusions.length === 0) return
  print('\nwhat of this is harmless, paste into the configuration:\n\n')
  print(
    `waf:\n  exclusions:\n${exclusions.map(exclusionText).map(cellLines).join('\n')}\n`,
  )
}

/** Lines, each safe to print. */
function cellLines(lines: string): string {
  return lines
    .split('\n')
    .map((line) => cell(line))
    .join('\n')
}

interface Change {
  readonly id: string
  readonly request: string
  readonly before: { readonly blocks: boolean; readonly rules: readonly number[] }
  readonly after: { readonly blocks: boolean; readonly rules: readonly number[] }
}

async function dryRun(deps: WafCommandDeps, flags: Flags): Promise<void> {
  const { config, clock, print, note, exit } = deps
  const whole = config(flags.config)
  const settings = settingsAnyway(whole)
  const rules = await rulesInUse(whole.state_dir, settings.rules)
  const { recordings, unread } = await readRecordings(flags.recordings ?? '')
  for (const { file, why } of unread) note(`yori: ${cell(file)}: ${cell(why)}\n`)
  let judges
  try {
    const engine = Engine.open()
    const open = (folder: string) =>
      openJudge(engine, { ...settings, rules: folder }, clock.now())
    judges = { before: open(rules), after: open(flags.dryRun ?? '') }
  } catch (cause) {
    note(`yori: ${cell((cause as Error).message)}\n`)
    exit(1)
    return
  }
  const { before, after } = judges
  const changes: Change[] = []
  const blocks = { before: 0, after: 0 }
  for (const recording of recordings) {
    await turn()
    const { head, body } = requestOf(recording)
    const first = saidOf(before.judge(head, body))
    const second = saidOf(after.judge(head, body))
    if (first.blocks) blocks.before++
    if (second.blocks) blocks.after++
    const isSame = first.rules.join() === second.rules.join()
    if (isSame && first.blocks === second.blocks) continue
    const request = `${head.method} ${recording.request.url}`
    changes.push({ id: recording.id, request, before: first, after: second })
  }
  const versions = { before: before.set.version, after: after.set.version }
  if (flags.json === true) {
    const told = { recordings: recordings.length, versions, blocks, changes }
    print(`${JSON.stringify(told)}\n`)
    return
  }
  print(
    `${recordings.length} recordings: CRS ${cell(versions.before)} blocks ${blocks.before}, ` +
      `CRS ${cell(versions.after)} would block ${blocks.after}\n`,
  )
  for (const { id, request, before: was, after: would } of changes)
    print(
      `${cell(id)} ${cell(request.slice(0, 120))}\n` +
        `  ${wordOf(was.blocks)} ${was.rules.join(' ') || '-'}\n` +
        `  ${wordOf(would.blocks)} ${would.rules.join(' ') || '-'}\n`,
    )
}

function wordOf(blocks: boolean): string {
  return blocks ? 'blocked' : 'passed '
}

function saidOf({ blocks, hits, textHits }: Judgement) {
  const rules = [...new Set([...hits, ...textHits].map(({ rule }) => rule))]
  return { blocks, rules: rules.toSorted((a, b) => a - b) }
}

function requestOf({ request, about }: Recording): {
  head: JudgedHead
  body: Buffer | undefined
} {
  const url = new URL(request.url)
  const headers: Record<string, string[]> = {}
  for (const [name, value] of request.fields)
    (headers[name.toLowerCase()] ??= []).push(value)
  const body = bytesOf(request.body)
  return {
    head: {
      ...{ method: request.method, uri: `${url.pathname}${url.search}`, headers },
      metadata: {
        protocol: `HTTP/${request.version.replace(/^HTTP\//, '')}`,
        server_name: url.host,
        ...(about.provider === undefined ? {} : { route_id: about.provider }),
      },
    },
    body: body.length === 0 ? undefined : body,
  }
}

/** Its word decided, or stands beside another's. */
function isObjection(row: Listed): boolean {
  if (row['policy_name'] === 'waf') return row['policy_decision'] !== 'allow'
  return /(?:^|; )waf: (?:block|alert|deny): /.test(text(row, 'policy_message'))
}

function text(row: Listed, column: (typeof COLUMNS)[number]): string {
  const value = row[column]
  return typeof value === 'string' ? value : ''
}
