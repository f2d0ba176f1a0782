/**
 * Hands a plan over to root's folder, asks packet filters what they think of it, and runs the
 * script that loads it. The only Node code that meets `nft` and `pfctl`, run by the operator's
 * commands, never by the appliance.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { makeFolder } from '../src/core/make-folder.js'
import { YoriError } from '../src/core/errors.js'
import type { Bypassed } from './unmet-rules.js'
import { ipRuleBypassed, nftBypassed, pfBypassed } from './unmet-rules.js'
import type { Steering } from './rules.js'
import { RULES_NAMES, STEER_SCRIPT, rulesFile } from './steering-files.js'
import type { SteeringFiles } from './steering-files.js'
import type { LoadedBackend, SteeringPlan } from './steering-plan.js'
import { parseStatus } from './steering-status.js'
import type { SteeringStatus } from './steering-status.js'

const ASK_TIMEOUT_MS = 10_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
const READABLE = 0o644

export type Asked =
  | { readonly kind: 'ok' }
  /** The program is not here, or does not run for this user. */
  | { readonly kind: 'not-asked'; readonly why: string }
  | { readonly kind: 'refused'; readonly says: string }

/** What the packet filter itself says of the text; nothing is loaded. */
export function askFilter(backend: LoadedBackend, text: string): Asked {
  const program = backend === 'pf' ? 'pfctl' : 'nft'
  const words = backend === 'pf' ? ['-a', 'yori', '-nf', '-'] : ['-c', '-f', '-']
  const { error, status, stderr } = spawnSync(program, words, {
    input: text,
    encoding: 'utf8',
    timeout: ASK_TIMEOUT_MS,
  })
  if (error !== undefined) return { kind: 'not-asked', why: whyNotAsked(program, error) }
  if (status === 0) return { kind: 'ok' }
  return { kind: 'refused', says: `${program}: ${stderr.trim().slice(0, 2000)}` }
}

function whyNotAsked(program: string, error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') return `${program}: ${error.message}`
  const remedy = program === 'nft' ? '; install nftables (apt-get install nftables)' : ''
  return `there is no program ${program} on this machine${remedy}`
}

/**
 * Writes the plan, its rules and what is wished for; each file whole or not at all, the wish
 * last.
 * @throws YORI_STEERING_FAILED
 */
export function writePlan(
  files: SteeringFiles,
  plan: Extract<SteeringPlan, { kind: 'ok' }>,
): void {
  prepareFolder(files)
  for (const name of RULES_NAMES) {
    const text = plan.rules.get(name)
    if (text === undefined) rmSync(rulesFile(files, name), { force: true })
    else replaceFile(rulesFile(files, name), text)
  }
  for (const [name, text] of plan.tables) replaceFile(`${files.directory}/${name}`, text)
  replaceFile(files.plan, plan.text)
}

export function writeWish(files: SteeringFiles, wish: 'on' | 'off'): void {
  prepareFolder(files)
  replaceFile(files.desired, `${wish}\n`)
}

/**
 * Runs alone: two at once would write a plan of one and rules of the other. The holder's process is
 * in the file; one that has ended holds nothing.
 * @throws YORI_STEERING_FAILED while another one runs
 */
export async function alone<T>(files: SteeringFiles, work: () => Promise<T>): Promise<T> {
  prepareFolder(files)
  const lock = `${files.directory}/apply.lock`
  const own = `${lock}.${process.pid}`
  writeFileSync(own, `${process.pid}\n`, { mode: READABLE })
  try {
    for (let tries = 0; !linked(own, lock); tries++) {
      const holder = Number(readOptional(lock))
      if (tries >= 3 || (holder > 0 && isAlive(holder)))
        throw failed(`nothing was changed: process ${holder} changes steering just now`)
      rmSync(lock, { force: true })
    }
    try {
      return await work()
    } finally {
      rmSync(lock, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

function linked(own: string, lock: string): boolean {
  try {
    linkSync(own, lock)
    return true
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A table of that name that is none of ours: it would be gone with the first load. */
export function foreignTable(backend: LoadedBackend): boolean {
  if (backend === 'pf') return false
  const words = ['-t', 'list', 'table', 'inet', 'yori']
  const { status, stdout } = spawnSync('nft', words, {
    encoding: 'utf8',
    timeout: ASK_TIMEOUT_MS,
  })
  return status === 0 && !/\bset lan_if\b[^]*\bchain leave_alone\b/.test(stdout)
}

/** Root obeys what lies there: it must be this user's own, and nobody else's to write. */
function prepareFolder({ directory }: SteeringFiles): void {
  try {
    makeFolder(directory, 0o755)
    const { mode, uid } = lstatSync(directory)
    const own = uid === process.getuid?.() && (mode & 0o170022) === 0o040000
    if (own) return
  } catch (cause) {
    throw failed(`${directory}: ${cause instanceof Error ? cause.message : ''}`, cause)
  }
  throw failed(
    `${directory} must be a folder of root's own that nobody else may write; ` +
      `run as root: chown root ${directory} && chmod 755 ${directory}`,
  )
}

function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`
  try {
    rmSync(fresh, { force: true })
    writeFileSync(fresh, text, { mode: READABLE, flag: 'wx' })
    chmodSync(fresh, READABLE)
    renameSync(fresh, path)
  } catch (cause) {
    throw failed(`${path}: ${cause instanceof Error ? cause.message : ''}`, cause)
  }
}

export type ScriptCommand =
  | readonly ['on', 'both' | 'inet' | 'inet6']
  | readonly ['probe', 'inet' | 'inet6']
  | readonly ['off' | 'closed' | 'forget' | 'refresh' | 'missing']

export interface ScriptAnswer {
  readonly ok: boolean
  readonly output: string
  readonly says: string
}

/** The script that the supervisor uses, too. */
export function runSteerScript(
  { directory, table }: SteeringFiles,
  command: ScriptCommand,
): ScriptAnswer {
  const words = [STEER_SCRIPT, directory, table, ...command]
  const { status, stdout, stderr, error } = spawnSync('/bin/sh', words, {
    encoding: 'utf8',
    timeout: 3 * ASK_TIMEOUT_MS,
  })
  if (error !== undefined) return { ok: false, output: '', says: error.message }
  return { ok: status === 0, output: stdout, says: stderr.trim() }
}

/** The running supervisor's process; undefined when none runs. */
export function supervisorProcess({ pid }: SteeringFiles): number | undefined {
  try {
    const process = Number(readFileSync(pid, 'utf8').trim())
    if (!Number.isSafeInteger(process) || process <= 1) return undefined
    const args = execFileSync('ps', ['-o', 'args=', '-p', String(process)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: ASK_TIMEOUT_MS,
    })
    // Process ids are used again.
    return args.includes('yori-supervisor') ? process : undefined
  } catch {
    return undefined
  }
}

export function readStatus({ status }: SteeringFiles): SteeringStatus | undefined {
  const text = readOptional(status)
  return text === undefined ? undefined : parseStatus(text)
}

export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** What the machine's own rules say that steering goes around; `notAsked`: could not be seen. */
export function readBypassed(
  backend: LoadedBackend,
  steering: Steering,
): { readonly found: readonly Bypassed[]; readonly notAsked: readonly string[] } {
  const notAsked: string[] = []
  const look = (program: string, ...words: string[]): string => {
    const { status, stdout, error } = spawnSync(program, words, {
      encoding: 'utf8',
      timeout: ASK_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    if (error === undefined && status === 0) return stdout
    notAsked.push([program, ...words].join(' '))
    return ''
  }
  if (backend === 'pf') {
    const rules = `${look('pfctl', '-s', 'nat')}\n${look('pfctl', '-s', 'rules')}`
    return { found: pfBypassed(rules, steering), notAsked }
  }
  const found = [
    ...nftBypassed(look('nft', '-s', 'list', 'ruleset'), steering),
    ...ipRuleBypassed(look('ip', '-4', 'rule', 'list'), steering),
    ...ipRuleBypassed(look('ip', '-6', 'rule', 'list'), steering),
  ]
  return { found, notAsked }
}

export function failed(detail: string, cause?: unknown): YoriError {
  return new YoriError('YORI_STEERING_FAILED', detail, { cause })
}
