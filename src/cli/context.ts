/** What the commands share: the configuration as they ask for it, and where they print. */
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.js'
import type { LoadedConfig, Override } from '../../config/load.js'
import { formatProblem } from '../../config/problem.js'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'

export interface ConfigFlags {
  readonly config?: string | undefined
  readonly stateDir?: string | undefined
  readonly overrides?: readonly Override[]
}

export type Loaded = Extract<LoadedConfig, { kind: 'ok' }>

let stateDirAsked: string | undefined

/** What the command at hand was given as `--state-dir`. */
export function useStateDir(folder: string | undefined): void {
  stateDirAsked = folder
}

/** The configuration as every command finds it, or all that is wrong with it. */
export function findConfiguration(flags: ConfigFlags): LoadedConfig {
  const stateDir = flags.stateDir ?? stateDirAsked
  const value = stateDir === undefined ? undefined : resolve(stateDir)
  const over = { name: '--state-dir', from: 'command line', path: ['state_dir'] } as const
  return loadConfig({
    path: flags.config,
    env: process.env,
    cwd: process.cwd(),
    stateDir: process.env['YORI_STATE_DIR'] ?? usualState(thisPerson()),
    flags: [
      ...(flags.overrides ?? []),
      ...(value === undefined ? [] : [{ ...over, value }]),
    ],
  })
}

/**
 * The configuration in force.
 * @throws YORI_CONFIG_INVALID with every problem, one a line
 */
export function configuration(flags: ConfigFlags): Loaded {
  const loaded = findConfiguration(flags)
  if (loaded.kind === 'invalid') {
    const lines = loaded.problems.map(formatProblem)
    throw new YoriError(
      'YORI_CONFIG_INVALID',
      `the configuration is not valid\n${lines.join('\n')}`,
    )
  }
  return loaded
}

interface Person {
  readonly isRoot: boolean
  readonly home: string
  /** XDG_STATE_HOME. */
  readonly stateHome: string | undefined
  readonly isReadable: (folder: string) => boolean
}

/** As the schema has it. */
const SERVICE_STATE = '/var/db/yori'

/**
 * Where state is when nobody says: `npm start` keeps it in ./var, and commands beside it find it
 * there; else it is the service's folder for root and for whoever may read it, and a person's own.
 * Undefined: the schema's.
 */
export function usualState(person: Person): string | undefined {
  if (person.isReadable('var/audit.db')) return 'var'
  if (person.isRoot || person.isReadable(SERVICE_STATE)) return undefined
  const { stateHome, home } = person
  // A relative one is to be ignored: XDG Base Directory 0.8.
  const folder = stateHome?.startsWith('/') === true ? stateHome : `${home}/.local/state`
  return `${folder}/yori`
}

const thisPerson = (): Person => ({
  isRoot: process.geteuid?.() === 0,
  home: homedir(),
  stateHome: process.env['XDG_STATE_HOME'],
  isReadable: (path) => {
    try {
      accessSync(path, constants.R_OK)
      return true
    } catch {
      return false
    }
  },
})

export function configOf(path: string | undefined): Config {
  return configuration({ config: path }).config
}

export function print(output: string | Uint8Array): void {
  process.stdout.write(output)
}

export function note(text: string): void {
  process.stderr.write(text)
}

const PROGRESS_MS = 1000

/** A line at most once a second; work that is shorter than that says nothing. */
export function progressLine(clock: Clock): (done: number, total: number) => void {
  let toldAt = clock.monotonic()
  return (done, total) => {
    if (clock.monotonic() - toldAt < PROGRESS_MS) return
    toldAt = clock.monotonic()
    const share = total === 0 ? '' : `, ${Math.floor((100 * done) / total)} %`
    note(`yori: ${done} so far${share}\n`)
  }
}
