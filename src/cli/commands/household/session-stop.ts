/**
 * `yori sessions stop | resume`: ends a conversation, such as that of an agent that runs away.
 * Its next request is blocked with words that the agent reads; a running YORI sees it within
 * a second.
 */
import type { Command } from 'commander'
import { printable } from '../../../audit/printable.js'
import { openReader } from '../../../audit/queries.js'
import type { Listed } from '../../../audit/queries.js'
import {
  common,
  decline,
  momentOf,
  openSession,
  printJson,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'
import type { Loaded } from '../../context.js'

interface StopFlags extends DeviceFlags {
  readonly reason?: string
  readonly for: string
}

interface DeviceFlags extends CommonFlags {
  readonly device?: string
}

/** A conversation as it is recorded. */
interface Known {
  readonly session: string
  /** MAC, or else the address. */
  readonly device?: string
  readonly agentIds: readonly string[]
  readonly userAgents: readonly string[]
}

const MAX_REASON = 200
/** Its agent is stopped for so long under another id, too, unless it is resumed before. */
const AGENT_MS = 60 * 60 * 1000
/** Rows that tell whose a conversation is. */
const MAX_ROWS = 10_000
/** Of one conversation. */
const MAX_NAMES = 16

export function addStopCommands(command: Command, deps: PolicyStateDeps): void {
  common(command.command('stop'))
    .description('block what follows in a conversation')
    .argument('<session>', 'its id, or the end of it')
    .option('--device <device>', 'whose, by MAC, address or name, where several have it')
    .option('--reason <text>', 'what its agent is told')
    .option('--for <span>', 'how long', '7d')
    .action((id: string, flags: StopFlags) => stop(deps, id, flags))
  common(command.command('resume'))
    .description('let a stopped conversation go on')
    .argument('<session>', 'its id, or the end of it')
    .option('--device <device>', 'whose, by MAC, address or name, where several have it')
    .action((id: string, flags: DeviceFlags) => resume(deps, id, flags))
}

function stop(deps: PolicyStateDeps, id: string, flags: StopFlags): void {
  using opened = openSession(deps, flags)
  const { database, nowMs, actor, loaded } = opened
  const known = knownAs(loaded, id, flags.device)
  if (known.length > 1) {
    const devices = known.map(({ device }) => printable(device ?? '')).join(', ')
    decline(
      deps,
      `several devices have ${printable(id)}: name one by --device: ${devices}`,
    )
    return
  }
  const [{ session, device, agentIds, userAgents } = none(id)] = known
  const reason = (flags.reason ?? '').slice(0, MAX_REASON)
  const until = momentOf(flags.for, opened)
  const agent = { ids: agentIds, userAgents, until: Math.min(until, nowMs + AGENT_MS) }
  const value = {
    ...{ session, reason, until },
    ...(device === undefined ? {} : { device, agent }),
  }
  const key = keyOf(session, device)
  database.put('stop', { key, value, addedAt: nowMs, addedBy: actor })
  opened.audit({ kind: 'session_stopped', details: value })
  const { mode, enforcement } = loaded.config
  if (flags.json === true) printJson(deps, value)
  else deps.print(`stopped ${printable(session)}\n`)
  if (known.length === 0)
    deps.note(
      `yori: no conversation ${printable(session)} is recorded yet: it is blocked when it begins ` +
        '(yori sessions list shows those that are)\n',
    )
  if (mode !== 'enforce' || !enforcement.enabled) {
    deps.note('yori: nothing is blocked until mode is enforce with enforcement.enabled\n')
  }
}

function resume(deps: PolicyStateDeps, id: string, flags: DeviceFlags): void {
  using opened = openSession(deps, flags)
  const { database, loaded } = opened
  const known = knownAs(loaded, id, flags.device)
  const [{ session } = none(id)] = known
  const keys = [session, ...known.map((one) => keyOf(one.session, one.device))]
  const removed = [...new Set(keys)].filter((key) => database.remove('stop', key))
  if (removed.length === 0) {
    decline(deps, `${printable(session)} is not stopped`)
    return
  }
  opened.audit({ kind: 'session_resumed', details: { session } })
  if (flags.json === true) printJson(deps, { resumed: session })
  else deps.print(`resumed ${printable(session)}\n`)
}

function keyOf(session: string, device: string | undefined): string {
  return device === undefined ? session : `${session} ${device}`
}

/** One that is not yet recorded is taken as it was given, of whatever device. */
function none(session: string): Known {
  return { session, agentIds: [], userAgents: [] }
}

/** As it is recorded, of each device that has it; `wanted`: of that alone. */
function knownAs({ config }: Loaded, id: string, wanted: string | undefined): Known[] {
  const rows: Listed[] = []
  try {
    using reader = openReader(config.audit.database)
    rows.push(...reader.session(id, MAX_ROWS))
  } catch {
    // No record yet.
  }
  const byDevice = new Map<string, Listed[]>()
  for (const row of rows) {
    const names = [row['device_mac'], row['device_ip'], row['device_hostname']]
    if (wanted !== undefined && !names.includes(wanted)) continue
    const device = String(row['device_mac'] ?? row['device_ip'])
    const own = byDevice.get(device)
    if (own === undefined) byDevice.set(device, [row])
    else own.push(row)
  }
  return [...byDevice].map(([device, own]) => ({
    session: String(own[0]?.['session_id']),
    device,
    agentIds: namesIn(own, 'agent_id'),
    userAgents: namesIn(own, 'user_agent'),
  }))
}

function namesIn(rows: readonly Listed[], column: string): string[] {
  const names = rows.map((row) => row[column]).filter((name) => typeof name === 'string')
  return [...new Set(names)].slice(-MAX_NAMES)
}
