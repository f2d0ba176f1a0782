/**
 * `yori person export|forget`: what the record holds of one person, handed to them or taken out.
 * Forgetting asks first, is told to the record's chain, and says what stays.
 */
import { join } from 'node:path'
import type { Command } from 'commander'
import { forgetAlerts } from '../../../alerts/forget.js'
import { ChainWriter, hasChain } from '../../../audit/evidence/chain-writer.js'
import { forget } from '../../../audit/forget.js'
import type { Forgotten } from '../../../audit/forget.js'
import { exportLines } from '../../../audit/exports/formats.js'
import { openDatabase, openReader, unavailable } from '../../../audit/queries.js'
import type { Listed } from '../../../audit/queries.js'
import { Declined } from '../../../household/people.js'
import { peopleOf } from '../../../household/roll.js'
import { packageVersion } from '../../package-version.js'
import { common, openSession, printJson } from './household-database.js'
import type { CommonFlags, PolicyStateDeps, Session } from './household-database.js'
import { orDecline } from './target.js'

interface ForgetFlags extends CommonFlags {
  readonly content?: boolean
  readonly yes?: boolean
}

export function addRecordCommands(command: Command, deps: PolicyStateDeps): void {
  common(command.command('export'))
    .description('every exchange of their devices, oldest first, as JSON Lines')
    .argument('<name>', 'who')
    .action((name: string, flags: CommonFlags) =>
      orDecline(deps, () => exportAll(deps, name, flags)),
    )
  common(command.command('forget'))
    .description('take what is theirs out of the record; their limits and devices stay')
    .argument('<name>', 'who')
    .option('--content', 'only what was said: rows stay, with when, whom and how much')
    .option('--yes', 'without being asked')
    .action((name: string, flags: ForgetFlags) =>
      orDecline(deps, () => forgetAll(deps, name, flags)),
    )
}

/** Their devices, by MAC or address, in small letters. @throws Declined where nobody is called so */
function devicesOf({ database, nowMs }: Session, name: string): readonly string[] {
  const lines = peopleOf(database.state(nowMs), nowMs)
  const line = lines.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (line === undefined)
    throw new Declined('unknown', `nobody is called ${name}: yori person list`)
  return line.devices.map(({ id }) => id.toLowerCase())
}

function exportAll(deps: PolicyStateDeps, name: string, flags: CommonFlags): void {
  using session = openSession(deps, flags)
  const devices = devicesOf(session, name)
  using reader = openReader(session.loaded.config.audit.database)
  const options = { columns: reader.columns, version: packageVersion() }
  for (const device of devices)
    for (const line of exportLines(
      'jsonl',
      rowsOf(device, reader.each({ device }, reader.columns)),
      options,
    ))
      deps.print(line)
  if (devices.length === 0) deps.note(`yori: ${name} has no device\n`)
}

/** Not of another that had its address, or calls itself so: they are somebody else's. */
function* rowsOf(device: string, rows: Iterable<Listed>): Iterable<Listed> {
  for (const row of rows) {
    const id = row['device_mac'] ?? row['device_ip']
    if (String(id).toLowerCase() === device) yield row
  }
}

async function forgetAll(
  deps: PolicyStateDeps,
  name: string,
  flags: ForgetFlags,
): Promise<void> {
  using session = openSession(deps, flags)
  const devices = devicesOf(session, name)
  const contentOnly = flags.content === true
  const what = contentOnly ? 'what was said' : 'every row'
  if (flags.yes !== true) {
    const question = `Take ${what} of ${name} (${devices.join(', ') || 'no device'}) out of the record for good? Type the name: `
    const answer = await deps.askSecret(question)
    if (answer !== name)
      throw new Declined(
        'wrong',
        answer === undefined
          ? 'there is no terminal to ask on: --yes says so beforehand'
          : 'nothing was taken out',
      )
  }
  const { config } = session.loaded
  const gone = await forgotten(config.audit.database, devices, contentOnly)
  const alerts = contentOnly
    ? 0
    : forgetAlerts(join(config.state_dir, 'alerts.db'), devices)
  // Whose it was stays out of the record, too.
  session.audit({ kind: 'person_forgotten', details: { ...gone, alerts, contentOnly } })
  if (flags.json === true) return printJson(deps, { ...gone, alerts, contentOnly })
  deps.print(
    contentOnly
      ? `took what was said out of ${gone.exchanges} exchanges\n`
      : `took out ${gone.exchanges} exchanges, ${gone.connections} connections, ${gone.events} events, ${alerts} alerts\n`,
  )
  deps.note(
    'yori: copies stay where exports, backups and messages went; counters of limits stay until their day or month ends\n',
  )
}

async function forgotten(
  file: string,
  devices: readonly string[],
  contentOnly: boolean,
): Promise<Forgotten> {
  const db = openDatabase(file, false)
  try {
    const chain = hasChain(db) ? new ChainWriter(db, file) : undefined
    const steps = forget(db, { devices, contentOnly }, chain)
    let step = steps.next()
    while (step.done !== true) {
      await new Promise((resolve) => setImmediate(resolve))
      step = steps.next()
    }
    return step.value
  } catch (cause) {
    throw unavailable(file, cause)
  } finally {
    db.close()
  }
}
