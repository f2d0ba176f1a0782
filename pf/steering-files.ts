/**
 * Where steering keeps its files, and who may write each: the one place that names them.
 *
 * What root obeys lies in a folder of root's own beside the state directory, never inside it:
 * whoever may write the state directory could put another file there, and root would load it.
 * The one file that crosses over is the table of addresses, which the supervisor checks line
 * by line. Pure: only names.
 */
import { packageFile } from '../src/core/package-root.js'

/** The supervisor, and the script with which it and `yori pf` load and take away rules. */
export const SUPERVISOR = packageFile('pf', 'supervisor', 'yori-supervisor.sh')
export const STEER_SCRIPT = packageFile('pf', 'supervisor', 'yori-steer.sh')

export interface SteeringFiles {
  /** root:root 0755; nothing in it is written by anybody else. */
  readonly directory: string
  /** Written by `yori pf apply`: `key=value` lines, see `steering-plan.ts`. */
  readonly plan: string
  /** Written by `apply` and `remove`: the line `on` or `off`. */
  readonly desired: string
  /** The supervisor's: `key=value` lines, what holds now and since when. */
  readonly status: string
  /** The supervisor's: a line each time that steering failed and when it was back. */
  readonly offPeriods: string
  /** The supervisor's process id; stale when no such process is there. */
  readonly pid: string
  /** In the state directory, written by YORI: one address or prefix a line. */
  readonly table: string
  /** In the state directory, YORI's: the number of the last off period that it recorded. */
  readonly offPeriodsSeen: string
}

/**
 * What a backend is told in each state: `on.both`, `on.inet`, `on.inet6`, `off`, `closed`; `probe`
 * is for the probe alone, while nobody is led.
 */
export const RULES_NAMES = [
  'on.both',
  'on.inet',
  'on.inet6',
  'off',
  'closed',
  'probe',
] as const
export type RulesName = (typeof RULES_NAMES)[number]

export function steeringFiles(stateDir: string): SteeringFiles {
  const beside = stateDir.replace(/\/+$/, '')
  const directory = `${beside}-steer`
  return {
    directory,
    plan: `${directory}/plan`,
    desired: `${directory}/desired`,
    status: `${directory}/status`,
    offPeriods: `${directory}/off-periods`,
    pid: `${directory}/supervisor.pid`,
    table: `${beside}/steer-table`,
    offPeriodsSeen: `${beside}/steer-off-periods-seen`,
  }
}

export function rulesFile({ directory }: SteeringFiles, name: RulesName): string {
  return `${directory}/rules.${name}`
}

/** How the supervisor is started; what follows `--` is YORI itself, started unprivileged. */
export function supervisorArguments(
  stateDir: string,
  { user, command }: { readonly user?: string; readonly command: readonly string[] },
): string[] {
  const { directory, table } = steeringFiles(stateDir)
  const as = user === undefined ? [] : ['-u', user]
  return ['-d', directory, '-t', table, ...as, '--', ...command]
}
