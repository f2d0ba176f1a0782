/**
 * Every command, what it is for in one line, and how it is loaded: each when it is asked for, so
 * that the running appliance, and who asks for help, carry nothing of the others.
 */
import { systemClock } from '../core/clock.js'
import { Command } from './commander.js'
import type { AuditCommandDeps } from './commands/record/audit.js'
import type { PolicyStateDeps } from './commands/household/household-database.js'
import { actorOf } from './actor.js'
import { configOf, configuration, findConfiguration } from './context.js'
import { note, print, progressLine } from './context.js'
import { packageVersion } from './package-version.js'
import type { BackupDeps } from './commands/run/backup.js'
import type { ExecDeps } from './commands/run/exec.js'

export interface CommandEntry {
  /** The heading that it stands under in `yori --help`. */
  readonly group: string
  /** As the command's own description has it. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** In which people read times. */
function zoneOf(path: string | undefined): string | undefined {
  return configOf(path).enforcement.timezone
}

function placesOf(path: string | undefined) {
  const { state_dir: stateDir, ca } = configOf(path)
  return { stateDir, caDirectory: ca.directory }
}

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
    zone: zoneOf,
    stdout: process.stdout,
    clock: systemClock,
    note,
    ...(process.stderr.isTTY ? { progress: progressLine(systemClock) } : {}),
    exit: (code) => {
      process.exitCode = code
    },
    ask: async (path, question) => {
      const { askRunning } = await import('../control/ask.js')
      const { state_dir: stateDir } = configOf(path)
      return askRunning(stateDir, { actor: actorOf(process.env), ...question })
    },
  }
}

function backupDeps(): BackupDeps {
  return {
    config: configOf,
    version: packageVersion(),
    now: () => systemClock.now(),
    print,
  }
}

/** In the order in which help names them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    group: 'Every day',
    summary: 'run in the foreground',
    load: async () => (await import('./commands/run/run-command.js')).runCommand(),
  },
  sidecar: {
    group: 'On this machine',
    summary: 'a gateway beside an agent: each request is governed by your policies',
    load: async () => (await import('./commands/run/run-command.js')).sidecarCommand(),
  },
  status: {
    group: 'Every day',
    summary:
      'how things stand: what is seen, what is not, and what is wrong; exit 1 then',
    load: async () => {
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
  },
  watch: {
    group: 'Every day',
    summary: 'a line an exchange, as it happens',
    load: async () =>
      (await import('./commands/record/watch.js')).watchCommand({
        ...auditDeps(),
        env: process.env,
        note,
        ended: () =>
          new Promise((resolve) => {
            process.once('SIGINT', () => resolve())
            process.once('SIGTERM', () => resolve())
          }),
      }),
  },
  dashboard: {
    group: 'Every day',
    summary: 'print a link into the running YORI, and open it where a display is',
    load: async () => {
      const { dashboardCommand } = await import('./commands/run/dashboard.js')
      return dashboardCommand({
        config: configOf,
        print,
        note,
        env: process.env,
        platform: process.platform,
        isTerminal: process.stdout.isTTY,
      })
    },
  },
  mcp: {
    group: 'On this machine',
    summary: 'let an assistant ask YORI: a server of MCP on standard input and output',
    load: async () => {
      const { mcpCommand } = await import('./commands/run/mcp.js')
      return mcpCommand({
        config: configOf,
        version: packageVersion(),
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  'mcp-wrap': {
    group: 'On this machine',
    summary: 'start a server of MCP whose messages go by the running YORI',
    load: async () => {
      const { mcpWrapCommand } = await import('./commands/run/mcp-wrap.js')
      return mcpWrapCommand({
        config: configOf,
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  alert: {
    group: 'Every day',
    summary: 'the inbox of alerts, and their sinks',
    load: async () => {
      const { alertCommand } = await import('./commands/household/alert-command.js')
      return alertCommand({
        config: configOf,
        clock: systemClock,
        print,
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  audit: {
    group: 'Every day',
    summary: 'look into what YORI recorded',
    load: async () => {
      const { auditCommand } = await import('./commands/record/audit.js')
      const { addVacuum } = await import('./commands/record/audit-vacuum.js')
      const { addCopies } = await import('./commands/record/audit-copies.js')
      const deps = { ...auditDeps(), places: placesOf }
      const command = auditCommand(deps)
      addVacuum(command, deps)
      addCopies(command, deps)
      return command
    },
  },
  fleet: {
    group: 'Every day',
    summary: 'several gateways as one',
    load: async () => {
      const { fleetCommand } = await import('./commands/record/fleet-command.js')
      return fleetCommand({
        config: configOf,
        print,
        ...(process.stderr.isTTY ? { progress: progressLine(systemClock) } : {}),
      })
    },
  },
  sessions: {
    group: 'Every day',
    summary: 'conversations, told as one',
    load: async () => {
      const [{ sessionsCommand }, { addStopCommands }] = await Promise.all([
        import('./commands/record/sessions-command.js'),
        import('./commands/household/session-stop.js'),
      ])
      const command = sessionsCommand(auditDeps())
      addStopCommands(command, await stateDeps())
      return command
    },
  },
  agents: {
    group: 'Every day',
    summary: 'agents, and their risks',
    load: async () =>
      (await import('./commands/record/agents-command.js')).agentsCommand(auditDeps()),
  },
  stats: {
    group: 'Every day',
    summary: 'use and cost by device, provider, model, key, tag and day',
    load: async () =>
      (await import('./commands/record/sessions-command.js')).statsCommand(auditDeps()),
  },
  report: {
    group: 'Every day',
    summary: 'who asked for how long, at what cost, and what was not seen',
    load: async () => {
      const { reportCommand } = await import('./commands/record/report.js')
      return reportCommand({
        config: configOf,
        clock: systemClock,
        env: process.env,
        print,
        note,
        exit: (code) => {
          process.exitCode = code
        },
        ask: async ({ state_dir: stateDir }, question) => {
          const { askRunning } = await import('../control/ask.js')
          return askRunning(stateDir, { actor: actorOf(process.env), ...question })
        },
      })
    },
  },
  record: {
    group: 'On this machine',
    summary: 'record whole exchanges until Ctrl-C, for yori replay',
    load: async () => {
      const { recordCommand } = await import('./commands/record/record-command.js')
      return recordCommand({
        listen: async (path, asked) => {
          const { listenToRunning } = await import('./recording-door.js')
          const { state_dir: stateDir } = configOf(path)
          return listenToRunning(stateDir, asked, actorOf(process.env))
        },
        detector: async () =>
          (await import('../../config/read-detect.js')).shippedDetector(),
        ended: signalled,
        print,
        note,
      })
    },
  },
  replay: {
    group: 'On this machine',
    summary: 'send what was recorded once more: by other policies, to another model',
    load: async () => {
      const [{ replayCommand }, { startReplayYori }, { askYesNo }] = await Promise.all([
        import('./commands/run/replay-command.js'),
        import('./exec/replay-yori.js'),
        import('./ask.js'),
      ])
      return replayCommand({
        start: startReplayYori,
        env: process.env,
        clock: systemClock,
        askYesNo,
        ended: signalled,
        print,
        note,
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  exec: {
    group: 'On this machine',
    summary: 'run a program through YORI: yori exec -- COMMAND ARGUMENTS',
    load: async () =>
      (await import('./commands/run/exec.js')).execCommand(await execDeps()),
  },
  browser: {
    group: 'On this machine',
    summary: 'open a Chromium that is led through YORI and trusts it',
    load: async () =>
      (await import('./commands/run/browser.js')).browserCommand(await execDeps()),
  },
  env: {
    group: 'On this machine',
    summary: 'print the variables that lead programs through YORI',
    load: async () =>
      (await import('./commands/run/exec.js')).envCommand(await execDeps()),
  },
  detect: {
    group: 'Limits',
    summary: 'what would be found in a text, and why',
    load: async () => {
      const { detectCommand } = await import('./commands/policy/detect-command.js')
      return detectCommand({ stdin: process.stdin, print })
    },
  },
  processor: {
    group: 'Limits',
    summary: 'other programs that look at exchanges',
    load: async () => {
      const { processorCommand } = await import('./commands/policy/processor-command.js')
      return processorCommand({
        config: configOf,
        clock: systemClock,
        print,
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  waf: {
    group: 'Limits',
    summary: 'a firewall for what is asked of models: its rules, and its tuning',
    load: async () => {
      const { wafCommand } = await import('./commands/policy/waf-command.js')
      return wafCommand({
        config: configOf,
        clock: systemClock,
        print,
        note,
        exit: (code) => {
          process.exitCode = code
        },
      })
    },
  },
  policy: {
    group: 'Limits',
    summary: 'ask, try and check Rego policies',
    load: async () => {
      const { policyCommand } = await import('./commands/policy/policy-command.js')
      const { bundleCommand } = await import('./commands/policy/policy-bundle.js')
      const { askYesNo } = await import('./ask.js')
      const shared = {
        load: (path: string | undefined) => configuration({ config: path }),
        print,
        note,
        clock: systemClock,
        exit: (code: number) => {
          process.exitCode = code
        },
      }
      const bundle = bundleCommand({
        ...shared,
        find: (path) => findConfiguration({ config: path }),
        confirm: askYesNo,
        actor: () => actorOf(process.env),
      })
      return policyCommand({
        ...shared,
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
      }).addCommand(bundle)
    },
  },
  bundle: {
    group: 'Limits',
    summary: 'one archive of policies for many gateways, as OPA has them',
    load: async () => {
      const { bundleArchiveCommand } = await import('./commands/policy/bundle-archive.js')
      return bundleArchiveCommand({ clock: systemClock, print })
    },
  },
  device: {
    group: 'Limits',
    summary: 'what devices are called, and whose they are',
    load: async () =>
      (await import('./commands/household/device-command.js')).deviceCommand(
        await stateDeps(),
      ),
  },
  person: {
    group: 'Limits',
    summary: 'who has which devices, when, and how much',
    load: async () =>
      (await import('./commands/household/person-command.js')).personCommand(
        await stateDeps(),
      ),
  },
  key: {
    group: 'Limits',
    summary: 'keys of our own for programs: which models, how often, how much',
    load: async () =>
      (await import('./commands/household/key-command.js')).keyCommand(await stateDeps()),
  },
  pause: {
    group: 'Limits',
    summary: 'no AI service for a device or a person, for a while, in every mode',
    load: async () =>
      (await import('./commands/household/act-command.js')).pauseCommand(
        await stateDeps(),
      ),
  },
  allow: {
    group: 'Limits',
    summary: 'past every limit for a person or a device, for a while',
    load: async () =>
      (await import('./commands/household/act-command.js')).allowCommand(
        await stateDeps(),
      ),
  },
  time: {
    group: 'Limits',
    summary: 'times that allow, block or alert',
    load: async () =>
      (await import('./commands/household/time-command.js')).timeCommand(
        await stateDeps(),
      ),
  },
  allowlist: {
    group: 'Limits',
    summary: 'devices that policies never block',
    load: async () =>
      (await import('./commands/household/allowlist.js')).allowlistCommand(
        await stateDeps(),
      ),
  },
  approve: {
    group: 'Limits',
    summary: 'let what was refused pass when its device says it again',
    load: async () =>
      (await import('./commands/household/approve.js')).approveCommand(await stateDeps()),
  },
  pin: {
    group: 'Limits',
    summary: 'numbers to give away: each lets one blocked request pass, once and soon',
    load: async () =>
      (await import('./commands/household/pin-command.js')).pinCommand(await stateDeps()),
  },
  emergency: {
    group: 'Limits',
    summary: 'end all blocking for a while; it comes back by itself',
    load: async () =>
      (await import('./commands/household/emergency-command.js')).emergencyCommand(
        await stateDeps(),
      ),
  },
  config: {
    group: 'Setting up',
    summary: 'check, show or write the configuration',
    load: async () => (await import('./commands/run/config.js')).configCommand(),
  },
  'generate-config': {
    group: 'Setting up',
    summary: 'write the file of a gateway to one provider, to start from',
    load: async () => (await import('./commands/run/config.js')).generateConfigCommand(),
  },
  'validate-config': {
    group: 'Setting up',
    summary: 'print every problem of a configuration file; exit 0 when there is none',
    load: async () => (await import('./commands/run/config.js')).validateConfigCommand(),
  },
  ca: {
    group: 'Setting up',
    summary: 'the certificate authority that devices trust',
    load: async () => {
      const [{ caCommand }, { caSettingsOf, proxyUrlOf }, { householdNames }] =
        await Promise.all([
          import('./commands/ca/ca-command.js'),
          import('../assembly/from-config/ca.js'),
          import('./status/household-names.js'),
        ])
      return caCommand({
        caOptions: async (path) => caSettingsOf(configOf(path)),
        proxyUrl: (path) => proxyUrlOf(configOf(path)),
        stateDir: (path) => configOf(path).state_dir,
        names: (path) => householdNames(configOf(path), systemClock.now()),
        zone: zoneOf,
        clock: systemClock,
        env: process.env,
        print,
        note,
      })
    },
  },
  backup: {
    group: 'Setting up',
    summary: 'the whole state in one file: CA, record, household; also while it runs',
    load: async () =>
      (await import('./commands/run/backup.js')).backupCommand(backupDeps()),
  },
  restore: {
    group: 'Setting up',
    summary: 'bring a backup back; YORI must not run',
    load: async () =>
      (await import('./commands/run/backup.js')).restoreCommand(backupDeps()),
  },
  pf: {
    group: 'Setting up',
    summary: 'lead packets to YORI: pf and nftables',
    load: async () => {
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
  },
  service: {
    group: 'Setting up',
    summary: 'install YORI as a service of this system, or take it away again',
    load: async () => {
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
  },
  explain: {
    group: 'Setting up',
    summary: 'what a code means, and what to do about it',
    load: async () => (await import('./commands/run/explain.js')).explainCommand(print),
  },
  doctor: {
    group: 'Setting up',
    summary: 'look at what is really there, and say what is wrong and what mends it',
    load: async () => {
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
  },
  pinning: {
    group: 'Setting up',
    summary: 'programs that do not accept inspection and pass untouched',
    load: async () => {
      const { pinningCommand } = await import('./commands/household/pinning.js')
      return pinningCommand({
        stateDir: (path) => configOf(path).state_dir,
        zone: zoneOf,
        clock: systemClock,
        print,
        note,
      })
    },
  },
  providers: {
    group: 'Setting up',
    summary: 'what YORI knows of providers',
    load: async () => {
      const { providersCommand } = await import('./commands/record/providers.js')
      return providersCommand({
        settings: (path) => {
          const { catalogue, endpoints } = configOf(path)
          return {
            file: catalogue.file,
            endpoints: endpoints.map(({ domain }) => domain),
          }
        },
        print,
      })
    },
  },
  'hash-password': {
    group: 'Setting up',
    summary: 'the hash of a password, for the configuration',
    load: async () =>
      (await import('./commands/household/hash-password.js')).hashPasswordCommand(
        await stateDeps(),
      ),
  },
  completion: {
    group: 'Setting up',
    summary: 'print what makes a shell complete commands of yori',
    load: async () =>
      (await import('./commands/run/completion.js')).completionCommand({
        program: everyCommand,
        print,
      }),
  },
  man: {
    group: 'Setting up',
    summary: 'print the manual page',
    load: async () => {
      const { manCommand } = await import('./commands/run/completion.js')
      return manCommand({ program: everyCommand, print, version: packageVersion() })
    },
  },
}

function signalled(): Promise<unknown> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, resolve)
  })
}

/** All of them, loaded: for what tells of each. */
export async function everyCommand(): Promise<Command> {
  const program = new Command('yori')
  for (const { load } of Object.values(COMMANDS)) program.addCommand(await load())
  return program
}

async function execDeps(): Promise<ExecDeps> {
  const { configuredYori, startOwnYori, yoriAnswers } =
    await import('./commands/run/own-yori.js')
  return {
    execOptions: async (path) => configuredYori(path),
    answers: yoriAnswers,
    startOwn: startOwnYori,
    startReplay: async (asked) =>
      (await import('./exec/replay-yori.js')).startReplayYori(asked),
    clock: systemClock,
    env: process.env,
    print,
    note,
    exit: (code) => {
      process.exitCode = code
    },
  }
}

async function stateDeps(): Promise<PolicyStateDeps> {
  const [{ readNeighbours }, { askSecret }, { runningInstance }] = await Promise.all([
    import('../net/neighbours.js'),
    import('./ask.js'),
    import('./instance.js'),
  ])
  return {
    running: (stateDir) => runningInstance(stateDir),
    load: (path) => configuration({ config: path }),
    print,
    note,
    clock: systemClock,
    env: process.env,
    neighbours: () => readNeighbours(),
    ask: async (stateDir, question) => {
      const { askRunning } = await import('../control/ask.js')
      return askRunning(stateDir, { actor: actorOf(process.env), ...question })
    },
    askSecret: async (question) => (await askSecret(question))?.reveal(),
    exit: (code) => {
      process.exitCode = code
    },
  }
}
