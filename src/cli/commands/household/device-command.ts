/** `yori device`: what devices there are, what they are called, and whose they are. */
import { listedId, deviceId } from '../../../core/device-id.js'
import { Command } from 'commander'
import { momentText, untilText } from '../../../core/moment-text.js'
import { DeviceBook } from '../../../policy/devices.js'
import { united } from '../../../policy/state.js'
import { listsOf } from '../../../assembly/from-config/policies.js'
import { describeDevice } from '../../../household/people.js'
import type { Naming } from '../../../household/people.js'
import { describedAs } from '../../../household/roll.js'
import type { Described } from '../../../household/roll.js'
import {
  common,
  decline,
  openListing,
  openSession,
  printJson,
  tableText,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps, Session } from './household-database.js'
import { authorOf, orDecline, SEEN_DAYS, seenDevices, targetFor } from './target.js'

export function deviceCommand(deps: PolicyStateDeps): Command {
  const command = new Command('device').description(
    'what devices are called, and whose they are',
  )
  common(command.command('list'))
    .description(`devices of the last ${SEEN_DAYS} days, and all that have a name`)
    .action((flags: CommonFlags) => list(deps, flags))
  for (const [key, says, what] of [
    ['name', 'call a device something, everywhere; policies hold as before', 'its name'],
    ['group', 'put a device into a group, for policies and times', 'the group'],
    ['person', 'give a device to a person', 'whose it is; new people are made'],
  ] as const)
    common(command.command(key))
      .description(says)
      .argument('<device>', 'its MAC, address or name')
      .argument('[value]', what)
      .option('--none', 'take it away again')
      .action((device: string, value: string | undefined, flags: DescribeFlags) =>
        orDecline(deps, () => describe(deps, { device, key, value }, flags)),
      )
  return command
}

interface DescribeFlags extends CommonFlags {
  readonly none?: boolean
}

async function describe(
  deps: PolicyStateDeps,
  asked: { device: string; key: keyof Naming; value: string | undefined },
  flags: DescribeFlags,
): Promise<void> {
  const { device, key, value } = asked
  if ((value === undefined) !== (flags.none === true)) {
    decline(deps, `give a ${key}, or --none`)
    return
  }
  using session = openSession(deps, flags)
  const target = await targetFor(deps, session, device)
  if (target.kind !== 'device') {
    decline(deps, `${target.name} is a person, no device`)
    return
  }
  const change = { [key]: value ?? null }
  const { database } = session
  const known = describeDevice(database, target.place, change, authorOf(session))
  const id = target.place.mac ?? target.place.ip ?? ''
  session.audit({ kind: 'device_described', details: { device: id, ...change } })
  if (flags.json === true) {
    printJson(deps, { id, ...known })
    return
  }
  const { name, group, person } = known
  const says = [
    name ?? 'no name',
    ...(person === undefined ? [] : [`of ${person}`]),
    ...(group === undefined ? [] : [`in ${group}`]),
  ]
  deps.print(`${id}: ${says.join(', ')}\n`)
}

interface Line extends Described {
  readonly id: string
  readonly ip: string
  readonly hostname: string | null
  /** Null: not within those days. */
  readonly lastAt: string | null
  readonly connections: number
  readonly calls: number
}

function list(deps: PolicyStateDeps, flags: CommonFlags): void {
  using session = openListing(deps, flags)
  const lines = linesOf(session)
  if (flags.json === true) {
    printJson(
      deps,
      lines.map(({ isNew, pausedUntil, allowedUntil, lastAt, ...line }) => ({
        ...line,
        new: isNew,
        paused_until: momentOf(pausedUntil),
        allowed_until: momentOf(allowedUntil),
        last_at: lastAt,
      })),
    )
    return
  }
  const { timezone } = session.loaded.config.enforcement
  const rows = lines.map((line) => [
    line.isNew ? 'NEW' : '',
    line.name ?? line.hostname ?? '',
    line.person ?? '',
    line.group ?? '',
    line.id,
    line.ip === line.id ? '' : line.ip,
    line.lastAt === null ? '' : momentText(Date.parse(line.lastAt), timezone),
    String(line.calls),
    stateOf(line, session.nowMs, timezone),
  ])
  const head = ['', 'NAME', 'PERSON', 'GROUP', 'DEVICE', 'IP', 'SEEN', 'CALLS', 'NOW']
  deps.print(rows.length === 0 ? 'no devices yet\n' : tableText([head, ...rows]))
  if (lines.some(({ isNew }) => isNew))
    deps.note('yori: name a new one by: yori device name DEVICE NAME\n')
}

function linesOf({ loaded, database, nowMs }: Session): readonly Line[] {
  const state = united(listsOf(loaded.config), database.state(nowMs))
  const book = new DeviceBook(state, new Map())
  const seen = seenDevices(loaded, nowMs)
  const lines = seen.map(({ id, ip, mac, hostname, lastAt, connections, calls }) => ({
    ...{ id, ip, hostname, connections, calls },
    lastAt: `${lastAt.replace(' ', 'T')}Z`,
    ...describedAs(book, { ip, mac }, nowMs),
  }))
  const there = new Set(lines.map(({ id }) => id))
  const others = state.known
    .filter((known) => !there.has(listedId(known) ?? ''))
    .map(({ mac = null, ip = '' }) => ({
      ...{
        id: deviceId({ mac, ip }),
        ip,
        hostname: null,
        lastAt: null,
        connections: 0,
        calls: 0,
      },
      ...describedAs(book, { ip, mac }, nowMs),
    }))
  return [...lines, ...others]
}

function stateOf(line: Line, nowMs: number, zone: string | undefined): string {
  const { pausedUntil, allowedUntil } = line
  if (pausedUntil !== null) return `paused until ${untilText(pausedUntil, nowMs, zone)}`
  if (allowedUntil !== null)
    return `allowed until ${untilText(allowedUntil, nowMs, zone)}`
  return ''
}

function momentOf(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
