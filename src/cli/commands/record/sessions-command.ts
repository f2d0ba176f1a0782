/**
 * `yori sessions` and `yori stats`: conversations as one, and who used how much. Told by the
 * running YORI, or read from the database file where none runs.
 */
import { Command } from '../../commander.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { YoriError } from '../../../core/errors.js'
import { common, filtered, filterOf, print, upTo } from './audit.js'
import type { AuditCommandDeps, CommonFlags, FilterFlags } from './audit.js'
import { openRecord } from './record-source.js'
import {
  conversationsOf,
  conversationText,
  sessionsText,
  usageText,
} from './sessions-text.js'

const MOST_SESSIONS = 10_000
const MOST_TURNS = 10_000

/** Its actions throw YoriError; the caller prints one line and chooses the exit code. */
export function sessionsCommand(deps: AuditCommandDeps): Command {
  const command = new Command('sessions').description('conversations, told as one')
  filtered(command.command('list'))
    .description('conversations, the newest first')
    .option('--limit <number>', 'how many at most', upTo(MOST_SESSIONS), 50)
    .action((flags: FilterFlags & { limit: number }) => list(deps, flags))
  common(command.command('show'))
    .description('what was said in one, as far as it was kept')
    .argument('<session>', 'its id, or the end of it')
    .action((id: string, flags: CommonFlags) => show(deps, id, flags))
  return command
}

export function statsCommand(deps: AuditCommandDeps): Command {
  return filtered(new Command('stats'))
    .description('use and cost by device, provider, model, key, tag and day')
    .action((flags: FilterFlags) => stats(deps, flags))
}

async function list(
  deps: AuditCommandDeps,
  flags: FilterFlags & { limit: number },
): Promise<void> {
  const filter = filterOf(flags, deps)
  using reader = await openRecord(deps, flags)
  const lines = await reader.sessions(filter, flags.limit)
  await print(
    deps,
    flags.json === true
      ? [`${jsonLine(lines)}\n`]
      : sessionsText(lines, deps.zone?.(flags.config)),
  )
}

async function show(
  deps: AuditCommandDeps,
  id: string,
  flags: CommonFlags,
): Promise<void> {
  using reader = await openRecord(deps, flags)
  const conversations = conversationsOf(await reader.session(id, MOST_TURNS))
  if (conversations.length === 0)
    throw new YoriError(
      'YORI_AUDIT_UNAVAILABLE',
      `no session ${printable(id)} is recorded; yori sessions list tells which are`,
    )
  if (flags.json === true) return await print(deps, [`${jsonLine(conversations)}\n`])
  for (const conversation of conversations)
    await print(deps, conversationText(conversation, deps.zone?.(flags.config)))
}

async function stats(deps: AuditCommandDeps, flags: FilterFlags): Promise<void> {
  const filter = filterOf(flags, deps)
  using reader = await openRecord(deps, flags)
  const zone = deps.zone?.(flags.config)
  const usage = await reader.usage(filter, { nowMs: deps.clock.now(), zone })
  await print(
    deps,
    flags.json === true ? [`${jsonLine(usage)}\n`] : usageText(usage, zone),
  )
}
