/**
 * The way of a bundle into the configuration file: through the running YORI, which takes it at
 * once, or by the same writer here when none runs. Both judge the whole before anything
 * changes, keep comments, and put the file of before aside.
 */
import { join, resolve } from 'node:path'
import type { LoadedConfig } from '../../../../config/load.js'
import { formatProblem } from '../../../../config/problem.js'
import type { Problem } from '../../../../config/problem.js'
import { loadPolicySet } from '../../../assembly/from-config/policy-set.js'
import { Refusal } from '../../../control/answer.js'
import { askRunning } from '../../../control/ask.js'
import type { Question } from '../../../control/ask.js'
import { Settings } from '../../../control/settings.js'
import type { Changes, Version } from '../../../control/settings.js'
import type { Clock } from '../../../core/clock.js'
import { YoriError } from '../../../core/errors.js'
import { runningInstance } from '../../instance.js'
import type { Loaded } from '../../context.js'

export interface Written {
  /** The file of before; undefined: it said all that already. */
  readonly before: string | undefined
}

export interface Target {
  readonly file: string
  /** It is taken at once. */
  readonly isRunning: boolean
  /** What stands in the file. */
  readonly loaded: Loaded
  /** @throws YORI_CONFIG_INVALID, with every problem; nothing has changed then */
  readonly write: (changes: Changes) => Promise<Written>
}

export interface TargetDeps {
  /** As every command finds it. @throws YORI_CONFIG_INVALID with every problem */
  readonly load: (path: string | undefined) => Loaded
  /** The same, without throwing. */
  readonly find: (path: string) => LoadedConfig
  readonly clock: Clock
  readonly actor: string
}

/** @throws YORI_CONFIG_INVALID where there is no file, or YORI cannot be asked */
export async function targetOf(
  deps: TargetDeps,
  path: string | undefined,
): Promise<Target> {
  const found = deps.load(path)
  const { state_dir: stateDir } = found.config
  const asked = await askRunning(stateDir, { path: '/api/settings' })
  if (asked.kind === 'answered') {
    const { source, version } = told(asked.status, asked.body)
    if (typeof source !== 'string') throw invalid(NO_FILE)
    if (path !== undefined && resolve(path) !== resolve(source))
      throw invalid(`the YORI that runs on ${stateDir} reads ${source}, not ${path}`)
    const loaded = deps.load(source)
    const write = (changes: Changes): Promise<Written> =>
      throughRunning(deps, stateDir, { changes, version })
    return { file: source, isRunning: true, loaded, write }
  }
  const running = runningInstance(stateDir)
  if (running !== undefined)
    throw invalid(`process ${running.pid} runs on ${stateDir}, and ${asked.reason}`)
  if (found.source === 'defaults') throw invalid(NO_FILE)
  const write = (changes: Changes): Promise<Written> => here(deps, found, changes)
  return { file: found.source, isRunning: false, loaded: found, write }
}

const NO_FILE =
  'there is no configuration file that could be changed: `yori config init` writes one'

async function throughRunning(
  { actor }: TargetDeps,
  stateDir: string,
  body: { readonly changes: Changes; readonly version: unknown },
): Promise<Written> {
  const path = '/api/settings'
  const say = async (question: Question): Promise<Record<string, unknown>> => {
    const asked = await askRunning(stateDir, question)
    if (asked.kind === 'unreachable') throw invalid(asked.reason)
    return told(asked.status, asked.body)
  }
  await say({ verb: 'PUT', path, body, actor })
  const { versions } = await say({ path })
  return { before: kept(stateDir, versions as readonly Version[]) }
}

async function here(deps: TargetDeps, found: Loaded, changes: Changes): Promise<Written> {
  const { state_dir: stateDir } = found.config
  const settings = new Settings({
    source: found.source,
    stateDir,
    now: () => deps.clock.now(),
    load: deps.find,
    // Nobody runs: whether its policies could be taken is looked at here.
    reload: async () => {
      await loadPolicySet(deps.load(found.source).config.policies, deps.clock)
    },
  })
  try {
    await settings.change(changes)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw invalid(refusalText({ message: cause.message, ...cause.more }))
  }
  return { before: kept(stateDir, await settings.versions()) }
}

/** Where `Settings` has put it. */
function kept(stateDir: string, [newest]: readonly Version[]): string | undefined {
  return newest === undefined
    ? undefined
    : join(stateDir, 'settings', `${newest.id}.yaml`)
}

function told(status: number, body: unknown): Record<string, unknown> {
  const said = (typeof body === 'object' ? body : undefined) as
    Record<string, unknown> | undefined
  if (status === 200 && said !== undefined) return said
  throw invalid(said === undefined ? `it answered ${status}` : refusalText(said))
}

function refusalText(said: Readonly<Record<string, unknown>>): string {
  const problems = (said['problems'] ?? []) as readonly ToldProblem[]
  const lines = problems.map(({ line, ...rest }) =>
    formatProblem(line === null ? rest : { ...rest, line }),
  )
  return [String(said['message']), ...lines].join('\n')
}

/** As `Settings` tells it. */
interface ToldProblem extends Omit<Problem, 'line'> {
  readonly line: number | null
}

const invalid = (why: string): YoriError => new YoriError('YORI_CONFIG_INVALID', why)
