/**
 * `yori pf apply | remove | status`: steering on and off. The supervisor does the work where it
 * runs; without one, the same script does it once. Nothing is loaded that the packet filter has
 * not read first.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import type { Config } from '../../../../config/schema.js'
import {
  alone,
  askFilter,
  failed,
  foreignTable,
  readBypassed,
  readOptional,
  readStatus,
  runSteerScript,
  supervisorProcess,
  writePlan,
  writeWish,
} from '../../../../pf/apply.js'
import type { SteeringStatus } from '../../../../pf/steering-status.js'
import type { Bypassed } from '../../../../pf/unmet-rules.js'
import {
  MEANWHILE,
  OFF_CAUSES,
  offPeriodsSince,
  parseOffPeriods,
  remediesFor,
} from '../../../../pf/off-periods.js'
import type { OffPeriod } from '../../../../pf/off-periods.js'
import { wayTold } from '../../../../pf/steering-words.js'
import type { WayTold } from '../../../../pf/steering-words.js'
import { listenersAt } from '../../../../pf/port-taken.js'
import { readNotLetIn } from '../../../../pf/let-in-machine.js'
import type { NotLetIn } from '../../../../pf/let-in-machine.js'
import { readSteering, unledFamily, unledOf } from '../../../../pf/rules-read.js'
import type { Family, Steering } from '../../../../pf/rules.js'
import { momentText } from '../../../core/moment-text.js'
import { PROBE_INTERFACE } from '../../../core/own-probe.js'
import { steerSettings } from '../../../../pf/settings.js'
import { steeringFiles } from '../../../../pf/steering-files.js'
import type { SteeringFiles } from '../../../../pf/steering-files.js'
import { LOADED_BACKENDS, probeName, steeringPlan } from '../../../../pf/steering-plan.js'
import type { LoadedBackend } from '../../../../pf/steering-plan.js'
import { EXIT } from '../../exit.js'
import { fixedElements, refuse } from './pf-shared.js'
import type { PfCommandDeps } from './pf-shared.js'

export interface ApplyFlags {
  readonly config?: string
  readonly backend?: LoadedBackend
  readonly lan: readonly string[]
  readonly exempt: readonly string[]
  readonly force?: true
  readonly json?: true
}

export interface StateFlags {
  readonly config?: string
  readonly json?: true
}

/** The supervisor looks each second; YORI may need five good answers first. */
const SUPERVISOR_WAIT_MS = 15_000
const LOOK_AGAIN_MS = 100

const STEERED: ReadonlySet<string> = new Set(['both', 'inet', 'inet6'])

/** Of what was applied; undefined before. */
export function plannedBackend(files: SteeringFiles): LoadedBackend | undefined {
  const line = /^backend=(.*)$/m.exec(readOptional(files.plan) ?? '')?.[1]
  return LOADED_BACKENDS.find((name) => name === line)
}

export function usualBackend(): LoadedBackend {
  return process.platform === 'freebsd' ? 'pf' : 'nft-tproxy'
}

export async function apply(deps: PfCommandDeps, flags: ApplyFlags): Promise<void> {
  const config = deps.config(flags.config)
  return alone(steeringFiles(config.state_dir), () => applyAlone(deps, flags, config))
}

async function applyAlone(
  deps: PfCommandDeps,
  flags: ApplyFlags,
  config: Config,
): Promise<void> {
  const steered = steerSettings(config, flags)
  const read = readSteering(steered)
  if (read.kind === 'invalid') return refuse(deps, read.problems, flags)
  const { steering } = read
  const unled = unledFamily(steered, steering)
  if (unled !== undefined) deps.note(`yori: ${unled}\n`)
  const backend = flags.backend ?? usualBackend()
  const files = steeringFiles(config.state_dir)
  if (foreignTable(backend))
    throw failed(
      'nothing was loaded: a table `inet yori` that is none of YORI is there, and would be ' +
        'replaced; rename it, or take it away: nft delete table inet yori',
    )
  const notIn = readNotLetIn(backend, steering)
  const plan = steeringPlan({
    backend,
    steering,
    elements: await fixedElements(config),
    serverName: probeName(config),
    root: `${config.state_dir}/yori-root.pem`,
    id: randomBytes(8).toString('hex'),
    probe: {
      every: config.steer.probe_every,
      families: probedFamilies(deps, { backend, steering, notIn }),
    },
  })
  if (plan.kind === 'invalid') return refuse(deps, plan.problems, flags)
  for (const [name, text] of plan.rules) {
    const asked = askFilter(backend, text)
    if (asked.kind === 'not-asked') throw failed(`nothing was loaded: ${asked.why}`)
    if (asked.kind === 'refused')
      throw failed(`nothing was loaded: the rules of ${name} are refused\n${asked.says}`)
  }
  const { found } = readBypassed(backend, steering)
  showBypassed(deps, found)
  const refused = found.filter(({ refuses }) => refuses)
  if (refused.length > 0 && flags.force !== true) {
    const names = refused.map(({ of }) => of).join(', ')
    deps.note(
      `yori: nothing was changed: ${names} has a policy route, which YORI's own connections ` +
        'would not take; exempt it (--exempt, steer.exempt), leave its interface out, or --force\n',
    )
    return deps.exit(EXIT.no)
  }
  showNotLetIn(deps, notIn)
  if (notIn.some(isDropped) && flags.force !== true) {
    deps.note(
      'yori: nothing was changed: this machine would drop what is led here, and LLM hosts ' +
        'could not be reached at all; add the line above, also where your rules are kept, or --force\n',
    )
    return deps.exit(EXIT.no)
  }
  const { page } = steering
  if (page !== undefined && listenersAt(page.port).length > 0) {
    deps.note(
      `yori: ${page.from}: another program of this machine listens at port ${page.port}, and would be ` +
        "hidden from the steered networks behind YORI's page\n",
    )
    if (flags.force !== true) {
      deps.note(
        'yori: nothing was changed: name another port, leave it out (the page is at the ' +
          'port of `listen`), or --force\n',
      )
      return deps.exit(EXIT.no)
    }
  }
  writePlan(files, plan)
  writeWish(files, 'on')
  const holds = await bringOn(files, steering)
  if (flags.json)
    deps.print(
      `${JSON.stringify({ backend, holds, bypassed: found, notLetIn: notIn })}\n`,
    )
  else tellOn(deps, { backend, holds, files, steering })
  if (!STEERED.has(holds)) deps.exit(EXIT.no)
}

/**
 * Those in which the probe comes as clients do. Where rules let the operator's interfaces in by
 * name and everybody else not, its answer would say nothing of clients.
 */
function probedFamilies(
  { note }: PfCommandDeps,
  {
    backend,
    steering,
    notIn,
  }: {
    readonly backend: LoadedBackend
    readonly steering: Steering
    readonly notIn: readonly NotLetIn[]
  },
): Family[] {
  const probe = { name: PROBE_INTERFACE, from: 'steer.probe_every' }
  const own = readNotLetIn(backend, { ...steering, interfaces: [probe] })
  return steering.families.filter((family) => {
    const dropped = own.find((found) => found.family === family && isDropped(found))
    if (dropped === undefined) return true
    if (notIn.some((found) => found.family === family && isDropped(found))) return true
    note(
      `yori: ${familyWords(family)}: ${dropped.where} lets your interfaces in by name, so that no ` +
        `probe can ask as clients do; let ${PROBE_INTERFACE} in as well, then apply again\n`,
    )
    return false
  })
}

const isDropped = ({ verdict }: NotLetIn): boolean => verdict === 'dropped'

/** What holds afterwards: `both`, `inet`, `inet6`, or another word when nothing is steered. */
async function bringOn(files: SteeringFiles, steering: Steering): Promise<string> {
  const supervisor = supervisorProcess(files)
  if (supervisor !== undefined) {
    const status = await toldSupervisor(files, supervisor, ({ holds }) =>
      STEERED.has(holds),
    )
    return status?.holds ?? 'unknown'
  }
  const answering = steering.families.filter(
    (family) => runSteerScript(files, ['probe', family]).ok,
  )
  const [first] = answering
  if (first === undefined) return 'no-answer'
  const families = answering.length === 2 ? 'both' : first
  const { ok, says } = runSteerScript(files, ['on', families])
  if (!ok) throw failed(`the rules could not be loaded: ${says}`)
  return families
}

/** Its status once it has done as it was told, or when it has had its time. */
async function toldSupervisor(
  files: SteeringFiles,
  supervisor: number,
  done: (status: SteeringStatus) => boolean,
): Promise<SteeringStatus | undefined> {
  const before = readOptional(files.status)
  process.kill(supervisor, 'SIGHUP')
  const until = performance.now() + SUPERVISOR_WAIT_MS
  for (;;) {
    const status = readStatus(files)
    const fresh = readOptional(files.status) !== before
    if (status !== undefined && fresh && done(status)) return status
    if (performance.now() > until) return status
    await after(LOOK_AGAIN_MS)
  }
}

function tellOn(
  { print, note }: PfCommandDeps,
  {
    backend,
    holds,
    files,
    steering,
  }: {
    readonly backend: string
    readonly holds: string
    readonly files: SteeringFiles
    readonly steering: Steering
  },
): void {
  const supervised = supervisorProcess(files) !== undefined
  if (!STEERED.has(holds)) {
    const where = supervised ? 'see `yori pf status`' : 'start YORI and its supervisor'
    return note(`yori: written, but YORI does not answer yet (${holds}): ${where}\n`)
  }
  const interfaces = steering.interfaces.map(({ name }) => name).join(', ')
  print(`steering is on: ${familyWords(holds)} on ${interfaces} by ${backend}\n`)
  if (!supervised)
    note(
      'yori: no supervisor runs: nobody takes the rules away when YORI stops, and nobody ' +
        'renews the addresses\n',
    )
}

function familyWords(holds: string): string {
  if (holds === 'both') return 'IPv4 and IPv6'
  return holds === 'inet' ? 'IPv4' : 'IPv6'
}

export async function remove(deps: PfCommandDeps, flags: StateFlags): Promise<void> {
  const files = steeringFiles(deps.config(flags.config).state_dir)
  // Where nothing was ever asked for there is no folder to hold.
  if (readOptional(files.plan) === undefined) return removeAlone(deps, files, flags)
  return alone(files, () => removeAlone(deps, files, flags))
}

async function removeAlone(
  deps: PfCommandDeps,
  files: SteeringFiles,
  flags: StateFlags,
): Promise<void> {
  const planned = readOptional(files.plan) !== undefined
  if (planned) {
    writeWish(files, 'off')
    const supervisor = supervisorProcess(files)
    if (supervisor === undefined) {
      const { ok, says } = runSteerScript(files, ['forget'])
      if (!ok) throw failed(`steering could not be taken off: ${says}`)
    } else {
      const status = await toldSupervisor(files, supervisor, isOff)
      if (status === undefined || !isOff(status))
        throw failed(`the supervisor has not taken steering off: ${status?.holds}`)
    }
  }
  if (flags.json) deps.print(`${JSON.stringify({ holds: 'off' })}\n`)
  else deps.print(planned ? 'steering is off\n' : 'steering is off; it was never on\n')
}

function isOff({ wish, holds }: SteeringStatus): boolean {
  return wish === 'off' && holds === 'off'
}

export function status(deps: PfCommandDeps, flags: StateFlags): void {
  const config: Config = deps.config(flags.config)
  const files = steeringFiles(config.state_dir)
  const { timezone } = config.enforcement
  const supervisor = supervisorProcess(files)
  const wish = readOptional(files.desired)?.trim() ?? 'off'
  const told = supervisor === undefined ? undefined : readStatus(files)
  const addresses = (readOptional(files.table) ?? '').split('\n').filter(Boolean).length
  const all = parseOffPeriods(readOptional(files.offPeriods) ?? '')
  const periods = offPeriodsSince(all, 0).slice(-10)
  const unled = unledOf(steerSettings(config))
  const way = wayNow(files)
  if (flags.json) {
    const facts = { supervisor, wish, status: told, addresses, periods, unled, way }
    return deps.print(`${JSON.stringify(facts)}\n`)
  }
  const lines = [
    `supervisor  ${supervisor === undefined ? 'does not run' : `process ${supervisor}`}`,
    `wished for  ${wish}`,
    `holds       ${holdsText(supervisor, told, timezone)}`,
    `addresses   ${addresses}`,
    ...(unled === undefined ? [] : [`not led     ${unled}`]),
    ...way.map(({ what }) => `clients     ${what}`),
    ...periods.map(({ fromMs, toMs, cause, state }) => {
      const long =
        toMs === undefined ? 'to now' : `for ${Math.round((toMs - fromMs) / 1000)} s`
      const why = [cause, OFF_CAUSES[cause]?.what].filter(Boolean).join(', ')
      return `off         ${momentText(fromMs, timezone)} ${long}: ${why}; ${MEANWHILE[state]}`
    }),
    ...remediesOf(periods, way).map((mend) => `remedy      ${mend}`),
  ]
  deps.print(`${lines.join('\n')}\n`)
}

function remediesOf(periods: readonly OffPeriod[], way: readonly WayTold[]): string[] {
  const now = way.flatMap(({ mend }) => mend ?? [])
  return [...new Set([...remediesFor(periods), ...now])]
}

function holdsText(
  supervisor: number | undefined,
  told: SteeringStatus | undefined,
  zone: string | undefined,
): string {
  if (told !== undefined) return holdsLine(told, zone)
  return supervisor === undefined
    ? 'unknown without a supervisor'
    : 'unknown: the supervisor has not written it down; is the disk full?'
}

function holdsLine(
  { holds, since, why, backend }: SteeringStatus,
  zone: string | undefined,
): string {
  const at = momentText(since * 1000, zone)
  return `${holds}${why === '' ? '' : ` (${why})`} since ${at}, ${backend}`
}

/** `yori pf check` without a file: the rules of this machine that steering goes around. */
export function checkMachine(deps: PfCommandDeps, flags: StateFlags): void {
  const config = deps.config(flags.config)
  const files = steeringFiles(config.state_dir)
  const read = readSteering(steerSettings(config))
  if (read.kind === 'invalid') return refuse(deps, read.problems, flags)
  const backend = plannedBackend(files) ?? usualBackend()
  const { found, notAsked } = readBypassed(backend, read.steering)
  const notIn = readNotLetIn(backend, read.steering)
  const way = wayNow(files)
  if (flags.json)
    deps.print(`${JSON.stringify({ bypassed: found, notLetIn: notIn, notAsked, way })}\n`)
  else {
    showBypassed(deps, found)
    showNotLetIn(deps, notIn)
    for (const { level, what, mend } of way)
      if (level !== 'good')
        deps.note(`clients: ${what}${mend === undefined ? '' : `\n  ${mend}`}\n`)
    for (const command of notAsked) deps.note(`yori: could not be asked: ${command}\n`)
    if (found.length === 0) deps.print('no rule is bypassed\n')
  }
  const dropped = notIn.some(({ verdict }) => verdict === 'dropped')
  const lost = way.some(({ level }) => level === 'bad')
  if (dropped || lost || found.some(({ refuses }) => refuses)) deps.exit(EXIT.no)
}

/** What the running supervisor's probe met; nothing while nobody is to be led. */
function wayNow(files: SteeringFiles): WayTold[] {
  if (readOptional(files.desired)?.trim() !== 'on') return []
  const told = supervisorProcess(files) === undefined ? undefined : readStatus(files)
  return told === undefined ? [] : wayTold(told)
}

function showNotLetIn({ note }: PfCommandDeps, found: readonly NotLetIn[]): void {
  for (const { verdict, interfaces, family, where, hook, line } of found) {
    const may = verdict === 'dropped' ? 'drops' : 'may drop'
    const what = hook === 'input' ? 'what is led here' : 'the answers'
    note(
      `not let in: ${where} ${may} ${what} on ${interfaces.join(', ')}, ` +
        `${familyWords(family)}\n  to let it in, as root: ${line}\n`,
    )
  }
}

const BYPASSED_WORDS = {
  forward: 'not asked for steered packets (name the devices in steer.blocked)',
  destination: 'YORI comes first, or the destination has changed by then',
  'policy-route': "YORI's own connections do not take this route",
} as const satisfies Record<Bypassed['kind'], string>

function showBypassed({ note }: PfCommandDeps, found: readonly Bypassed[]): void {
  for (const { kind, where, rule } of found)
    note(`bypassed: ${where}: ${rule}\n  ${BYPASSED_WORDS[kind]}\n`)
}
