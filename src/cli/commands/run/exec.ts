/** `yori exec` runs a program through YORI; `yori env` prints the variables for a shell. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { renderVariables, shells } from '../../../../ca/export.js'
import type { Shell } from '../../../../ca/export.js'
import { programEnvironment } from '../../../../ca/program-environment.js'
import { readCa } from '../../../../ca/show-ca.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import {
  STORE_PASSWORD,
  writeTrustFiles,
  writeTrustStore,
} from '../../../../ca/trust-files.js'

export interface ExecOptions {
  /** The CA's folder. */
  readonly directory: string
  /** Where YORI listens: `http://host:port`. */
  readonly proxy: string
}

export interface ExecDeps {
  execOptions(configPath: string | undefined): Promise<ExecOptions>
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  print(output: string): void
  /** The program's exit code becomes ours. */
  exit(code: number): void
}

interface Flags {
  readonly config?: string
  readonly proxy?: string
  readonly trustDir?: string
}

export function execCommand(deps: ExecDeps): Command {
  return common(new Command('exec'))
    .description('run a program through YORI: yori exec -- COMMAND ARGUMENTS')
    .argument('<command...>', 'the program and its arguments, after --')
    .action(async (command: string[], flags: Flags) => {
      const variables = await variablesOf(deps, flags)
      const env = { ...deps.env, ...Object.fromEntries(variables) }
      deps.exit(await run(command, env))
    })
}

export function envCommand(deps: ExecDeps): Command {
  return common(new Command('env'))
    .description('print the variables that lead programs through YORI')
    .addOption(new Option('--shell <shell>', 'for which').choices(shells).default('sh'))
    .option('--json', 'print for programs')
    .action(async (flags: Flags & { shell: Shell; json?: true }) => {
      const variables = await variablesOf(deps, flags)
      if (flags.json === true)
        deps.print(`${JSON.stringify(Object.fromEntries(variables), undefined, 2)}\n`)
      else deps.print(renderVariables(variables, flags.shell))
    })
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration file')
    .option('--proxy <url>', 'where YORI listens, when not as configured')
    .option('--trust-dir <dir>', 'where the files that are named are written')
}

async function variablesOf(
  deps: ExecDeps,
  flags: Flags,
): Promise<readonly (readonly [string, string])[]> {
  const options = await deps.execOptions(flags.config)
  const { pem } = (await readCa(options.directory, deps.clock)).root
  const folder = resolve(flags.trustDir ?? join(options.directory, 'trust'))
  const files = await writeTrustFiles(folder, pem)
  return programEnvironment({
    ...files,
    proxy: flags.proxy ?? options.proxy,
    storeFile: await writeTrustStore(folder, pem),
    storePassword: STORE_PASSWORD,
    present: deps.env,
  })
}

/** The exit code, or as shells have it 128 and the number of the signal that ended it. */
function run(
  [program = '', ...args]: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env })
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal)
    }
    const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, forward)
    const done = (): void => {
      for (const signal of signals) process.off(signal, forward)
    }
    child.once('error', (cause: NodeJS.ErrnoException) => {
      done()
      const why = cause.code === 'ENOENT' ? 'there is no such program' : cause.message
      reject(
        new YoriError('YORI_STATE_UNUSABLE', `cannot run ${program}: ${why}`, { cause }),
      )
    })
    child.once('exit', (code, signal) => {
      done()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
