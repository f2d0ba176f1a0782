/** `yori time`: times in which nothing is blocked, and times in which everything is. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { usage } from '../../usage.js'
import type { PolicyDatabase } from '../../../household/policy-database.js'
import {
  isWithin,
  LocalTimes,
  minutesOf,
  timeText,
  weekdayOf,
} from '../../../policy/local-time.js'
import type { Weekday } from '../../../policy/local-time.js'
import type { TimeException, TimeRule } from '../../../policy/state.js'
import { listsOf } from '../../../assembly/from-config/policies.js'
import type { Loaded } from '../../context.js'
import {
  common,
  commaList,
  decline,
  deviceOf,
  inFile,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'

const ACTIONS = ['allow', 'block', 'alert', 'log'] as const
const DEFAULT_PRIORITY = 100
const MAX_PRIORITY = 100_000

export function timeCommand(deps: PolicyStateDeps): Command {
  const command = new Command('time').description('times that allow, block or alert')
  common(command.command('add'))
    .description('add a time, or change the one of that name')
    .argument('<name>', 'what the household calls it')
    .requiredOption('--start <HH:MM>', 'from')
    .requiredOption('--end <HH:MM>', 'until, not included; before the start: overnight')
    .option('--days <days>', 'on which it opens, such as mon,tue,fri; none: every day')
    .option('--devices <list>', 'IP or MAC addresses; without devices and groups: all')
    .option('--groups <list>', 'groups of the allowlist')
    .option('--timezone <zone>', 'such as Europe/Berlin; else enforcement.timezone')
    .addOption(
      new Option('--action <action>', 'allow is an exception; the others are rules')
        .choices(ACTIONS)
        .default('allow'),
    )
    .option('--priority <number>', 'of a rule: the lowest decides', priorityOf)
    .option('--description <text>', 'for people')
    .action((name: string, flags: AddFlags) => add(deps, name, flags))
  common(command.command('remove'))
    .description('remove a time that was added here')
    .argument('<name>', 'its name')
    .action((name: string, flags: CommonFlags) => remove(deps, name, flags))
  common(command.command('list'))
    .description('every time, of the configuration and of this command')
    .action((flags: CommonFlags) => list(deps, flags))
  return command
}

interface AddFlags extends CommonFlags {
  readonly start: string
  readonly end: string
  readonly days?: string
  readonly devices?: string
  readonly groups?: string
  readonly timezone?: string
  readonly action: (typeof ACTIONS)[number]
  readonly priority?: number
  readonly description?: string
}

function add(deps: PolicyStateDeps, name: string, flags: AddFlags): void {
  const { action, priority } = flags
  if (action === 'allow' && priority !== undefined) usage('--priority is for rules.')
  const exception = exceptionOf(name, flags)
  using session = openSession(deps, flags)
  const { database, nowMs, actor } = session
  const kept = { key: name, addedAt: nowMs, addedBy: actor }
  if (action === 'allow') {
    database.remove('rule', name)
    database.put('exception', { ...kept, value: exception })
  } else {
    const value = { ...exception, action, priority: priority ?? DEFAULT_PRIORITY }
    database.remove('exception', name)
    database.put('rule', { ...kept, value })
  }
  const { start, end, description } = flags
  const details = { ...exception, action, start, end, description, priority }
  session.audit({ kind: 'time_added', details })
  if (flags.json === true) printJson(deps, { ...exception, action, start, end })
  else deps.print(`added ${name}: ${start} to ${end}, ${action}\n`)
}

function exceptionOf(name: string, flags: AddFlags): TimeException {
  const start = clockOf(flags.start)
  const end = clockOf(flags.end)
  if (start === end) usage('Start and end are the same: no time at all.')
  if (start === 24 * 60) usage('A time starts at 23:59 at the latest.')
  const devices = commaList(flags.devices).map(deviceOf)
  const { timezone } = flags
  if (timezone !== undefined) checkZone(timezone)
  return {
    name,
    enabled: true,
    start,
    end,
    days: commaList(flags.days).map(dayOf),
    ips: devices.flatMap((device) => ('ip' in device ? [device.ip] : [])),
    macs: devices.flatMap((device) => ('mac' in device ? [device.mac] : [])),
    groups: commaList(flags.groups),
    ...(timezone === undefined ? {} : { zone: timezone }),
  }
}

function remove(deps: PolicyStateDeps, name: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  const { database, loaded } = session
  if (database.remove('exception', name) || database.remove('rule', name)) {
    session.audit({ kind: 'time_removed', details: { name } })
    if (flags.json === true) printJson(deps, { removed: name })
    else deps.print(`removed ${name}\n`)
    return
  }
  const { exceptions } = listsOf(loaded.config)
  const index = exceptions.findIndex((exception) => exception.name === name)
  if (index >= 0) throw inFile(loaded, `enforcement.allowlist.time_exceptions[${index}]`)
  decline(deps, `no time of the name ${name}`)
}

function list(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const entries = entriesOf(session.loaded, session.database, session.nowMs)
  if (flags.json === true) {
    printJson(deps, entries)
    return
  }
  const rows = entries.map((entry) => [
    entry.state,
    entry.name,
    entry.action,
    `${entry.start} to ${entry.end}`,
    entry.days.length === 0 ? 'every day' : entry.days.map(short).join(','),
    [...entry.ips, ...entry.macs, ...entry.groups].join(', ') || 'all devices',
    entry.zone ?? '',
    entry.line === undefined ? entry.source : `${entry.source}, line ${entry.line}`,
  ])
  const head = ['STATE', 'NAME', 'ACTION', 'TIME', 'DAYS', 'FOR', 'ZONE', 'SOURCE']
  deps.print(rows.length === 0 ? 'no times\n' : tableText([head, ...rows]))
}

interface Source {
  readonly source: 'config' | 'database'
  readonly line?: number
}

type Shown = Omit<TimeException, 'start' | 'end'> &
  Source & {
    readonly state: 'ACTIVE NOW' | 'ENABLED' | 'DISABLED'
    readonly action: (typeof ACTIONS)[number]
    readonly start: string
    readonly end: string
  }

function entriesOf(loaded: Loaded, database: PolicyDatabase, nowMs: number): Shown[] {
  const times = new LocalTimes()
  const { timezone } = loaded.config.enforcement
  const shown = (time: TimeException | TimeRule, source: Source): Shown => {
    const now = isWithin(time, times.at(nowMs, time.zone ?? timezone))
    return {
      state: !time.enabled ? 'DISABLED' : now ? 'ACTIVE NOW' : 'ENABLED',
      action: 'allow',
      ...time,
      start: timeText(time.start),
      end: timeText(time.end),
      ...source,
    }
  }
  const file = listsOf(loaded.config).exceptions.map((exception, index) => {
    const line = loaded.lineOf(`enforcement.allowlist.time_exceptions[${index}]`)
    return shown(exception, {
      source: 'config',
      ...(line === undefined ? {} : { line }),
    })
  })
  const kept = [...database.list('exception'), ...database.list('rule')]
  return [...file, ...kept.map(({ value }) => shown(value, { source: 'database' }))]
}

function priorityOf(text: string): number {
  const value = Number(text)
  if (/^\d{1,6}$/.test(text) && value <= MAX_PRIORITY) return value
  throw new InvalidArgumentError(`It is a whole number from 0 to ${MAX_PRIORITY}.`)
}

function clockOf(text: string): number {
  return minutesOf(text) ?? usage(`${text} is not a time of day such as 07:30.`)
}

function dayOf(text: string): Weekday {
  return weekdayOf(text) ?? usage(`${text} is not a day.`)
}

function checkZone(zone: string): void {
  try {
    new LocalTimes().at(0, zone)
  } catch {
    usage(`${zone} is not a time zone that this system knows.`)
  }
}

function short(day: Weekday): string {
  return day.slice(0, 3)
}
