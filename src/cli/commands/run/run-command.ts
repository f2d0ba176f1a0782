/** `yori run`: YORI in the foreground until SIGTERM or SIGINT; SIGHUP reloads. */
import { createRequire } from 'node:module'
import type { WriteStream } from 'node:tty'
import { setDefaultHighWaterMark } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import type * as Pino from 'pino'
import { formatProblem } from '../../../../config/problem.js'
import type { Config } from '../../../../config/schema.js'
import { GATEWAY_HOST, GATEWAY_PORT, logLevel } from '../../../../config/gateway-file.js'
import type { Override } from '../../../../config/load.js'
import { gatewayOverrides } from './gateway-flags.js'
import { Appliance } from '../../../assembly/appliance.js'
import { seenRow } from '../../../audit/seen-row.js'
import type { ExchangeObserver } from '../../../proxy/words/observer.js'
import { watchLine } from '../../watch-line.js'
import {
  formatSocketAddress,
  parseSocketAddress,
  Prefixes,
} from '../../../core/address.js'
import type { SocketAddress } from '../../../core/address.js'
import { systemClock } from '../../../core/clock.js'
import { Alerts } from '../../../alerts/alerts.js'
import type { Fleet, FleetOptions } from '../../../fleet/fleet.js'
import { Interceptors } from '../../../interceptors/interceptors.js'
import { Telemetry } from '../../../control/telemetry.js'
import { Control } from '../../../control/control.js'
import { WafKeeper } from '../../../waf/keeper.js'
import { wafSettingsOf } from '../../../waf/settings-of.js'
import { banner } from '../../banner.js'
import { packageVersion } from '../../package-version.js'
import { Command } from '../../commander.js'
import { configuration, findConfiguration, note } from '../../context.js'
import type { ConfigFlags } from '../../context.js'
import { EXIT, exitCodeOf, failureLine } from '../../exit.js'
import { terminalLog } from '../../log-line.js'
import { InstanceLock } from '../../instance.js'
import { openLogTarget } from '../../log-target.js'
import { failStart } from '../../start-problems.js'
import { usage } from '../../usage.js'

// Required, not imported: see ../../commander.ts.
const { pino } = createRequire(import.meta.url)('pino') as typeof Pino

/**
 * What one direction of a connection may hold before the other side is asked to wait. Node's
 * own from 22 on; with the 16 KiB of Node 20 each TLS record waits for the one before it.
 */
const STREAM_BUFFER_BYTES = 64 * 1024

/**
 * V8 makes what survived often while code was new among what is long-lived from then on. Dead
 * there, it holds all of an exchange that it points to until that part of the heap is looked
 * through: at 32 connections 10 KB a request, and a third of its CPU, in most starts.
 */
const KEEP_YOUNG = '--no-allocation-site-pretenuring'

/** Lines that wait for a terminal. */
const MOST_UNSHOWN_BYTES = 256 * 1024

/** Of one body that is kept whole: as much as is inspected. */
const KEPT_BODY_BYTES = 8 * 1024 * 1024

interface RunFlags {
  readonly config?: string
  readonly stateDir?: string
  readonly host?: string
  readonly port?: string
  readonly cert?: string
  readonly key?: string
  readonly logLevel?: string
  readonly keep?: true
  readonly baseUrl?: string
  readonly type?: string
  readonly apiKey?: string
}

export function runCommand(): Command {
  return new Command('run')
    .description('run in the foreground')
    .option('--config <file>', 'the configuration file')
    .option('--state-dir <dir>', 'where CA and records are kept, over state_dir')
    .option('--host <address>', 'listen there, over listen')
    .option('--port <port>', 'listen on that port, over listen')
    .option('--cert <file>', "PEM chain for YORI's own site, over proxy.tls_cert")
    .option('--key <file>', 'PEM key for --cert, over proxy.tls_key')
    .option('--log-level <level>', 'debug, info, warn, error or silent, over log.level')
    .option('--base-url <url>', 'be a gateway to this one provider, on 127.0.0.1:4000')
    .option('--type <name>', 'whose API --base-url speaks, such as openai')
    .option('--api-key <key>', 'sent to --base-url where a client sends none')
    .option('--keep', 'keep whole conversations; for listeners on this machine alone')
    .action((flags: RunFlags) => run(flags))
}

/** As agents have it beside them: doors on this machine, and a policy for each request. */
export function sidecarCommand(): Command {
  return new Command('sidecar')
    .description('a gateway beside an agent: each request is governed by your policies')
    .option('--port <port>', 'listen on 127.0.0.1 and that port', SIDECAR_PORT)
    .option('--config <file>', 'the configuration; without a mode in it, policies block')
    .option('--policies <dir>', 'the policies that are asked, over policies.directory')
    .option('--state-dir <dir>', 'where CA and records are kept, over state_dir')
    .option('--log-level <level>', 'debug, info, warn, error or silent, over log.level')
    .action((flags: SidecarFlags) =>
      run({ ...flags, host: GATEWAY_HOST }, sidecarOverrides(flags)),
    )
}

type SidecarFlags = Pick<RunFlags, 'config' | 'port' | 'stateDir' | 'logLevel'> & {
  readonly policies?: string
}

const SIDECAR_PORT = '9322'

/**
 * It governs what runs on this machine by itself: its policies block, unless the configuration
 * says what is to hold.
 */
function sidecarOverrides({ config, policies }: SidecarFlags): Override[] {
  const over = (path: readonly string[], value: unknown): Override => ({
    ...{ name: 'sidecar', from: 'command line', path, value },
  })
  return [
    over(['gateway', 'sidecar'], true),
    ...(policies === undefined ? [] : [over(['policies', 'directory'], policies)]),
    ...(saysMode(config)
      ? []
      : [
          over(['mode'], 'enforce'),
          over(['enforcement', 'enabled'], true),
          over(['enforcement', 'consent_accepted'], true),
        ]),
  ]
}

/** @throws YORI_CONFIG_INVALID, YORI_CONFIG_UNREADABLE */
function saysMode(config: string | undefined): boolean {
  const { origins } = configuration({ config })
  return [origins.mode, origins.enforcement].some((from) => !from.includes('default'))
}

async function run(flags: RunFlags, more: readonly Override[] = []): Promise<void> {
  setDefaultHighWaterMark(false, STREAM_BUFFER_BYTES)
  setFlagsFromString(KEEP_YOUNG)
  const wanted = configFlags(flags, more)
  const loaded = configuration(wanted)
  const { config, source, warnings } = loaded
  if (flags.keep === true) refuseKeeping(config)
  for (const warning of warnings) note(`${formatProblem(warning)}\n`)
  using lock = InstanceLock.take(config.state_dir)
  const log = pino(
    { level: config.log.level },
    config.log.file === undefined && process.stderr.isTTY
      ? terminalLog(process.stderr, config.enforcement.timezone)
      : openLogTarget(config.log.file).destination,
  )
  const [startedAt, version] = [systemClock.now(), packageVersion()]
  const about = { clock: systemClock, log, version, startedAt }
  const telemetry = new Telemetry(about)
  const alerts = new Alerts({ config, clock: systemClock, log })
  const print = (text: string): void => void process.stdout.write(text)
  const interceptors = new Interceptors({ ...about, print })
  interceptors.use(config)
  const inForce = {
    get config() {
      return appliance.current.config
    },
    rebuild: () => appliance.rebuild(),
  }
  const fleet = await fleetOf(config, { ...about, inForce })
  const appliance: Appliance = new Appliance({
    config,
    clock: systemClock,
    log,
    concerns: () => fleet?.concerns ?? [],
    ...fleet?.forAppliance,
    observers: [
      ...telemetry.observers,
      alerts,
      interceptors.observer,
      ...(process.stdout.isTTY
        ? [terminalLines(process.stdout, config.enforcement.timezone)]
        : []),
    ],
  })
  const waf = new WafKeeper({
    ...{ stateDir: config.state_dir, clock: systemClock, log },
    event: (kind, details) =>
      appliance.audit.event({ at: systemClock.now(), kind, details }),
  })
  telemetry.attachWaf(() => waf.state)
  const skipped = await appliance.start().catch(async (failure: unknown) => {
    // What they hold, such as a thread, would keep the process of a YORI that is none.
    await Promise.all([interceptors.stop(), fleet?.stop()])
    return failStart(failure, loaded, systemClock)
  })
  lock.announce({
    pid: process.pid,
    listen: appliance.addresses.map(formatSocketAddress),
    startedAt,
  })
  await waf.use(wafSettingsOf(config))
  alerts.start(appliance)
  if (fleet !== undefined) {
    await fleet.start()
    telemetry.attachFleet(() => fleet.families())
  }
  interceptors.attach(appliance.conversations.calls.events)
  // The file of the start, also where it was searched for: one that has gone since is a
  // fault, not a reason to go on without.
  const again = source === 'defaults' ? wanted : { ...wanted, config: source }
  const control: Control = new Control(config, {
    appliance,
    telemetry,
    alerts,
    ...(fleet === undefined ? {} : { fleet }),
    settings: {
      load: (path) => findConfiguration({ ...again, config: path }),
      reload: () => reload({ appliance, control, alerts, interceptors, waf }, again),
    },
    ...about,
    source: source === 'defaults' ? undefined : source,
  })
  appliance.useOpenAnswers((asked) => control.openAnswer(asked))
  await control.start()
  // Whoever sees the banner may send signals.
  const running = { appliance, control, alerts, interceptors, waf }
  const stopped = untilStopped({ ...running, fleet }, log)
  reloadOnHangup(running, again, log)
  const { places } = control
  process.stdout.write(
    banner({
      ...{ appliance, config, source, skipped },
      ...{ control: places, stateDir: flags.stateDir },
    }),
  )
  log.info(
    {
      mode: config.mode,
      listen: appliance.addresses.map(formatSocketAddress),
      fingerprint: appliance.current.authority.rootFingerprint,
      endpoints: config.endpoints.filter(({ enabled }) => enabled).length,
      enforcement: config.enforcement.enabled,
      skipped: skipped.map((address: SocketAddress) => formatSocketAddress(address)),
    },
    'YORI is running',
  )
  await openLiveTrace(config, flags)
  await stopped
}

/** For who has started it by hand, at a display. */
async function openLiveTrace(
  { interceptors }: Config,
  { config, stateDir }: RunFlags,
): Promise<void> {
  const opens = interceptors.some(
    ({ type, enabled, config: { auto_open_browser } }) =>
      type === 'live_trace' && enabled && auto_open_browser,
  )
  if (!opens || !process.stdout.isTTY) return
  const { dashboardCommand } = await import('./dashboard.js')
  const wanted = { config, stateDir }
  await dashboardCommand({
    config: (path) => configuration({ ...wanted, config: path ?? config }).config,
    print: (text) => void process.stdout.write(text),
    note,
    env: process.env,
    platform: process.platform,
    isTerminal: true,
  })
    .parseAsync([], { from: 'user' })
    .catch((error: unknown) => note(`${failureLine(error)}\n`))
}

const LOOPBACK = new Prefixes(['127.0.0.0/8', '::1/128'])

/** What others say is not kept by a flag. */
function refuseKeeping({ listen }: Config): void {
  const open = listen.filter(
    (text) => !LOOPBACK.has(parseSocketAddress(text)?.address ?? ''),
  )
  if (open.length === 0) return
  usage(
    `--keep keeps whole conversations, for this machine alone, and ${open.join(', ')} is open ` +
      'to others; add --host 127.0.0.1, or set audit.bodies in the configuration',
  )
}

/** A line an exchange, as `yori watch` has it, for who started it by hand. */
function terminalLines(
  terminal: WriteStream,
  zone: string | undefined,
): ExchangeObserver {
  const colour = !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return {
    name: 'terminal',
    ended: (seen) => {
      // A terminal that does not keep up costs lines, no memory.
      if (terminal.writableLength > MOST_UNSHOWN_BYTES) return
      const looks = { colour, width: terminal.columns, zone }
      terminal.write(watchLine(seenRow(seen), looks))
    },
  }
}

/** What runs, and what shows it. */
interface Running {
  readonly appliance: Appliance
  readonly control: Control
  readonly alerts: Alerts
  readonly interceptors: Interceptors
  readonly waf: WafKeeper
}

interface FleetPart {
  readonly fleet: Fleet | undefined
}

/** Of a gateway that is one of many; nothing of it is loaded for the others. */
async function fleetOf(
  config: Config,
  about: Pick<FleetOptions, 'clock' | 'log' | 'version' | 'inForce'>,
): Promise<Fleet | undefined> {
  const { audit, fleet, policies } = config
  const servers = [audit.ship.url, fleet.counters.url, policies.bundle.url]
  const isAlone = servers.every((url) => url === undefined)
  if (isAlone && Object.keys(audit.sinks).length === 0) return undefined
  const { Fleet } = await import('../../../fleet/fleet.js')
  return new Fleet({ config, ...about })
}

function reloadOnHangup(running: Running, wanted: ConfigFlags, log: Pino.Logger): void {
  process.on('SIGHUP', () => {
    void reload(running, wanted).then(
      (config) => log.info({ mode: config.mode }, 'reloaded'),
      (error: unknown) => {
        log.error(
          { reason: failureLine(error) },
          'not reloaded; the old configuration serves on',
        )
      },
    )
  })
}

async function reload(running: Running, wanted: ConfigFlags): Promise<Config> {
  const loaded = configuration(wanted)
  const { config } = loaded
  await running.appliance
    .reload(config)
    .catch((failure: unknown) => failStart(failure, loaded, systemClock))
  await running.control.use(config)
  running.alerts.use(config)
  running.interceptors.use(config)
  await running.waf.use(wafSettingsOf(config))
  return config
}

/** A second signal does not wait for what is under way. */
function untilStopped(
  { appliance, control, alerts, interceptors, fleet, waf }: Running & FleetPart,
  log: Pino.Logger,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let asked = false
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(EXIT.ok)
      asked = true
      log.info({ signal }, 'stopping: exchanges under way may finish')
      void control.stop()
      const stopped = appliance
        .stop()
        .then(() =>
          Promise.all([alerts.stop(), interceptors.stop(), fleet?.stop(), waf.stop()]),
        )
      stopped.then(() => {
        log.info({}, 'stopped')
        log.flush()
        resolve()
      }, reject)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
    // Never live on in an unknown state: log, exit, and let the supervisor start us again.
    for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(fault, (error: unknown) => {
        log.fatal({ err: error, fault }, 'a fault of YORI itself')
        log.flush()
        note(`${failureLine(error)}\n`)
        process.exit(exitCodeOf(error) || EXIT.internal)
      })
    }
  })
}

function configFlags(flags: RunFlags, more: readonly Override[]): ConfigFlags {
  const overrides = [...gatewayOverrides(flags, process.env), ...more]
  const over = (name: string, path: readonly string[], value: unknown): void => {
    overrides.push({ name, from: 'command line', path, value })
  }
  if (flags.host !== undefined || flags.port !== undefined) {
    const isGateway = overrides.length > more.length
    const host = flags.host ?? (isGateway ? GATEWAY_HOST : '0.0.0.0')
    const bracketed = host.includes(':') ? `[${host}]` : host
    over(
      flags.port === undefined ? '--host' : '--port',
      ['listen'],
      `${bracketed}:${flags.port ?? (isGateway ? String(GATEWAY_PORT) : '8443')}`,
    )
  }
  if (flags.cert !== undefined) over('--cert', ['proxy', 'tls_cert'], flags.cert)
  if (flags.key !== undefined) over('--key', ['proxy', 'tls_key'], flags.key)
  if (flags.keep === true) {
    over('--keep', ['audit', 'bodies'], 'both')
    over('--keep', ['audit', 'body_bytes'], KEPT_BODY_BYTES)
  }
  if (flags.logLevel !== undefined)
    over('--log-level', ['log', 'level'], logLevel(flags.logLevel))
  return { config: flags.config, stateDir: flags.stateDir, overrides }
}
