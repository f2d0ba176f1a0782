/**
 * `yori sessions stop | resume`: ends a conversation, such as that of an agent that runs away.
 * Its next request is blocked with words that the agent reads; a running YORI sees it within
 * a second.
 */
import type { Command } from 'commander'
import { printable } from '../../../audit/printable.js'
import { openReader } from '../../../audit/queries.js'
import {
  common,
  decline,
  momentOf,
  openSession,
  printJson,
} from './household-database.js'
import type { CommonFlags, PolicyStateDeps } from './household-database.js'
import type { Loaded } from '../../context.js'

interface StopFlags extends CommonFlags {
  readonly reason?: string
  readonly for: string
}

const MAX_REASON = 200

export function addStopCommands(command: Command, deps: PolicyStateDeps): void {
  common(command.command('stop'))
    .description('block what follows in a conversation')
    .argument('<session>', 'its id, or the end of it')
    .option('--reason <text>', 'what its agent is told')
    .option('--for <span>', 'how long', '7d')
    .action((id: string, flags: StopFlags) => stop(deps, id, flags))
  common(command.command('resume'))
    .description('let a stopped conversation go on')
    .argument('<session>', 'its id, or the end of it')
    .action((id: string, flags: CommonFlags) => resume(deps, id, flags))
}

function stop(deps: PolicyStateDeps, id: string, flags: StopFlags): void {
  using opened = openSession(deps, flags)
  const { database, nowMs, actor, loaded } = opened
  const session = wholeId(loaded, id)
  const reason = (flags.reason ?? '').slice(0, MAX_REASON)
  const value = { session, reason, until: momentOf(flags.for, nowMs) }
  database.put('stop', { key: session, value, addedAt: nowMs, addedBy: actor })
  opened.audit({ kind: 'session_stopped', details: value })
  const { mode, enforcement } = loaded.config
  if (flags.json === true) printJson(deps, value)
  else deps.print(`stopped ${printable(session)}\n`)
  if (mode !== 'enforce' || !enforcement.enabled) {
    deps.note('yori: nothing is blocked until mode is enforce with enforcement.enabled\n')
  }
}

function resume(deps: PolicyStateDeps, id: string, flags: CommonFlags): void {
  using opened = openSession(deps, flags)
  const { database, loaded } = opened
  const session = wholeId(loaded, id)
  if (!database.remove('stop', session)) {
    decline(deps, `${printable(session)} is not stopped`)
    return
  }
  opened.audit({ kind: 'session_resumed', details: { session } })
  if (flags.json === true) printJson(deps, { resumed: session })
  else deps.print(`resumed ${printable(session)}\n`)
}

/** As it is recorded; one that is not yet recorded is taken as it was given. */
function wholeId({ config }: Loaded, id: string): string {
  try {
    using reader = openReader(config.audit.database)
    for (const row of reader.session(id, 1)) return String(row['session_id'])
  } catch {
    // No record yet.
  }
  return id
}
