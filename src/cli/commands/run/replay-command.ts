/**
 * `yori replay`: what was recorded once more, one after the other, through a YORI of its own: by
 * another configuration, by other policies, to another server or model; or as a provider that
 * others ask (`--simulate`).
 */
import { Option } from 'commander'
import { loadCatalogue } from '../../../../config/read-catalogue.js'
import { printable } from '../../../audit/printable.js'
import type { Clock } from '../../../core/clock.js'
import type { SeenExchange } from '../../../proxy/words/observer.js'
import { MATCHES } from '../../../replay/matching.js'
import type { Match } from '../../../replay/matching.js'
import { readRecordings } from '../../../replay/recording-files.js'
import type { Recording } from '../../../replay/recording.js'
import { Command, InvalidArgumentError } from '../../commander.js'
import { EXIT } from '../../exit.js'
import { askByProxy, askServer, fieldsToSend, nameOf } from '../../exec/replay-asking.js'
import {
  estimate,
  factsOf,
  forModel,
  isCall,
  keyFor,
  recordedSaid,
} from '../../exec/replay-elsewhere.js'
import { replayFailed, replayReport } from '../../exec/replay-report.js'
import type { ReplayAsked, ReplayYori } from '../../exec/replay-yori.js'
import { dollars } from '../../print-table.js'
import { usage } from '../../usage.js'

export interface ReplayDeps {
  readonly start: (asked: ReplayAsked) => Promise<ReplayYori>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Undefined: there is nobody to ask. */
  readonly askYesNo: (question: string) => Promise<boolean | undefined>
  /** Resolves when a simulation is to end. */
  readonly ended: () => Promise<unknown>
  print(text: string): void
  note(text: string): void
  exit(code: number): void
}

interface Flags {
  readonly config?: string
  readonly delay: number
  readonly against?: string
  readonly policies?: string
  readonly model?: string
  readonly simulate?: true
  readonly port?: string
  readonly match: Match
  readonly timing: boolean
  readonly yes?: true
  readonly json?: true
}

const MOST_DELAY_S = 3600
/** Before an observer's word of an exchange is given up. */
const SETTLE_MS = 5_000

export function replayCommand(deps: ReplayDeps): Command {
  return new Command('replay')
    .description('send what was recorded once more: by other policies, to another model')
    .argument('<recordings>', 'the folder of yori record, or one file')
    .option('--config <file>', 'by this configuration: its policies and interceptors')
    .option('--delay <seconds>', 'between two exchanges', delayOf, 0)
    .option('--policies <dir>', 'say which decisions would differ by these policies')
    .option('--against <url>', 'ask that server, with your key, and compare')
    .option('--model <name>', 'ask that model, with your key, and compare')
    .option('--simulate', 'be the provider, until Ctrl-C')
    .option('--port <port>', 'of --simulate: listen there on 127.0.0.1')
    .addOption(
      new Option('--match <how>', 'of --simulate: which recording answers a request')
        .choices(MATCHES)
        .default('exact'),
    )
    .option('--no-timing', 'of --simulate: answers come at once, not as they came')
    .option('--yes', 'of --against and --model: do not ask before')
    .option('--json', 'a line of JSON for each')
    .action((path: string, flags: Flags) => replay(deps, path, flags))
}

function delayOf(text: string): number {
  const seconds = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > MOST_DELAY_S)
    throw new InvalidArgumentError(`It is a number of seconds, up to ${MOST_DELAY_S}.`)
  return seconds
}

async function replay(deps: ReplayDeps, path: string, flags: Flags): Promise<void> {
  const { simulate, against, model, policies } = flags
  const elsewhere = against !== undefined || model !== undefined
  const ways = [simulate === true, elsewhere, policies !== undefined].filter(Boolean)
  if (ways.length > 1)
    usage('--simulate, --policies and --against or --model are three different things')
  if (simulate === true) return simulated(deps, path, flags)
  if (elsewhere) return askedElsewhere(deps, path, flags)
  return passedAgain(deps, path, flags)
}

async function simulated(
  deps: ReplayDeps,
  path: string,
  { config, match, timing, port = '0' }: Flags,
): Promise<void> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) usage(`--port ${port} is no port`)
  const listen = `127.0.0.1:${port}`
  await using yori = await deps.start({ path, config, match, inTime: timing, listen })
  const { proxy, appliance, provider, read } = yori
  deps.print(
    [
      `# ${read.recordings.length} recordings answer until Ctrl-C; for the shell of a program:`,
      `export HTTPS_PROXY=${proxy} https_proxy=${proxy}`,
      `export NODE_EXTRA_CA_CERTS='${appliance.rootFile}' SSL_CERT_FILE='${appliance.rootFile}'`,
      `export OPENAI_BASE_URL=${proxy}/v1 ANTHROPIC_BASE_URL=${proxy}`,
      '',
    ].join('\n'),
  )
  await deps.ended()
  deps.note(replayReport(provider, read))
  if (replayFailed(provider)) deps.exit(EXIT.no)
}

interface Passed {
  readonly was: string
  readonly now: string
  readonly policy?: string | undefined
  readonly reason?: string | undefined
  readonly status: number
  readonly failure?: string | undefined
}

/** Each through the pipeline, answered as it was. */
async function passedAgain(deps: ReplayDeps, path: string, flags: Flags): Promise<void> {
  const { config, delay, policies, json } = flags
  const told = new LastEnded()
  await using yori = await deps.start({
    ...{ path, config, match: 'exact', inTime: false },
    observers: [{ name: 'replay', ended: (seen) => told.ended(seen) }],
    policies,
  })
  const { provider, read } = yori
  for (const { file, why } of read.unread)
    deps.note(`yori: not read: ${printable(file)}: ${printable(why)}\n`)
  const sums = { all: 0, differ: 0, failed: 0 }
  for (const [i, recording] of read.recordings.entries()) {
    if (i > 0 && delay > 0) await pause(delay * 1000)
    const passed = await passOne(recording, yori, told)
    sums.all++
    const differs = passed.was !== passed.now
    if (differs) sums.differ++
    if (passed.failure !== undefined) sums.failed++
    if (json === true) deps.print(`${JSON.stringify(lineOf(recording, passed))}\n`)
    else if (policies === undefined || differs) deps.print(textOf(recording, passed))
  }
  provider.expect(undefined)
  const decisions =
    sums.differ === 0
      ? 'every decision is as it was'
      : `${sums.differ} decisions ${policies === undefined ? 'are others' : 'would differ'}`
  const failures = sums.failed === 0 ? '' : `; ${sums.failed} could not be sent`
  deps.note(`yori: ${sums.all} exchanges replayed: ${decisions}${failures}\n`)
  if (sums.failed > 0) deps.exit(EXIT.no)
}

async function passOne(
  recording: Recording,
  yori: ReplayYori,
  told: LastEnded,
): Promise<Passed> {
  const { about, outcome } = recording
  yori.provider.expect(recording)
  const row = told.next()
  const said = await askByProxy(recording, yori)
  const seen = await within(said.failure === undefined ? SETTLE_MS : 0, row)
  const was = about.decision ?? (outcome === 'block' ? 'deny' : 'allow')
  const wasBroken = outcome === 'error' || recording.response?.endMs === undefined
  return {
    was,
    now: seen?.policyDecision ?? 'allow',
    policy: seen?.policyName ?? about.policy,
    reason: seen?.policyMessage ?? seen?.reason,
    status: said.status,
    failure: wasBroken ? undefined : said.failure,
  }
}

function lineOf({ id, request, response }: Recording, passed: Passed): unknown {
  const { was, now, policy, reason, status, failure } = passed
  const url = request.url.split('?', 1)[0]
  const recorded = response?.status
  return {
    id,
    method: request.method,
    url,
    was,
    now,
    policy,
    reason,
    status,
    recorded,
    failure,
  }
}

function textOf(recording: Recording, passed: Passed): string {
  const { was, now, policy, reason, status, failure } = passed
  const { request } = recording
  const where = `${request.method} ${nameOf(recording)}${new URL(request.url).pathname}`
  const decided = was === now ? now : `${was} -> ${now}`
  const why = now === 'allow' && was === 'allow' ? '' : ` (${policy ?? 'no policy'})`
  const because = reason === undefined || reason === '' ? '' : `: ${reason}`
  const answer = failure ?? String(status)
  return `${printable(`${where}  ${answer}  ${decided}${why}${because}`)}\n`
}

/** The row of the exchange that is under way, when it has ended. */
class LastEnded {
  #resolve: ((seen: SeenExchange) => void) | undefined

  next(): Promise<SeenExchange> {
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  ended(seen: SeenExchange): void {
    this.#resolve?.(seen)
  }
}

/** To a server or a model that answers anew. */
async function askedElsewhere(
  deps: ReplayDeps,
  path: string,
  flags: Flags,
): Promise<void> {
  const { against, model, delay } = flags
  if (against !== undefined && !/^https?:\/\//.test(against))
    usage('--against is a base URL, such as http://127.0.0.1:11434/v1')
  const { recordings } = await readRecordings(path)
  const calls = recordings.filter(isCall)
  if (calls.length === 0) usage(`no call of a model is recorded at ${path}`)
  const keys = keysOf(deps, calls, against)
  const catalogue = await shippedCatalogue()
  const cost = estimate(calls, catalogue, model)
  const unpriced =
    cost.unpriced === 0 ? '' : `, and ${cost.unpriced} without a known price`
  deps.note(
    `yori: ${cost.calls} calls to ${against ?? 'their providers'}` +
      `${model === undefined ? '' : ` for ${model}`}: about $${dollars(cost.microUsd)}${unpriced}\n`,
  )
  if (flags.yes !== true) {
    const isYes = await deps.askYesNo('Send them? [y/N] ')
    if (isYes === undefined) usage('there is nobody to ask: say --yes')
    if (!isYes) return deps.exit(EXIT.no)
  }
  let failed = 0
  for (const [i, recording] of calls.entries()) {
    if (i > 0 && delay > 0) await pause(delay * 1000)
    const { body, path: asked } = forModel(recording, model)
    const url = urlFor(recording, asked, against)
    const key = keys.get(recording.about.provider ?? 'openai')
    const fields = fieldsToSend(recording.request.fields)
    if (key !== undefined) fields[key.field] = [key.value]
    const said = await askServer(url, recording.request.method, { fields, body })
    if (said.failure !== undefined || said.status >= 400) failed++
    const before = recordedSaid(recording)
    const facts = {
      was: before === undefined ? undefined : factsOf(recording, before),
      now: factsOf(recording, said),
    }
    const compared = {
      id: recording.id,
      was: sideOf(before, facts.was),
      now: { ...sideOf(said, facts.now), failure: said.failure },
    }
    if (flags.json === true) deps.print(`${JSON.stringify(compared)}\n`)
    else deps.print(comparedText(compared))
  }
  deps.note(`yori: ${calls.length - failed} of ${calls.length} calls were answered\n`)
  if (failed > 0) deps.exit(EXIT.no)
}

/** Of each provider; of a server in the house none is asked for. */
function keysOf(
  { env }: ReplayDeps,
  calls: readonly Recording[],
  against: string | undefined,
): ReadonlyMap<string, { readonly field: string; readonly value: string }> {
  const keys = new Map<string, { field: string; value: string }>()
  const isLocal = against?.startsWith('http://') === true
  for (const provider of new Set(calls.map(({ about }) => about.provider ?? 'openai'))) {
    const key = keyFor(provider, env)
    if (key.kind === 'found') keys.set(provider, key)
    else if (!isLocal)
      usage(`a key is taken from the environment: set ${key.names.join(' or ')}`)
  }
  return keys
}

/** A base URL ends where the paths of its SDK begin. */
function urlFor(recording: Recording, path: string, against: string | undefined): URL {
  if (against === undefined) return new URL(path, new URL(recording.request.url).origin)
  const base = against.replace(/\/+$/, '')
  const [version] = /\/v\d\w*$/.exec(base) ?? []
  const rest =
    version !== undefined && path.startsWith(`${version}/`)
      ? path.slice(version.length)
      : path
  return new URL(base + rest)
}

async function shippedCatalogue() {
  const loaded = await loadCatalogue()
  if (loaded.kind === 'ok') return loaded.catalogue
  throw new Error('the catalogue of providers does not hold')
}

type Facts = ReturnType<typeof factsOf>

interface SideText {
  readonly status: number | undefined
  readonly ms: number | undefined
  readonly outputTokens: number | undefined
  readonly text: string | undefined
  readonly tools: readonly string[]
}

function sideOf(
  said: { readonly status: number; readonly ms: number } | undefined,
  facts: Facts,
): SideText {
  return {
    status: said?.status,
    ms: said === undefined ? undefined : Math.round(said.ms),
    outputTokens: facts?.usage.outputTokens,
    text: facts?.text,
    tools: facts?.toolCalls.map(({ name }) => name) ?? [],
  }
}

const SHOWN_CHARS = 200

function comparedText(compared: {
  readonly id: string
  readonly was: SideText
  readonly now: SideText & { readonly failure: string | undefined }
}): string {
  const { id, was, now } = compared
  const line = (of: string, side: SideText, failure?: string): string => {
    const counts = `${side.ms ?? '-'} ms, ${side.outputTokens ?? '?'} tokens out`
    const tools = side.tools.length === 0 ? '' : `, calls ${side.tools.join(', ')}`
    const text = (side.text ?? '').replace(/\s+/g, ' ').slice(0, SHOWN_CHARS)
    return `  ${of} ${failure ?? side.status ?? '-'}, ${counts}${tools}: ${text}`
  }
  return `${[printable(id), printable(line('was', was)), printable(line('now', now, now.failure))].join('\n')}\n`
}

async function within<T>(ms: number, waited: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  return Promise.race([waited, late]).finally(() => clearTimeout(timer))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
