/**
 * From the plain value of a file to a configuration, or to everything that is wrong with it.
 * Pure: files, the environment and the clock are the caller's.
 */
import { resolve } from 'node:path'
import { Secret } from '../src/core/secret.js'
import { checkConfig, holds } from './check-config.js'
import { isObject, withDefaults } from './defaults.js'
import { explainError, nameError, valueAt } from './explain-error.js'
import { isMap, isSection } from './from-schema.js'
import type { SchemaNode } from './from-schema.js'
import type { Path } from './problem.js'
import { readValue } from './read-values.js'
import { configSchema } from './schema.js'
import type { Config } from './schema.js'
import { nodeAt } from './schema-words.js'
import { validateConfig } from './validate-config.js'

export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths of the file start. */
  readonly base: string
  /** Absolute; takes the place of the default `state_dir`. */
  readonly stateDir?: string
}

/** One thing to say about a key. */
export interface Remark {
  readonly path: Path
  readonly atKey: boolean
  readonly wrong: string
  readonly right: string
}

export interface Judged {
  /** Valid, whole and frozen; undefined when there are faults. */
  readonly config: Config | undefined
  readonly faults: readonly Remark[]
  readonly warnings: readonly Remark[]
}

/** Nobody reads more, and each explanation compares words. */
const MAX_EXPLAINED = 100

export function judge(raw: unknown, sources: Sources): Judged {
  const faults: Remark[] = []
  const warnings: Remark[] = []
  const report = (path: Path, wrong: string, right: string): void => {
    faults.push({ path, atKey: false, wrong, right })
  }
  const warn = (path: Path, wrong: string, right: string): void => {
    warnings.push({ path, atKey: false, wrong, right })
  }
  const read = readValue(configSchema, raw, [], { ...sources, report, warn }) ?? {}
  if (!validateConfig(read)) {
    // Not spread into one push: a large file can hold more errors than a call takes arguments.
    for (const [index, error] of (validateConfig.errors ?? []).entries()) {
      faults.push((index < MAX_EXPLAINED ? explainError : nameError)(error, read))
    }
  }
  const sound = isObject(read) ? structuredClone(read) : {}
  for (const { path } of faults) prune(sound, path)
  const whole = complete(sound, sources)
  const inPlain = (path: Path): boolean => {
    const written = valueAt(raw, path)
    return typeof written === 'string' && written !== '' && !written.includes('${')
  }
  checkConfig(whole, { given: (path) => holds(sound, path), inPlain, report, warn })
  if (faults.length > 0) return { config: undefined, faults, warnings }
  return { config: sealed(configSchema, settled(whole)) as Config, faults, warnings }
}

/** Defaults and derived values. */
function complete(given: unknown, sources: Sources): Config {
  const config = withDefaults(configSchema, given) as Mutable<Config>
  if (sources.stateDir !== undefined && !holds(given, ['state_dir'])) {
    config.state_dir = sources.stateDir
  }
  const { state_dir, audit, ca, policies } = config
  const file = policies.bundle.file ?? resolve(state_dir, 'bundle.yori')
  return {
    ...config,
    audit: { ...audit, database: audit.database ?? resolve(state_dir, 'audit.db') },
    ca: { ...ca, directory: ca.directory ?? resolve(state_dir, 'ca') },
    policies: { ...policies, bundle: { ...policies.bundle, file } },
  }
}

/** The one key that takes another's place does so last, when the checks have seen both. */
function settled(config: Config): Config {
  const { proxy, timeouts } = config
  const response_header = proxy.upstream_timeout ?? timeouts.response_header
  return { ...config, timeouts: { ...timeouts, response_header } }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Takes a faulty value out, so that the rest can still be judged. An entry that cannot be
 * without it goes too; lists keep a hole, so that the other entries keep their numbers.
 */
function prune(tree: object, path: Path): void {
  const step = path.at(-1)
  const parentPath = path.slice(0, -1)
  const parent = valueAt(tree, parentPath)
  if (step === undefined || typeof parent !== 'object' || parent === null) return
  Reflect.deleteProperty(parent, step)
  const node = nodeAt(configSchema, parentPath)
  if (
    node?.type === 'object' &&
    isSection(node) &&
    node.required?.includes(String(step))
  ) {
    prune(tree, parentPath)
  }
}

/** Frozen at every depth, secrets wrapped. */
function sealed(node: SchemaNode | undefined, value: unknown): unknown {
  if (node?.type === 'string' && node.secret === true && typeof value === 'string') {
    return Object.freeze(new Secret(value))
  }
  if (Array.isArray(value)) {
    const inner = node?.type === 'array' ? node.items : undefined
    return Object.freeze(value.map((entry) => sealed(inner, entry)))
  }
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(
    ([key, entry]) => [key, sealed(childOf(node, key), entry)] as const,
  )
  return Object.freeze(Object.fromEntries(entries))
}

function childOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (node?.type !== 'object') return undefined
  if (isSection(node))
    return Object.hasOwn(node.properties, key) ? node.properties[key] : undefined
  return isMap(node) ? node.additionalProperties : undefined
}
