/** `yori allowlist`: devices that nothing blocks, or, in blocklist mode, that policies hold for. */
import { Command } from 'commander'
import { usage } from '../../usage.js'
import type { PolicyDatabase } from '../../../household/policy-database.js'
import { DeviceBook, isActive } from '../../../policy/devices.js'
import { united } from '../../../policy/state.js'
import type { ListedDevice } from '../../../policy/state.js'
import { listsOf } from '../../../assembly/from-config/policies.js'
import type { Loaded } from '../../context.js'
import {
  common,
  decline,
  deviceOf,
  inFile,
  macOf,
  momentOf,
  wallText,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'

export function allowlistCommand(deps: PolicyStateDeps): Command {
  const command = new Command('allowlist').description(
    'devices that policies never block',
  )
  common(command.command('add'))
    .description('add a device, or change its entry')
    .argument('<device>', 'its IP or MAC address')
    .argument('<name>', 'what the household calls it')
    .option('--mac <mac>', 'then address and MAC must both match')
    .option('--permanent', 'holds whatever happens')
    .option('--group <name>', 'the group that it belongs to')
    .option(
      '--expires <when>',
      'a span such as 1h, 1d or 7d, or a date in enforcement.timezone',
    )
    .option('--notes <text>', 'for people')
    .action((device: string, name: string, flags: AddFlags) =>
      add(deps, { device, name }, flags),
    )
  common(command.command('remove'))
    .description('remove an entry that was added here')
    .argument('<device>', 'its IP or MAC address')
    .action((device: string, flags: CommonFlags) => remove(deps, device, flags))
  common(command.command('list'))
    .description('every entry, of the configuration and of this command')
    .action((flags: CommonFlags) => list(deps, flags))
  common(command.command('check'))
    .description('exit code 0 when the device is on the list now, 1 when it is not')
    .argument('<ip>', 'its IP address')
    .option('--mac <mac>', 'its MAC address; unless given, the neighbour table is asked')
    .action((ip: string, flags: CommonFlags & { mac?: string }) => check(deps, ip, flags))
  return command
}

interface AddFlags extends CommonFlags {
  readonly mac?: string
  readonly permanent?: boolean
  readonly group?: string
  readonly expires?: string
  readonly notes?: string
}

const MAX_TEXT = 128

async function add(
  deps: PolicyStateDeps,
  what: { device: string; name: string },
  flags: AddFlags,
): Promise<void> {
  const { name } = what
  if (name === '' || name.length > MAX_TEXT)
    usage(`A name has 1 to ${MAX_TEXT} characters.`)
  if (flags.permanent === true && flags.expires !== undefined) {
    usage('--permanent and --expires exclude each other.')
  }
  const device = deviceOf(what.device)
  if ('mac' in device && flags.mac !== undefined) usage('The device is a MAC already.')
  const mac = 'mac' in device ? device.mac : flags.mac && macOf(flags.mac)
  using session = openSession(deps, flags)
  const boundMac =
    'ip' in device && mac === undefined
      ? (await deps.neighbours()).get(device.ip)
      : undefined
  const { nowMs, actor, database } = session
  const entry: ListedDevice = {
    name,
    enabled: true,
    permanent: flags.permanent === true,
    ...('ip' in device ? { ip: device.ip } : {}),
    ...(mac === undefined || mac === '' ? {} : { mac }),
    ...(boundMac === undefined ? {} : { boundMac }),
    ...(flags.group === undefined ? {} : { group: flags.group }),
    ...(flags.notes === undefined ? {} : { notes: flags.notes }),
    ...(flags.expires === undefined
      ? {}
      : { expiresAt: momentOf(flags.expires, session) }),
  }
  const key = keyOf(entry)
  database.put('device', { key, value: entry, addedAt: nowMs, addedBy: actor })
  session.audit({ kind: 'allowlist_added', details: { ...entry } })
  if (flags.json === true) printJson(deps, shown(entry, nowMs, { source: 'database' }))
  else {
    const bound = boundMac === undefined ? '' : `, while it has the MAC ${boundMac}`
    deps.print(`added ${name} (${key}${bound})\n`)
  }
}

function remove(deps: PolicyStateDeps, text: string, flags: CommonFlags): void {
  const device = deviceOf(text)
  const key = 'ip' in device ? device.ip : device.mac
  using session = openSession(deps, flags)
  const { database, loaded } = session
  if (database.remove('device', key)) {
    session.audit({ kind: 'allowlist_removed', details: { device: key } })
    if (flags.json === true) printJson(deps, { removed: key })
    else deps.print(`removed ${key}\n`)
    return
  }
  const index = listsOf(loaded.config).devices.findIndex((entry) => keyOf(entry) === key)
  if (index >= 0) throw inFile(loaded, `enforcement.allowlist.devices[${index}]`)
  decline(deps, `no entry for ${key}`)
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
    entry.ip ?? '',
    entry.mac ?? (entry.boundMac === undefined ? '' : `(${entry.boundMac})`),
    entry.group ?? '',
    entry.expiresAt === undefined ? '' : wallText(Date.parse(entry.expiresAt), session),
    entry.line === undefined ? entry.source : `${entry.source}, line ${entry.line}`,
  ])
  const head = ['STATE', 'NAME', 'IP', 'MAC', 'GROUP', 'EXPIRES', 'SOURCE']
  deps.print(rows.length === 0 ? 'no entries\n' : tableText([head, ...rows]))
}

async function check(
  deps: PolicyStateDeps,
  text: string,
  flags: CommonFlags & { mac?: string },
): Promise<void> {
  const device = deviceOf(text)
  if (!('ip' in device)) usage(`${text} is not an IP address.`)
  const { ip } = device
  const mac =
    flags.mac === undefined ? (await deps.neighbours()).get(ip) : macOf(flags.mac)
  using session = openListing(deps, flags)
  const { loaded, database, nowMs } = session
  const state = united(listsOf(loaded.config), database.state(nowMs))
  const book = new DeviceBook(state, new Map())
  const who = { ip, ...(mac === undefined ? {} : { mac }) }
  const allowance = book.allowance(who, nowMs)
  const listed = allowance.kind === 'listed'
  if (flags.json === true) printJson(deps, { ...who, listed, ...allowance })
  else if (allowance.kind === 'listed')
    deps.print(`${ip} is listed as ${allowance.name}\n`)
  else if (allowance.kind === 'unlisted') deps.print(`${ip} is not listed\n`)
  else {
    const now = mac ?? 'no known MAC'
    deps.print(
      `${ip} is listed as ${allowance.name} for ${allowance.boundMac}, but has ${now} now\n`,
    )
  }
  deps.exit(listed ? 0 : 1)
}

function keyOf({ ip, mac }: ListedDevice): string {
  return ip ?? mac ?? ''
}

interface Source {
  readonly source: 'config' | 'database'
  readonly line?: number
}

type Shown = Omit<ListedDevice, 'expiresAt'> &
  Source & {
    readonly state: 'ENABLED' | 'DISABLED' | 'PERMANENT' | 'EXPIRED'
    readonly expiresAt?: string
  }

function entriesOf(loaded: Loaded, database: PolicyDatabase, nowMs: number): Shown[] {
  const file = listsOf(loaded.config).devices.map((entry, index) => {
    const line = loaded.lineOf(`enforcement.allowlist.devices[${index}]`)
    const source = { source: 'config', ...(line === undefined ? {} : { line }) } as const
    return shown(entry, nowMs, source)
  })
  const kept = database
    .list('device')
    .map(({ value }) => shown(value, nowMs, { source: 'database' }))
  return [...file, ...kept]
}

function shown(entry: ListedDevice, nowMs: number, source: Source): Shown {
  const { expiresAt, ...rest } = entry
  const state = entry.permanent
    ? 'PERMANENT'
    : !entry.enabled
      ? 'DISABLED'
      : isActive(entry, nowMs)
        ? 'ENABLED'
        : 'EXPIRED'
  return {
    state,
    ...rest,
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    ...source,
  }
}
