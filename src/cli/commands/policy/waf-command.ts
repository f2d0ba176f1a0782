/** `yori waf`: how the firewall stands, by which rules it looks, and how it is tuned. */
import type { Config } from '../../../../config/schema.js'
import {
  chosenVersion,
  chooseVersion,
  keepRules,
  keptFolder,
  keptVersions,
  lookAt,
} from '../../../waf/kept-rules.js'
import { Engine } from '../../../waf/libmodsecurity.js'
import { openJudge } from '../../../waf/open-judge.js'
import { findRuleSet, rulesOf } from '../../../waf/rule-set.js'
import { settingsAnyway } from '../../../waf/settings-of.js'
import { readState } from '../../../waf/state-file.js'
import { Command } from '../../commander.js'
import { cell, table } from '../../print-table.js'
import type { WafCommandDeps } from './waf-deps.js'
import { tuneCommand } from './waf-tune.js'

interface Flags {
  readonly config?: string
  readonly json?: boolean
}

export function wafCommand(deps: WafCommandDeps): Command {
  const command = new Command('waf').description(
    'a firewall for what is asked of models: its rules, and its tuning',
  )
  common(command.command('status'))
    .description('whether it looks, by which rules, and what came of it')
    .action((flags: Flags) => {
      status(deps, flags)
    })
  const rules = command.command('rules').description('the rule sets that there are')
  common(rules.command('list'))
    .description('the one of waf.rules, and those that were in use before')
    .action((flags: Flags) => list(deps, flags))
  common(rules.command('use'))
    .description('look by another version from now on; the one of now is kept')
    .argument('<version>', 'as `yori waf rules list` has it, or installed')
    .action((version: string, flags: Flags) => use(deps, version, flags))
  common(rules.command('add'))
    .description('keep the rule set of a folder beside the others')
    .argument('<folder>', 'of the OWASP Core Rule Set')
    .action((folder: string, flags: Flags) => add(deps, folder, flags))
  command.addCommand(tuneCommand(deps))
  return command
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration')
    .option('--json', 'for programs')
}

function status({ config, print, exit }: WafCommandDeps, flags: Flags): void {
  const { waf, state_dir: stateDir } = config(flags.config)
  const stood = readState(stateDir)
  if (flags.json === true) {
    const told = stood ?? { state: waf.enabled ? 'unknown' : 'off' }
    print(`${JSON.stringify({ enabled: waf.enabled, ...told })}\n`)
  } else if (stood === undefined)
    print(
      waf.enabled
        ? `no YORI runs it with ${cell(stateDir)}\n`
        : 'off: set waf.enabled to true\n',
    )
  else {
    const { state, since, version, rules, folder, why, fallback, restarts } = stood
    const { judged = 0, matched = 0, objected = 0 } = stood.counts ?? {}
    print(
      `${state} since ${new Date(since).toISOString()}${why === undefined ? '' : `: ${cell(why)}`}\n`,
    )
    if (version !== undefined)
      print(`rules  CRS ${cell(version)}, ${rules} rules, ${cell(folder ?? '')}\n`)
    if (stood.engine !== undefined) print(`engine ${cell(stood.engine)}\n`)
    if (fallback !== undefined) print(`rules of before, since: ${cell(fallback)}\n`)
    print(
      `${judged} requests judged, a rule matched in ${matched}, ${objected} objected to\n`,
    )
    if (restarts > 0) print(`started again ${restarts} times\n`)
  }
  if (waf.enabled && stood?.state !== 'running') exit(1)
}

interface Listed {
  readonly version: string
  readonly folder: string
  readonly rules: number
  readonly installed: boolean
  readonly chosen: boolean
  readonly in_use: boolean
}

async function listed(config: Config): Promise<Listed[]> {
  const { waf, state_dir: stateDir } = config
  const chosen = await chosenVersion(stateDir)
  const inUse = readState(stateDir)?.folder
  const kept = (await keptVersions(stateDir)).map((name) => keptFolder(stateDir, name))
  return [waf.rules, ...kept].flatMap((place) => {
    if (!('version' in lookAt(place))) return []
    const set = findRuleSet(place)
    const { version, folder } = set
    const installed = place === waf.rules
    return [
      {
        ...{ version, folder, rules: rulesOf(set).size, installed },
        chosen: installed ? chosen === undefined : chosen === version,
        in_use: inUse === folder,
      },
    ]
  })
}

async function list(
  { config, print, note }: WafCommandDeps,
  flags: Flags,
): Promise<void> {
  const whole = config(flags.config)
  const found = lookAt(whole.waf.rules)
  if ('why' in found) note(`yori: ${cell(found.why)}\n`)
  const rows = await listed(whole)
  if (flags.json === true) {
    print(`${JSON.stringify(rows)}\n`)
    return
  }
  if (rows.length === 0) print('there is none\n')
  const head = ['version', 'rules', 'is', 'folder']
  const lines = rows.map((one) => [
    ...[one.version, String(one.rules)],
    [
      ...(one.installed ? ['installed'] : ['kept']),
      ...(one.chosen ? ['chosen'] : []),
      ...(one.in_use ? ['in use'] : []),
    ].join(', '),
    cell(one.folder),
  ])
  for (const line of table(head, lines)) print(line)
}

async function use(deps: WafCommandDeps, version: string, flags: Flags): Promise<void> {
  const { config, print, clock } = deps
  const whole = config(flags.config)
  const { waf, state_dir: stateDir } = whole
  const installed = lookAt(waf.rules)
  const isInstalled =
    version === 'installed' || ('version' in installed && installed.version === version)
  const folder = isInstalled ? waf.rules : keptFolder(stateDir, version)
  try {
    // What is read without a fault here is read so by its process, too.
    openJudge(Engine.open(), { ...settingsAnyway(whole), rules: folder }, clock.now())
  } catch (cause) {
    fail(deps, flags, `${(cause as Error).message}; nothing was changed`)
    return
  }
  // The way back.
  if ('version' in installed) await keepRules(stateDir, findRuleSet(waf.rules))
  await chooseVersion(stateDir, isInstalled ? undefined : version)
  const { version: chosen } = findRuleSet(folder)
  const runs = readState(stateDir) !== undefined
  if (flags.json === true) print(`${JSON.stringify({ version: chosen, folder, runs })}\n`)
  else
    print(
      `CRS ${cell(chosen)} is chosen; ` +
        `${runs ? 'the running YORI takes it within seconds' : 'the next start takes it'}\n`,
    )
}

async function add(deps: WafCommandDeps, folder: string, flags: Flags): Promise<void> {
  const { config, print } = deps
  const { state_dir: stateDir } = config(flags.config)
  try {
    const set = findRuleSet(folder)
    await keepRules(stateDir, set)
    const told = { version: set.version, folder: keptFolder(stateDir, set.version) }
    if (flags.json === true) print(`${JSON.stringify(told)}\n`)
    else
      print(`CRS ${cell(set.version)} is kept; next: yori waf rules use ${set.version}\n`)
  } catch (cause) {
    fail(deps, flags, (cause as Error).message)
  }
}

function fail({ print, note, exit }: WafCommandDeps, flags: Flags, why: string): void {
  if (flags.json === true) print(`${JSON.stringify({ error: why })}\n`)
  else note(`yori: ${cell(why)}\n`)
  exit(1)
}
