/** `yori fleet`: what concerns several gateways together. */
import type { Config } from '../../../../config/schema.js'
import { YoriError } from '../../../core/errors.js'
import { importFile } from '../../../fleet/import/import.js'
import { destinationOf } from '../../../fleet/ship/destinations.js'
import { shipTask } from '../../../fleet/ship/shipping.js'
import { Command } from '../../commander.js'

export interface FleetCommandDeps {
  readonly config: (path: string | undefined) => Config
  readonly print: (text: string) => void
  readonly progress?: (done: number, total: number) => void
}

interface Flags {
  readonly config?: string
  readonly gateway: string
  readonly json?: true
}

export function fleetCommand(deps: FleetCommandDeps): Command {
  const command = new Command('fleet').description('several gateways as one')
  command
    .command('import')
    .description('bring what an old box recorded to the server of audit.ship')
    .argument('<file>', 'its database, or the CSV of `yori audit export`')
    .requiredOption('--gateway <name>', 'what that box is called there')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'for programs')
    .action((file: string, flags: Flags) => importInto(deps, file, flags))
  return command
}

async function importInto(
  { config, print, progress }: FleetCommandDeps,
  file: string,
  { config: path, gateway, json }: Flags,
): Promise<void> {
  const task = shipTask(config(path))
  if (task === undefined)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      'audit.ship names no server: set audit.ship.url and audit.ship.gateway',
    )
  const placeFile = `${task.placeFile}.import`
  const destination = await destinationOf({ ...task, gateway, placeFile })
  const imported = await importFile(file, destination, (rows) => progress?.(rows, rows))
  const { exchanges, connections, events, rejected } = imported
  if (json === true) {
    print(`${JSON.stringify({ gateway, exchanges, connections, events, rejected })}\n`)
    return
  }
  const lost = rejected > 0 ? `; ${rejected} rows were refused` : ''
  print(`${exchanges} exchanges, ${connections} connections, ${events} events${lost}\n`)
}
