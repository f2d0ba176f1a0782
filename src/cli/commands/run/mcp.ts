/**
 * `yori mcp`: an assistant asks YORI. A server of MCP on standard input and output, in a process
 * of its own, which asks the running YORI by its socket. Standard output is the protocol's alone.
 */
import { once } from 'node:events'
import type { Config } from '../../../../config/schema.js'
import { ROLES } from '../../../control/roles.js'
import type { Role } from '../../../control/roles.js'
import { startChild } from '../../../mcp/start-child.js'
import { Command, InvalidArgumentError } from '../../commander.js'
import { EXIT } from '../../exit.js'

export interface McpCommandDeps {
  readonly config: (path: string | undefined) => Pick<Config, 'state_dir'>
  readonly version: string
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly role?: Role
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export function mcpCommand(deps: McpCommandDeps): Command {
  return new Command('mcp')
    .description(
      'let an assistant ask YORI: a server of MCP on standard input and output',
    )
    .option('-c, --config <file>', 'configuration file')
    .option(
      '--role <role>',
      'also what changes something; looks only unless given',
      roleOf,
    )
    .action((flags: Flags) => serve(deps, flags))
}

async function serve({ config, version, exit }: McpCommandDeps, flags: Flags) {
  const { state_dir: stateDir } = config(flags.config)
  const child = startChild({ kind: 'stdio', stateDir, version, role: flags.role })
  const end = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of SIGNALS) process.on(signal, end)
  const [code] = (await once(child, 'exit')) as [number | null]
  for (const signal of SIGNALS) process.off(signal, end)
  exit(code ?? EXIT.internal)
}

function roleOf(text: string): Role {
  const role = ROLES.find((one) => one === text)
  if (role === undefined) throw new InvalidArgumentError(`one of ${ROLES.join(', ')}`)
  return role
}
