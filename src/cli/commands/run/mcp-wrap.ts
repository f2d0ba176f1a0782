/**
 * `yori mcp-wrap NAME -- COMMAND`: the server of MCP that COMMAND starts, with all its messages by
 * the door of the running YORI: its tools are governed, and in the record.
 */
import type { Config } from '../../../../config/schema.js'
import { wrap } from '../../../mcp/wrap.js'
import { Command } from '../../commander.js'
import { usage } from '../../usage.js'

export interface McpWrapDeps {
  readonly config: (path: string | undefined) => Pick<Config, 'listen' | 'mcp'>
  readonly exit: (code: number) => void
}

interface Flags {
  readonly config?: string
  readonly door?: string
}

export function mcpWrapCommand(deps: McpWrapDeps): Command {
  return new Command('mcp-wrap')
    .description('start a server of MCP whose messages go by the running YORI')
    .argument('<name>', 'of mcp.servers; its url is where this listens, on the loopback')
    .argument('<command...>', 'what starts it, after --')
    .option('-c, --config <file>', 'configuration file')
    .option('--door <url>', "YORI's listener; the first of `listen` unless given")
    .action((name: string, command: string[], flags: Flags) =>
      run(deps, { name, command, flags }),
    )
}

async function run(
  { config, exit }: McpWrapDeps,
  { name, command, flags }: { name: string; command: string[]; flags: Flags },
): Promise<void> {
  const { listen, mcp } = config(flags.config)
  const server = mcp.servers[name]
  if (server === undefined) usage(`${name} is not among mcp.servers.`)
  const at = new URL(server.url)
  if (at.protocol !== 'http:' || !/^(127\.|localhost$|\[::1\]$)/.test(at.hostname))
    usage(`mcp.servers.${name}.url is where this listens: http:// on the loopback.`)
  const [program = '', ...args] = command
  const door = new URL(`/mcp/servers/${name}`, flags.door ?? doorOf(listen))
  const { stdin, stdout } = process
  exit(await wrap({ command: program, args, door, at, stdin, stdout }))
}

/** Of this machine, whatever address it listens at. */
function doorOf(listen: readonly string[]): string {
  const port = /:(\d+)$/.exec(listen[0] ?? '')?.[1] ?? '8443'
  return `http://127.0.0.1:${port}`
}
