/**
 * `yori dashboard`: a link that logs in once. Printed always, and opened where there is a display
 * and a person.
 */
import { spawn } from 'node:child_process'
import type { Config } from '../../../../config/schema.js'
import { askRunning } from '../../../control/ask.js'
import { YoriError } from '../../../core/errors.js'
import { Command } from '../../commander.js'
import { usageError } from '../../usage.js'

export interface DashboardDeps {
  readonly config: (path: string | undefined) => Pick<Config, 'state_dir'>
  readonly print: (text: string) => void
  readonly note: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** A person sees what is printed. */
  readonly isTerminal: boolean
  /** For tests. */
  readonly open?: (program: string, url: string) => void
}

interface Flags {
  readonly config?: string
  /** `--no-open` */
  readonly open: boolean
}

export function dashboardCommand(deps: DashboardDeps): Command {
  return new Command('dashboard')
    .description('print a link into the running YORI, and open it where a display is')
    .option('-c, --config <file>', 'configuration file')
    .option('--no-open', 'print it only')
    .action((flags: Flags) => dashboard(deps, flags))
}

async function dashboard(deps: DashboardDeps, flags: Flags): Promise<void> {
  const { state_dir: stateDir } = deps.config(flags.config)
  const question = { verb: 'POST', path: '/api/login-links' } as const
  const asked = await askRunning(stateDir, question)
  if (asked.kind === 'unreachable')
    throw usageError(`${asked.reason} (${stateDir}); start it with \`yori run\``, 1)
  const { url, message } = asked.body as { url?: unknown; message?: unknown }
  if (asked.status !== 201 || typeof url !== 'string')
    throw new YoriError('YORI_LISTEN_FAILED', `no page can be opened: ${String(message)}`)
  deps.print(`${url}\n`)
  deps.note('It works once, within 5 minutes.\n')
  const program = browserOf(deps)
  if (flags.open && program !== undefined) (deps.open ?? openBrowser)(program, url)
}

/** Undefined: no display, or nobody before it. */
function browserOf({ env, platform, isTerminal }: DashboardDeps): string | undefined {
  if (!isTerminal) return undefined
  if (platform === 'darwin') return 'open'
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? 'xdg-open' : undefined
}

function openBrowser(program: string, url: string): void {
  const browser = spawn(program, [url], { stdio: 'ignore', detached: true })
  browser.on('error', () => undefined) // the link is printed
  browser.unref()
}
