/** `yori exec` runs a program through YORI; `yori env` prints the variables for a shell. */
import { randomBytes } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { renderVariables, shells, trustVariables } from '../../../../ca/export.js'
import type { Shell } from '../../../../ca/export.js'
import { programEnvironment } from '../../../../ca/program-environment.js'
import { readCa } from '../../../../ca/show-ca.js'
import type { TaggedSums } from '../../../audit/session-queries.js'
import type { Clock } from '../../../core/clock.js'
import { dollars } from '../../print-table.js'
import {
  besidePresent,
  STORE_PASSWORD,
  writeTrustFiles,
  writeTrustStore,
} from '../../../../ca/trust-files.js'
import { baseUrls } from '../../exec/base-urls.js'
import type { BaseUrls } from '../../exec/base-urls.js'
import { execReport } from '../../exec/exec-report.js'
import { PassedBy } from '../../exec/passed-by.js'
import { startProgram } from '../../exec/program.js'
import { Relay } from '../../exec/relay.js'
import type { ReplayAsked, ReplayYori } from '../../exec/replay-yori.js'
import { replayFailed, replayReport } from '../../exec/replay-report.js'
import { MATCHES } from '../../../replay/matching.js'
import type { Match } from '../../../replay/matching.js'
import { EXIT } from '../../exit.js'
import { usage } from '../../usage.js'

export interface ExecOptions {
  /** The CA's folder. */
  readonly directory: string
  /** Where YORI listens: `http://host:port`. */
  readonly proxy: string
  /** What YORI has recorded with this tag since; undefined: its record is not here. */
  readonly recorded?:
    ((id: string, sinceMs: number) => TaggedSums | undefined) | undefined
}

/** A YORI of this exec alone. */
export interface OwnYori extends ExecOptions, AsyncDisposable {}

export interface ExecDeps {
  execOptions(configPath: string | undefined): Promise<ExecOptions>
  /** Does a YORI answer there? */
  readonly answers?: (proxy: string) => Promise<boolean>
  /** `ephemeral`: with a state that is gone afterwards. */
  readonly startOwn?: (config: string | undefined, ephemeral: boolean) => Promise<OwnYori>
  /** One whose providers are recordings. */
  readonly startReplay?: (asked: ReplayAsked) => Promise<ReplayYori>
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  print(output: string): void
  note(text: string): void
  /** The program's exit code becomes ours. */
  exit(code: number): void
}

/** Which program, once it is known where it is led to. */
export type CommandOf = (led: {
  /** `http://127.0.0.1:port`. */
  readonly proxy: string
  /** The CA's folder. */
  readonly directory: string
}) => Promise<readonly string[]>

interface Flags {
  readonly config?: string
  readonly proxy?: string
  readonly trustDir?: string
}

export interface ExecFlags extends Flags {
  readonly ephemeral?: true
  readonly baseUrl?: true
  readonly replay?: string
  readonly match?: Match
  readonly timing?: boolean
  readonly maxUsd?: number
  readonly preload: boolean
  readonly summary: boolean
}

/** As `timeout` has it: the program was ended by us. */
const ENDED_BY_US = 124
/** How often it is asked what the program has spent. */
const SPENT_MS = 500
/** How long the record is waited for, once the program has ended. */
const RECORDED_MS = 2_000
const SETTLE_MS = 100
const MOST_USD = 1_000_000

export function execCommand(deps: ExecDeps): Command {
  return common(new Command('exec'))
    .description('run a program through YORI: yori exec -- COMMAND ARGUMENTS')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--ephemeral', 'by a YORI of its own, which leaves nothing behind')
    .option(
      '--replay <dir>',
      'answer it by recordings of yori record: no provider is asked',
    )
    .addOption(
      new Option('--match <how>', 'of --replay: which recording answers a request')
        .choices(MATCHES)
        .default('exact'),
    )
    .option('--no-timing', 'of --replay: answers come at once, not as they came')
    .option('--base-url', 'give SDKs a base URL as well: those that know no proxy')
    .option('--max-usd <amount>', 'ask it to end when it has spent more', usdOf)
    .option('--no-preload', 'leave NODE_OPTIONS alone')
    .option('--no-summary', 'say nothing at its end')
    .action((command: string[], flags: ExecFlags) =>
      exec(
        deps,
        {
          name: basename(command[0] ?? ''),
          commandOf: () => Promise.resolve(command),
        },
        flags,
      ),
    )
}

function usdOf(text: string): number {
  const amount = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || amount <= 0 || amount > MOST_USD)
    throw new InvalidArgumentError('It is an amount of US dollars, such as 2 or 0.50.')
  return amount
}

/** `name`: in the record. Ends with the program's exit code, by `deps.exit`. */
export async function exec(
  deps: ExecDeps,
  { name, commandOf }: { readonly name: string; readonly commandOf: CommandOf },
  flags: ExecFlags,
): Promise<void> {
  await using yori = await yoriFor(deps, flags)
  const { options } = yori
  const id = randomBytes(6).toString('hex')
  const since = deps.clock.now()
  const { hostname, port } = new URL(flags.proxy ?? options.proxy)
  const host = hostname.replace(/^\[|\]$/g, '')
  await using relay = await Relay.start({
    ...{ host, port: Number(port), id },
    program: { name, folder: process.cwd() },
  })
  const proxy = `http://127.0.0.1:${relay.port}`
  const variables = await variablesOf(deps, flags, { ...options, proxy })
  const led = flags.preload ? preloadVariables(deps.env, relay.port) : []
  const based =
    flags.replay !== undefined
      ? basedOnReplay(deps, flags, relay.port)
      : flags.baseUrl === true
        ? basedOn(deps, relay.port)
        : []
  const env = { ...deps.env, ...Object.fromEntries([...variables, ...led, ...based]) }
  const command = await commandOf({ proxy, directory: options.directory })
  const program = await startProgram(command, env)
  await using passedBy = new PassedBy(program.pid)
  // Of a YORI that was named by its address, nobody here knows the record.
  const ofRecord = flags.proxy === undefined ? options.recorded : undefined
  const recorded = (): TaggedSums | undefined => {
    try {
      return ofRecord?.(id, since)
    } catch {
      // The record cannot be read just now: the program goes on.
      return undefined
    }
  }
  if (flags.maxUsd !== undefined && ofRecord === undefined)
    deps.note(
      'yori: the record of that YORI is not known here: what it spends is not counted\n',
    )
  const limit = watchSpending(deps, {
    maxUsd: flags.maxUsd,
    recorded,
    end: () => program.end(),
  })
  const code = await program.ended
  limit.stop()
  if (yori.replay !== undefined) {
    const { provider, read } = yori.replay
    if (flags.summary || provider.counts.missed > 0)
      deps.note(replayReport(provider, read))
    deps.exit(code === 0 && replayFailed(provider) ? EXIT.no : code)
    return
  }
  if (flags.summary) {
    const sums = relay.counts.connections > 0 ? await settled(recorded) : undefined
    const past = process.platform === 'linux' ? passedBy.addresses : undefined
    deps.note(execReport({ relayed: relay.counts, passedBy: past, recorded: sums }))
  }
  deps.exit(limit.wasMet ? ENDED_BY_US : code)
}

interface ChosenYori extends AsyncDisposable {
  readonly options: ExecOptions
  readonly replay?: ReplayYori
}

/** The YORI that runs; where none does, one of its own. */
async function yoriFor(deps: ExecDeps, flags: ExecFlags): Promise<ChosenYori> {
  const { startOwn, answers } = deps
  const own = (started: OwnYori): ChosenYori => ({
    options: started,
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  })
  if (flags.replay !== undefined) return replaying(deps, flags, flags.replay)
  const startsOwn = startOwn !== undefined && flags.proxy === undefined
  if (startsOwn && flags.ephemeral === true)
    return own(await startOwn(flags.config, true))
  const options = await deps.execOptions(flags.config)
  if (!startsOwn || answers === undefined || (await answers(options.proxy)))
    return { options, [Symbol.asyncDispose]: () => Promise.resolve() }
  deps.note(`yori: none runs at ${options.proxy}: this program gets one of its own\n`)
  return own(await startOwn(flags.config, false))
}

async function replaying(
  { startReplay }: ExecDeps,
  { config, match = 'exact', timing = true, proxy }: ExecFlags,
  path: string,
): Promise<ChosenYori> {
  if (proxy !== undefined) usage('--replay has a YORI of its own: leave --proxy out')
  if (startReplay === undefined) usage('--replay is not to be had here')
  const replay = await startReplay({ path, config, match, inTime: timing })
  const { directory, proxy: at } = replay
  return {
    replay,
    options: { directory, proxy: at },
    [Symbol.asyncDispose]: () => replay[Symbol.asyncDispose](),
  }
}

interface Limit {
  wasMet: boolean
  stop(): void
}

/** Counted by the record: what is under way costs what it costs. */
function watchSpending(
  deps: ExecDeps,
  on: {
    readonly maxUsd: number | undefined
    readonly recorded: () => TaggedSums | undefined
    readonly end: () => void
  },
): Limit {
  const { maxUsd, recorded, end } = on
  if (maxUsd === undefined) return { wasMet: false, stop: () => undefined }
  let isTold = false
  const timer = setInterval(() => {
    const sums = recorded()
    if (sums === undefined) return
    const { unpriced, uncounted, microUsd, atMostMicroUsd } = sums
    if (!isTold && unpriced > 0) {
      const how =
        uncounted > 0 ? 'not counted' : 'counted as what it can have cost at most'
      deps.note(`yori: some of its calls have no known price: ${how}\n`)
      isTold = true
    }
    if (limit.wasMet || microUsd + atMostMicroUsd <= maxUsd * 1e6) return
    limit.wasMet = true
    const most =
      atMostMicroUsd > 0
        ? ` (of that at most $${dollars(atMostMicroUsd)} without a known price)`
        : ''
    const spent = dollars(microUsd + atMostMicroUsd)
    deps.note(`yori: it has spent $${spent} of $${maxUsd}${most}: it is ended\n`)
    end()
  }, SPENT_MS)
  const limit: Limit = { wasMet: false, stop: () => clearInterval(timer) }
  return limit
}

/** Rows are written in batches: the sums stand when they have stopped to grow. */
async function settled(
  recorded: () => TaggedSums | undefined,
): Promise<TaggedSums | undefined> {
  let last = recorded()
  for (let waited = 0; waited < RECORDED_MS; waited += SETTLE_MS) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const now = recorded()
    const isSame = now?.exchanges === last?.exchanges && now?.tokens === last?.tokens
    last = now
    if (isSame && (now?.exchanges ?? 0) > 0 && waited > 3 * SETTLE_MS) break
  }
  return last
}

/** One that is set is somebody's decision. */
function basedOn(deps: ExecDeps, port: number): BaseUrls['set'] {
  const { set, kept } = baseUrls(`http://127.0.0.1:${port}`, deps.env)
  if (kept.length > 0)
    deps.note(`yori: ${kept.join(' and ')} is set already, and stays as it is\n`)
  return set
}

/** A base URL in the clear is a gateway's, which is not asked: the recordings are. */
function basedOnReplay(deps: ExecDeps, flags: ExecFlags, port: number): BaseUrls['set'] {
  const { set, kept } = baseUrls(`http://127.0.0.1:${port}`, deps.env)
  const isPlain = (name: string): boolean => /^http:/i.test(deps.env[name] ?? '')
  const free = Object.fromEntries(kept.map((name) => [name, undefined]))
  const over = baseUrls(`http://127.0.0.1:${port}`, { ...deps.env, ...free }).set
  return [
    ...(flags.baseUrl === true ? set : []),
    ...over.filter(([name]) => kept.includes(name) && isPlain(name)),
  ]
}

/** Every Node of the program runs it first; see `exec/preload.ts`. */
function preloadVariables(
  env: ExecDeps['env'],
  port: number,
): readonly (readonly [string, string])[] {
  const file = fileURLToPath(new URL('../../exec/preload.cjs', import.meta.url))
  const before = env['NODE_OPTIONS'] ?? ''
  return [
    ['YORI_EXEC_RELAY', `127.0.0.1:${port}`],
    [
      'NODE_OPTIONS',
      [before, `--require=${quoted(file)}`].filter((part) => part !== '').join(' '),
    ],
  ]
}

/** Blanks end an option in NODE_OPTIONS, but between double quotes. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&')}"`
}

export function envCommand(deps: ExecDeps): Command {
  return common(new Command('env'))
    .description('print the variables that lead programs through YORI')
    .addOption(new Option('--shell <shell>', 'for which').choices(shells).default('sh'))
    .option('--json', 'print for programs')
    .action(async (flags: Flags & { shell: Shell; json?: true }) => {
      const options = await deps.execOptions(flags.config)
      const proxy = flags.proxy ?? options.proxy
      const variables = await variablesOf(deps, flags, { ...options, proxy })
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
  { directory, proxy }: ExecOptions,
): Promise<readonly (readonly [string, string])[]> {
  const { pem } = (await readCa(directory, deps.clock)).root
  const folder = resolve(flags.trustDir ?? join(directory, 'trust'))
  const files = await writeTrustFiles(folder, pem)
  const present = deps.env
  const trust = { folder, rootPem: pem, present }
  return programEnvironment({
    proxy,
    trust: await besidePresent(trustVariables(files), trust),
    storeFile: await writeTrustStore(folder, pem),
    storePassword: STORE_PASSWORD,
    present,
  })
}
