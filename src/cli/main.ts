#!/usr/bin/env -S node --max-semi-space-size=4 --max-old-space-size=128 --v8-pool-size=1
/**
 * The command `yori`. Each command is loaded when it is asked for: the running appliance
 * carries nothing of the others.
 */
import { readFileSync } from 'node:fs'
import { systemClock } from '../core/clock.js'
import { packageFile } from '../core/package-root.js'
import { Command, CommanderError } from './commander.js'
import type { AuditCommandDeps } from './commands/record/audit.js'
import type { PolicyStateDeps } from './commands/household/household-database.js'
import { configOf, configuration, note, print } from './context.js'
import type { ExecDeps } from './commands/run/exec.js'
import { EXIT, exitCodeOf, failureLine } from './exit.js'

const DEFAULT_COMMAND = 'run'

function auditDeps(): AuditCommandDeps {
  return {
    auditOptions: (path) => {
      const { database, retention_days, prune_at, max_bytes } = configOf(path).audit
      return {
        database,
        retentionDays: retention_days,
        pruneAt: prune_at,
        maxBytes: max_bytes,
      }
    },
    stdout: process.stdout,
    clock: systemClock,
  }
}

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run/run-command.js')).runCommand(),
  config: async () => (await import('./commands/run/config.js')).configCommand(),
  ca: async () => {
    const [{ caCommand }, { caSettingsOf, proxyUrlOf }] = await Promise.all([
      import('./commands/ca/ca-command.js'),
      import('../assembly/from-config/ca.js'),
    ])
    return caCommand({
      caOptions: async (path) => caSettingsOf(configOf(path)),
      proxyUrl: (path) => proxyUrlOf(configOf(path)),
      stateDir: (path) => configOf(path).state_dir,
      clock: systemClock,
      print,
      note,
    })
  },
  policy: async () => {
    const { policyCommand } = await import('./commands/policy/policy-command.js')
    return policyCommand({
      load: (path) => configuration({ config: path }),
      print,
      note,
      clock: systemClock,
      isWatched: process.stderr.isTTY,
      onInterrupt: (interrupted) => {
        process.once('SIGINT', interrupted)
        return {
          [Symbol.dispose]: () => void process.removeListener('SIGINT', interrupted),
        }
      },
      monotonic: () => systemClock.monotonic(),
      exit: (code) => {
        process.exitCode = code
      },
    })
  },
  allowlist: async () =>
    (await import('./commands/household/allowlist.js')).allowlistCommand(
      await stateDeps(),
    ),
  time: async () =>
    (await import('./commands/household/time-command.js')).timeCommand(await stateDeps()),
  emergency: async () =>
    (await import('./commands/household/emergency-command.js')).emergencyCommand(
      await stateDeps(),
    ),
  approve: async () =>
    (await import('./commands/household/approve.js')).approveCommand(await stateDeps()),
  pin: async () =>
    (await import('./commands/household/pin-command.js')).pinCommand(await stateDeps()),
  'hash-password': async () =>
    (await import('./commands/household/hash-password.js')).hashPasswordCommand(
      await stateDeps(),
    ),
  exec: async () =>
    (await import('./commands/run/exec.js')).execCommand(await execDeps()),
  env: async () => (await import('./commands/run/exec.js')).envCommand(await execDeps()),
  pf: async () => {
    const { pfCommand } = await import('./commands/steer/pf.js')
    return pfCommand({
      config: configOf,
      print,
      note,
      exit: (code) => {
        process.exitCode = code
      },
    })
  },
  pinning: async () => {
    const { pinningCommand } = await import('./commands/household/pinning.js')
    return pinningCommand({
      stateDir: (path) => configOf(path).state_dir,
      clock: systemClock,
      print,
    })
  },
  audit: async () =>
    (await import('./commands/record/audit.js')).auditCommand(auditDeps()),
  sessions: async () => {
    const [{ sessionsCommand }, { addStopCommands }] = await Promise.all([
      import('./commands/record/sessions-command.js'),
      import('./commands/household/session-stop.js'),
    ])
    const command = sessionsCommand(auditDeps())
    addStopCommands(command, await stateDeps())
    return command
  },
  stats: async () =>
    (await import('./commands/record/sessions-command.js')).statsCommand(auditDeps()),
  doctor: async () => {
    const { doctorCommand } = await import('./commands/run/doctor.js')
    return doctorCommand({
      load: (path) => configuration({ config: path }),
      clock: systemClock,
      print,
      exit: (code) => {
        process.exitCode = code
      },
    })
  },
  service: async () => {
    const [{ serviceCommand }, { thisProgram }, { supervisorArguments, SUPERVISOR }] =
      await Promise.all([
        import('./commands/run/service-command.js'),
        import('../service/service-program.js'),
        import('../../pf/steering-files.js'),
      ])
    const { askYesNo } = await import('./ask.js')
    return serviceCommand({
      program: thisProgram((stateDir, user, command) => [
        SUPERVISOR,
        ...supervisorArguments(stateDir, { user, command }),
      ]),
      platform: process.platform,
      isRoot: process.getuid?.() === 0,
      print,
      confirm: askYesNo,
    })
  },
  status: async () => {
    const { statusCommand } = await import('./commands/run/status.js')
    return statusCommand({
      config: configOf,
      clock: systemClock,
      print,
      exit: (code) => {
        process.exitCode = code
      },
    })
  },
  providers: async () => {
    const { providersCommand } = await import('./commands/record/providers.js')
    return providersCommand({
      settings: (path) => {
        const { catalogue, endpoints } = configOf(path)
        return { file: catalogue.file, endpoints: endpoints.map(({ domain }) => domain) }
      },
      print,
    })
  },
}

async function execDeps(): Promise<ExecDeps> {
  const { proxyUrlOf } = await import('../assembly/from-config/ca.js')
  return {
    execOptions: async (path) => {
      const config = configOf(path)
      return { directory: config.ca.directory, proxy: proxyUrlOf(config) }
    },
    clock: systemClock,
    env: process.env,
    print,
    exit: (code) => {
      process.exitCode = code
    },
  }
}

async function stateDeps(): Promise<PolicyStateDeps> {
  const [{ readNeighbours }, { askSecret }] = await Promise.all([
    import('../net/neighbours.js'),
    import('./ask.js'),
  ])
  return {
    load: (path) => configuration({ config: path }),
    print,
    note,
    clock: systemClock,
    env: process.env,
    neighbours: () => readNeighbours(),
    askSecret: async (question) => (await askSecret(question))?.reveal(),
    exit: (code) => {
      process.exitCode = code
    },
  }
}

async function program(args: readonly string[]): Promise<Command> {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string
  }
  const yori = new Command('yori')
    .description(
      'Sees what devices ask which LLM, and sets limits. Everything else passes.',
    )
    .version(version)
    .showHelpAfterError('(yori --help tells the commands)')
  const asked = args[0] ?? DEFAULT_COMMAND
  const names = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS)
  for (const name of names) {
    const command = await (COMMANDS[name] as () => Promise<Command>)()
    yori.addCommand(command, { isDefault: name === DEFAULT_COMMAND })
  }
  throwOnUsage(yori)
  return yori
}

/** Each command would otherwise end the process itself, and with the code of a plain no. */
function throwOnUsage(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwOnUsage(inner)
}

try {
  const yori = await program(process.argv.slice(2))
  await yori.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Its text is out already; 0 is for help and version that were asked for.
    const isOurs = error.code.startsWith('yori.')
    process.exitCode = isOurs || error.exitCode === 0 ? error.exitCode : EXIT.usage
  } else {
    note(`${failureLine(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
