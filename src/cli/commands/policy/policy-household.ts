/**
 * `yori policy list | diff | suggest`: the policies of a configuration, and what they would
 * make of the household's record.
 */
import type { Command } from 'commander'
import { jsonLine, printable } from '../../../audit/printable.js'
import type { Clock } from '../../../core/clock.js'
import { momentText, recordedMs } from '../../../core/moment-text.js'
import { loadPolicySet } from '../../../assembly/from-config/policy-set.js'
import type { LoadedPolicy, PolicySet } from '../../../assembly/from-config/policy-set.js'
import type { Loaded } from '../../context.js'
import { changedPolicies } from '../../../replay/policy-changes.js'
import { questionOf } from '../../../replay/diff-question.js'
import type { DiffQuestion } from '../../../replay/diff-question.js'
import { diffPolicies } from '../../../replay/policy-diff.js'
import type { DiffPlace, DiffReport } from '../../../replay/policy-diff.js'
import { forgetPlace, keepPlace, placeIn } from './policy-diff-place.js'
import { suggestPolicies } from './policy-suggest.js'
import type { SuggestReport, Suggestion } from './policy-suggest.js'
import { table } from '../../print-table.js'

export interface PolicyHouseholdDeps {
  readonly load: (configPath: string | undefined) => Loaded
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly clock: Clock
  /** Progress is for people who look. */
  readonly isWatched: boolean
  /** Calls back at Ctrl-C, until it is disposed. */
  readonly onInterrupt: (interrupted: () => void) => Disposable
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly json?: true
}

interface DiffFlags extends Flags {
  readonly since: string
  readonly policies?: string
  readonly set: string[]
  readonly resume?: true
}

const INTERRUPTED = 130
const PROGRESS_MS = 1000

export function addHouseholdCommands(command: Command, deps: PolicyHouseholdDeps): void {
  common(command.command('list'))
    .description('the policies of the configuration, and what each may do')
    .action((flags: Flags) => list(deps, flags))
  common(command.command('diff'))
    .description('what a change would have decided otherwise in what was recorded')
    .option('--since <when>', 'from then on: 30d, 24h, 2026-03-01', '30d')
    .option('--policies <folder>', 'with the policies of this folder')
    .option(
      '--set <change>',
      'with this change, such as bedtime.action=block; may be given again',
      (change: string, before: string[]) => [...before, change],
      [],
    )
    .option('--resume', 'go on where the same question was interrupted')
    .action((flags: DiffFlags) => diff(deps, flags))
  common(command.command('suggest'))
    .description('ready-made policies that the record calls for, with the evidence')
    .option('--since <when>', 'from then on: 30d, 24h, 2026-03-01', '30d')
    .action((flags: Flags & { since: string }) => suggest(deps, flags))
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration')
    .option('--json', 'for programs')
}

async function list(deps: PolicyHouseholdDeps, flags: Flags): Promise<void> {
  const { policies: config } = deps.load(flags.config).config
  deps.note('yori: told from the files\n')
  const set = await loadPolicySet(config, deps.clock)
  const all = listed(set, (name) => config.files[name])
  if (flags.json === true) {
    const told = { policies: all, unknown: set.unknown, ...bundleShape(set) }
    deps.print(`${jsonLine(told)}\n`)
    return
  }
  const rows = all.map((one) => [
    one.name,
    one.action,
    one.fail_mode,
    String(one.order),
    one.judgesByName ? 'yes' : 'no',
    one.source,
    one.description,
  ])
  const head = ['policy', 'action', 'fails', 'order', 'by name', 'from', 'what it does']
  for (const line of table(head, rows)) deps.print(line)
  for (const name of set.unknown)
    deps.print(
      set.bundle === undefined
        ? `${printable(name)}: no policy of that name\n`
        : `${printable(name)}: no bundle has brought it yet\n`,
    )
  if (set.bundle !== undefined) deps.print(bundleLine(set.bundle))
}

function bundleShape({ bundle }: PolicySet): object {
  switch (bundle?.kind) {
    case undefined:
      return {}
    case 'ok': {
      const { revision, roots, isSigned } = bundle.bundle
      const { downloaded } = bundle.head
      return { bundle: { revision, roots, verified: isSigned, downloaded } }
    }
    case 'bad':
      return { bundle: { reason: bundle.reason } }
    default:
      return { bundle: null }
  }
}

function bundleLine(bundle: NonNullable<PolicySet['bundle']>): string {
  switch (bundle.kind) {
    case 'ok': {
      const { revision, isSigned } = bundle.bundle
      const verified = isSigned ? ', signature verified' : ''
      return `bundle: revision ${printable(revision) || '(none)'}${verified}, since ${bundle.head.downloaded}\n`
    }
    case 'bad':
      return `bundle: not used: ${printable(bundle.reason)}\n`
    default:
      return 'bundle: none has come yet\n'
  }
}

function listed(
  { policies }: PolicySet,
  settingOf: (
    name: string,
  ) => { action: string; fail_mode: string; order: number } | undefined,
) {
  const one = ({ policy, file, shipped }: LoadedPolicy) => {
    const { name, description, readsContent, judgesByName, parameters } = policy
    const { action = 'alert', fail_mode = 'open', order = 100 } = settingOf(name) ?? {}
    const source = shipped ? 'YORI' : file.name
    return {
      name,
      action,
      fail_mode,
      order,
      source,
      description,
      readsContent,
      judgesByName,
      reads: [...policy.reads.input].sort(),
      parameters,
    }
  }
  return policies.map(one).sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))
}

async function diff(deps: PolicyHouseholdDeps, flags: DiffFlags): Promise<void> {
  const { config } = deps.load(flags.config)
  const changed = changedPolicies(config.policies, {
    set: flags.set,
    directory: flags.policies,
  })
  const { since } = flags
  const { state_dir: stateDir } = config
  deps.note('yori: told from the files\n')
  const goOn =
    flags.resume === true
      ? await placeToGoOn(deps, { config, changed, since, clock: deps.clock })
      : undefined
  const { place, ...report } = await interruptible(deps, (interrupted) =>
    diffPolicies({
      ...{ config, changed, since, goOn, interrupted },
      clock: deps.clock,
      progress: progressOf(deps),
    }),
  )
  if (place === undefined) forgetPlace(stateDir)
  else if (keepPlace(stateDir, place))
    deps.note('yori: the same command with --resume goes on there\n')
  else deps.note(`yori: ${stateDir} cannot be written: nothing to resume\n`)
  deps.print(flags.json === true ? `${jsonLine(report)}\n` : diffText(report))
  if (config.mode !== 'enforce' && flags.json !== true) {
    deps.note(`yori: mode is ${config.mode}: nothing is blocked until it is enforce\n`)
  }
  if (report.interrupted) deps.exit(INTERRUPTED)
}

async function placeToGoOn(
  { note }: PolicyHouseholdDeps,
  options: DiffQuestion,
): Promise<DiffPlace | undefined> {
  const place = placeIn(options.config.state_dir)
  if (place?.question !== (await questionOf(options))) {
    note('yori: no run of this question was interrupted: it begins at the beginning\n')
    return undefined
  }
  note(`yori: goes on after ${place.found.rows} requests\n`)
  return place
}

async function interruptible<Result>(
  deps: PolicyHouseholdDeps,
  work: (interrupted: () => boolean) => Promise<Result>,
): Promise<Result> {
  let isInterrupted = false
  using _watch = deps.onInterrupt(() => {
    isInterrupted = true
  })
  return await work(() => isInterrupted)
}

function progressOf({ clock, note, isWatched }: PolicyHouseholdDeps) {
  let toldAt = clock.monotonic()
  return (rows: number, all: number): void => {
    if (!isWatched || clock.monotonic() - toldAt < PROGRESS_MS) return
    toldAt = clock.monotonic()
    note(`yori: ${rows} of ${Math.max(rows, all)} rows so far\n`)
  }
}

function diffText(report: DiffReport): string {
  const { rows, same, flipped, unknown, flips, unknownBy } = report
  const lines = [
    ...(report.interrupted ? ['interrupted: this is what was seen until then\n'] : []),
    `${rows} requests: ${flipped} would be decided otherwise, ${same} as before, ${unknown} unknown\n`,
  ]
  if (flips.length > 0) {
    const head = ['device', 'policy', 'from', 'to', 'requests', 'first', 'last', 'why']
    const cells = flips.map(
      ({ device, policy, from, to, count, first, last, reason }) => [
        printable(device),
        policy,
        from,
        to,
        String(count),
        first.slice(0, 16),
        last.slice(0, 16),
        printable(reason),
      ],
    )
    lines.push('\n', ...table(head, cells))
  }
  if (unknown > 0) {
    lines.push(
      '\nunknown, because the record does not hold what these policies look at:\n',
    )
    for (const [policy, count] of Object.entries(unknownBy)) {
      lines.push(`  ${printable(policy)}: ${count}\n`)
    }
  }
  return lines.join('')
}

async function suggest(
  deps: PolicyHouseholdDeps,
  flags: Flags & { since: string },
): Promise<void> {
  const { config } = deps.load(flags.config)
  const { since } = flags
  const { clock } = deps
  deps.note('yori: told from the files\n')
  const report = await interruptible(deps, (interrupted) =>
    suggestPolicies({ config, since, clock, interrupted }),
  )
  deps.print(
    flags.json === true
      ? `${jsonLine(report)}\n`
      : suggestText(report, since, config.enforcement.timezone),
  )
}

function suggestText(
  { rows, suggestions, inForce }: SuggestReport,
  since: string,
  zone: string | undefined,
): string {
  const known = inForce.length === 0 ? '' : ` In force already: ${inForce.join(', ')}.`
  if (suggestions.length === 0) {
    return `Nothing in ${rows} requests calls for a further policy.${known}\n`
  }
  const parts = suggestions.map((one) => suggestionText(one, since, zone))
  return `What ${rows} requests call for.${known}\n\n${parts.join('\n')}`
}

function suggestionText(
  one: Suggestion,
  since: string,
  zone: string | undefined,
): string {
  const { policy, requests, denied, days, devices, first, last, reason, unknown } = one
  const who = devices
    .slice(0, 5)
    .map(({ name, count }) => `${printable(name)} (${count})`)
    .join(', ')
  return [
    `${policy}: ${one.description}`,
    `  would have spoken on ${requests} requests (denied ${denied}) on ${days} days,`,
    `  ${momentText(recordedMs(first), zone)} to ${momentText(recordedMs(last), zone)}, most often: ${printable(reason)}`,
    `  devices: ${who}`,
    ...(unknown === 0 ? [] : [`  ${unknown} further requests could not be judged`]),
    `  policies: {files: {${policy}: {action: alert}}}`,
    `  look first: yori policy diff --since ${since} --set ${policy}.action=block`,
    '',
  ].join('\n')
}
