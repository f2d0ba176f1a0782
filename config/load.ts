/**
 * The way from a file, the environment and the defaults to a configuration. Reads files and
 * nothing else of the outside; what it was given decides. Validates once, reports every
 * problem at once, and freezes.
 */
import { dirname, resolve } from 'node:path'
import { checkClientCertificates } from './client-certificates.js'
import { isObject } from './defaults.js'
import { findFile } from './find-file.js'
import { readGatewayFile } from './gateway-file.js'
import { judge } from './judge.js'
import { withLiveTrace } from './live-trace.js'
import type { Remark } from './judge.js'
import { exposedSecrets, followFiles, missingFiles } from './named-files.js'
import { FORMAT } from './migrations.js'
import type { ConfigFormat } from './migrations.js'
import { formatKey } from './problem.js'
import type { Path, Problem } from './problem.js'
import { readYaml } from './read-yaml.js'
import type { YamlRead } from './read-yaml.js'
import type { Place, Places } from './walk-yaml.js'
import { switchedEndpoints } from './provider-switch.js'
import { CONFIG_VERSION, configSchema } from './schema.js'
import type { Config } from './schema.js'
import { nodeAt } from './schema-words.js'

/** A value that takes the file's place: an environment variable or a command-line flag. */
export interface Override {
  /** As the operator wrote it: `YORI_MODE`, `--port`. */
  readonly name: string
  readonly from: 'environment' | 'command line'
  readonly path: readonly string[]
  readonly value: unknown
}

export interface LoadOptions {
  /** As `--config` named it; must exist, and hold something. */
  readonly path?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Takes the place of the default `state_dir`. */
  readonly stateDir?: string | undefined
  /** Over the environment. */
  readonly flags?: readonly Override[]
  /** Where to look when no path is named; for tests. */
  readonly searched?: readonly string[]
  /** Instead of the one there is; for tests. */
  readonly format?: ConfigFormat
}

export type Origin = 'default' | 'file' | 'environment' | 'command line'

export type LoadedConfig =
  | {
      readonly kind: 'ok'
      readonly config: Config
      /** The file's absolute path, or `defaults`. */
      readonly source: string
      readonly warnings: readonly Problem[]
      /** Where each top-level key came from; more than one when parts were overridden. */
      readonly origins: Readonly<Record<keyof Config, readonly Origin[]>>
      /** The file's line of a key such as `enforcement.allowlist.devices[0]`. */
      readonly lineOf: (key: string) => number | undefined
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** More than these are not told apart by anyone; the last says how many are left out. */
const MAX_PROBLEMS = 100

/** Never throws for what an operator can get wrong. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const found = findFile(options.path, options.cwd, options.searched)
  if (found.kind === 'unreadable') return { kind: 'invalid', problems: [found.problem] }
  const format = options.format ?? FORMAT
  const read: YamlRead =
    found.kind === 'text' ? readYaml(found.text, format) : NOTHING_READ
  const file = found.kind === 'text' ? found.path : 'defaults'
  const inFile = read.faults.map((fault): Problem => ({ file, ...fault }))
  if (read.faults.length > 0 && read.value === undefined) {
    return { kind: 'invalid', problems: inFile }
  }
  if (read.value !== undefined && read.value !== null && !isObject(read.value)) {
    const right = 'expected keys with values, such as `mode: observe`'
    const wrong = 'is no configuration: the file holds a list or a single value'
    return { kind: 'invalid', problems: [{ file, key: '', wrong, right }] }
  }
  if (found.kind === 'text' && saysNothing(read.value)) {
    return { kind: 'invalid', problems: [{ file, key: '', ...NOTHING_SAID }] }
  }
  // First and alone: what else is wrong with it, its own YORI may know better.
  const { migrated } = read
  if (migrated.kind === 'newer') {
    const path = ['config_version']
    const remark = { path, atKey: false, ...tooNew(migrated.version, format, file) }
    return {
      kind: 'invalid',
      problems: [locate(remark, { file, read, overrides: [] })],
    }
  }
  const overrides = [...fromEnvironment(options), ...(options.flags ?? [])].map(
    (override) => fromHere(override, options.cwd),
  )
  const value =
    migrated.kind === 'migrated' && isObject(read.value)
      ? { ...read.value, config_version: CONFIG_VERSION }
      : read.value
  const gateway = readGatewayFile(value)
  const raw = overlay(withLiveTrace(gateway.value ?? {}), overrides)
  const judged = judge(raw, {
    env: options.env,
    base: found.kind === 'text' ? dirname(found.path) : options.cwd,
    ...(options.stateDir === undefined
      ? {}
      : { stateDir: resolve(options.cwd, options.stateDir) }),
  })
  const located = (remark: Remark): Problem => locate(remark, { file, read, overrides })
  const faults = [...gateway.faults, ...judged.faults]
  if (judged.config === undefined || inFile.length + faults.length > 0) {
    return { kind: 'invalid', problems: listed([...inFile, ...faults.map(located)]) }
  }
  const followed = followFiles(judged.config)
  if (followed.kind === 'fault') {
    return { kind: 'invalid', problems: [located(followed.remark)] }
  }
  const certificates = checkClientCertificates(followed.config, Date.now())
  if (certificates.faults.length > 0) {
    return { kind: 'invalid', problems: listed(certificates.faults.map(located)) }
  }
  const isListed = isObject(raw) && Object.hasOwn(raw, 'endpoints')
  const switched = switchedEndpoints(followed.config, isListed)
  if (switched.kind === 'fault') {
    return { kind: 'invalid', problems: [located(switched.remark)] }
  }
  const { endpoints } = switched
  const config =
    endpoints === followed.config.endpoints
      ? followed.config
      : Object.freeze({ ...followed.config, endpoints })
  const warnings = [
    ...(migrated.kind === 'migrated' ? [old(migrated.from, format)] : []),
    ...gateway.warnings,
    ...judged.warnings,
    ...missingFiles(config),
    ...certificates.warnings,
    ...exposedSecrets(found, read.value),
  ]
  return {
    kind: 'ok',
    config,
    source: file,
    warnings: warnings.map(located),
    origins: originsOf(config, read.value, overrides),
    lineOf: (key) => placeAt(read.places, key)?.line,
  }
}

function old(from: number, { version }: ConfigFormat): Remark {
  const wrong = `the file is of version ${from} and is read as version ${version}`
  const right = '`yori config migrate` writes it anew'
  return { path: ['config_version'], atKey: false, wrong, right }
}

function tooNew(
  version: number,
  format: ConfigFormat,
  file: string,
): { wrong: string; right: string } {
  return {
    wrong: `${version} is newer than this YORI, which reads up to ${format.version}`,
    right:
      `install the YORI that wrote it, or put back the file of before ` +
      `(${file}.v${format.version}, where there is one)`,
  }
}

/** A file that was cut off, or is just being written: never a wish for the defaults. */
const NOTHING_SAID = {
  wrong: 'holds no configuration: it is empty, or has nothing but comments',
  right: 'write what is wanted; `mode: observe` alone stands for the defaults',
}

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return isObject(value) && Object.keys(value).length === 0
}

const NOTHING_READ: YamlRead = {
  value: undefined,
  places: { keys: new Map(), values: new Map() },
  faults: [],
  migrated: { kind: 'current' },
}

/** Variables that stand over the file. Empty ones count as not set. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  YORI_MODE: ['mode'],
  YORI_LISTEN: ['listen'],
  YORI_AUDIT_DB: ['audit', 'database'],
  YORI_CONTROL_LISTEN: ['control', 'listen'],
  YORI_POLICY_DIR: ['policies', 'directory'],
}

function fromEnvironment({ env }: LoadOptions): Override[] {
  return Object.entries(VARIABLES).flatMap(([name, path]): Override[] => {
    const text = env[name]
    if (text === undefined || text === '') return []
    const list = nodeAt(configSchema, path)?.type === 'array'
    const value = list ? text.split(',').map((part) => part.trim()) : text
    return [{ name, from: 'environment', path, value }]
  })
}

/** A path that is not the file's own starts where the process was started. */
function fromHere(override: Override, cwd: string): Override {
  const { path, value } = override
  const node = nodeAt(configSchema, path)
  const isPath = node?.type === 'string' && node.format === 'path'
  if (!isPath || typeof value !== 'string' || /^(?:~|$)/.test(value)) return override
  return { ...override, value: resolve(cwd, value) }
}

/** A copy with each override in its place. A section of the wrong type is left to be judged. */
function overlay(raw: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((tree, { path, value }) => put(tree, path, value), raw)
}

function put(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  const base: unknown = tree ?? {}
  if (!isObject(base)) return base
  const inner = Object.hasOwn(base, step) ? base[step] : undefined
  return { ...base, [step]: put(inner, rest, value) }
}

interface Whereabouts {
  readonly file: string
  readonly read: YamlRead
  readonly overrides: readonly Override[]
}

function locate(remark: Remark, { file, read, overrides }: Whereabouts): Problem {
  const { path, wrong, right } = remark
  const above = overrides.findLast(({ path: set }) =>
    set.every((step, i) => path[i] === step),
  )
  if (above !== undefined) return { file: above.from, key: above.name, wrong, right }
  const atKey = remark.atKey ? read.places.keys.get(formatKey(path)) : undefined
  const place = atKey ?? nearestPlace(read.places, path)
  return { file, ...place, key: formatKey(path), wrong, right }
}

/** The value's place, else that of what it would be in. */
function nearestPlace(places: Places, path: Path): Place | undefined {
  for (let length = path.length; length > 0; length--) {
    const place = placeAt(places, formatKey(path.slice(0, length)))
    if (place !== undefined) return place
  }
  return undefined
}

function placeAt(places: Places, key: string): Place | undefined {
  return places.values.get(key) ?? places.keys.get(key)
}

function listed(problems: readonly Problem[]): readonly Problem[] {
  const inOrder = problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  if (inOrder.length <= MAX_PROBLEMS) return inOrder
  const left = problems.length - MAX_PROBLEMS
  const more = {
    file: problems[0]?.file ?? '',
    key: '',
    right: 'mend the ones above first',
  }
  return [...inOrder.slice(0, MAX_PROBLEMS), { ...more, wrong: `${left} more problems` }]
}

function originsOf(
  config: Config,
  value: unknown,
  overrides: readonly Override[],
): Record<keyof Config, readonly Origin[]> {
  const origins = (key: string): readonly Origin[] => {
    const above = overrides.filter(({ path }) => path[0] === key)
    const whole = above.some(({ path }) => path.length === 1)
    const given = isObject(value) && Object.hasOwn(value, key) && !whole
    const found = new Set<Origin>(given ? ['file'] : [])
    for (const { from } of above) found.add(from)
    return found.size > 0 ? [...found] : ['default']
  }
  return Object.fromEntries(
    Object.keys(config).map((key) => [key, origins(key)]),
  ) as Record<keyof Config, readonly Origin[]>
}
