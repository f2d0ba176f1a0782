/**
 * `yori agents`: who asks by a program of its own, with how much, and what its traffic tells of
 * its risks. Read from the record's file, beside a YORI that runs.
 */
import { readAgent, readAgents } from '../../../audit/agent-queries.js'
import type { AgentLine } from '../../../audit/agent-queries.js'
import { jsonLine, printable } from '../../../audit/printable.js'
import { openDatabase } from '../../../audit/queries.js'
import { readRiskFacts } from '../../../audit/risk-queries.js'
import { YoriError } from '../../../core/errors.js'
import { zoneText } from '../../../core/moment-text.js'
import { assess, NOT_VISIBLE } from '../../../risks/assess.js'
import type { Assessment } from '../../../risks/words.js'
import { Command } from '../../commander.js'
import { cell, table } from '../../print-table.js'
import { common, print, upTo } from './audit.js'
import type { AuditCommandDeps, CommonFlags } from './audit.js'
import { wallText } from './audit-text.js'

const DAY_MS = 86_400_000
const MOST_DAYS = 365
const ACTIVE_MS = 3_600_000

interface Flags extends CommonFlags {
  readonly days: number
}

/** Its actions throw YoriError; the caller prints one line and chooses the exit code. */
export function agentsCommand(deps: AuditCommandDeps): Command {
  const command = new Command('agents').description('agents, and their risks')
  const days = (one: Command): Command =>
    common(one).option('--days <number>', 'how far back', upTo(MOST_DAYS), 30)
  days(command.command('list'))
    .description('agents, those that asked last first')
    .action((flags: Flags) => list(deps, flags))
  days(command.command('show'))
    .description('one agent: what each check says, and the requests it rests on')
    .argument('<agent>', 'its id, as the list has it')
    .action((id: string, flags: Flags) => show(deps, id, flags))
  return command
}

async function list(deps: AuditCommandDeps, flags: Flags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  deps.note?.('yori: told from the files\n')
  const db = openDatabase(database, true)
  try {
    const lines = readAgents(db, askedOf(deps, flags))
    const ids = lines.map(({ id }) => id)
    const factsOf = readRiskFacts(db, ids, askedOf(deps, flags).sinceMs)
    const told = lines.map((line) => {
      const { status, score } = assess(factsOf(line.id))
      return { ...line, risk: { status, score } }
    })
    if (flags.json === true) return await print(deps, [`${jsonLine(told)}\n`])
    await print(deps, listText(told, deps.zone?.(flags.config)))
  } finally {
    db.close()
  }
}

function listText(
  lines: readonly (AgentLine & { readonly risk: Pick<Assessment, 'status' | 'score'> })[],
  zone: string | undefined,
): Iterable<string> {
  if (lines.length === 0) return ['no agent is recorded\n']
  return table(
    [`last (${zoneText(zone)})`, 'agent', 'sessions', 'calls', 'tokens', 'tools', 'risk'],
    lines.map((line) => [
      wallText(line.lastAt, zone),
      cell(line.id),
      String(line.sessions),
      String(line.calls),
      String(line.promptTokens + line.responseTokens),
      String(line.tools),
      `${line.risk.status} (${line.risk.score})`,
    ]),
  )
}

async function show(deps: AuditCommandDeps, id: string, flags: Flags): Promise<void> {
  const { database } = await deps.auditOptions(flags.config)
  deps.note?.('yori: told from the files\n')
  const db = openDatabase(database, true)
  try {
    const asked = { ...askedOf(deps, flags), agent: id }
    const found = readAgent(db, asked)
    if (found === undefined)
      throw new YoriError(
        'YORI_AUDIT_UNAVAILABLE',
        `no agent ${printable(id)} is recorded; yori agents list tells which are`,
      )
    const risk = assess(readRiskFacts(db, [id], asked.sinceMs)(id))
    const told = { ...found, risk: { ...risk, notVisible: NOT_VISIBLE } }
    if (flags.json === true) return await print(deps, [`${jsonLine(told)}\n`])
    await print(deps, riskText(id, risk))
  } finally {
    db.close()
  }
}

function* riskText(id: string, { status, score, checks }: Assessment): Iterable<string> {
  yield `${printable(id)}: ${status}, ${score} of 100\n\n`
  for (const { id: name, owasp, status: result, title, says, evidence } of checks) {
    const said = printable(`${title}: ${says}`)
    yield `${result.replace('_', ' ').padEnd(11)} ${name.padEnd(13)} ${owasp}  ${said}\n`
    if (evidence.length > 0) yield `            ${printable(evidence.join(' '))}\n`
  }
  yield '\nnot visible in traffic:\n'
  for (const { owasp, why } of NOT_VISIBLE) yield `  ${owasp}  ${why}\n`
}

function askedOf({ clock }: AuditCommandDeps, { days }: Flags) {
  const nowMs = clock.now()
  return { sinceMs: nowMs - days * DAY_MS, activeSinceMs: nowMs - ACTIVE_MS }
}
