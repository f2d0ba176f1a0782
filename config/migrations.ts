/**
 * The versions of the configuration's format, and the way from each to the next. Edits a parsed
 * document, so that comments and places stay; files and what the keys mean are others' matter.
 */
import type * as Yaml from 'yaml'
import type { Document, YAMLMap } from 'yaml'
import { formatKey } from './problem.js'
import { CONFIG_VERSION } from './schema.js'

/** One change of a key; sections on the way are as the file has them, not behind an alias. */
export type Step =
  | { readonly kind: 'move'; readonly from: Key; readonly to: Key }
  | { readonly kind: 'drop'; readonly at: Key; readonly why: string }
  | {
      readonly kind: 'value'
      readonly at: Key
      readonly change: (old: unknown) => unknown
      /** What happens to it, as in `is in seconds now`. */
      readonly says: string
    }

export type Key = readonly string[]

/** From the version `from` to the one after it. */
export interface Migration {
  readonly from: number
  readonly steps: readonly Step[]
}

export interface ConfigFormat {
  /** The one that is read without a change. */
  readonly version: number
  /** One for each version before it, in order: from 1 to `version - 1`. */
  readonly migrations: readonly Migration[]
}

/** A new version goes here: its migration at the end, and `CONFIG_VERSION` one up. */
export const FORMAT: ConfigFormat = { version: CONFIG_VERSION, migrations: [] }

export type Migrated =
  | { readonly kind: 'current' }
  /** What was done, one sentence a change; the document has been changed. */
  | { readonly kind: 'migrated'; readonly from: number; readonly changes: string[] }
  | { readonly kind: 'newer'; readonly version: number }
  /** What only the operator can settle; the document is no longer of any version. */
  | { readonly kind: 'stuck'; readonly at: Key; readonly wrong: string; right: string }

/**
 * Leads a document to the version of `format`. A document that is no map, or whose version is
 * no version, stays as it is (`current`): whoever judges values says so.
 */
export function migrateDocument(
  yaml: typeof Yaml,
  document: Document,
  format: ConfigFormat,
): Migrated {
  const version = versionOf(yaml, document)
  if (version === undefined || version === format.version) return { kind: 'current' }
  if (version > format.version) return { kind: 'newer', version }
  const changes: string[] = []
  for (const { from, steps } of format.migrations) {
    if (from < version) continue
    for (const step of steps) {
      const done = take(yaml, document, step)
      if (typeof done === 'object') return done
      if (done !== undefined) changes.push(done)
    }
  }
  document.set('config_version', format.version)
  return { kind: 'migrated', from: version, changes }
}

/** Without a word it is 1, the first; undefined where what is said is no version. */
function versionOf(yaml: typeof Yaml, document: Document): number | undefined {
  if (!yaml.isMap(document.contents)) return undefined
  const said: unknown = document.get('config_version')
  if (said === undefined) return 1
  return Number.isSafeInteger(said) && Number(said) >= 1 ? Number(said) : undefined
}

type Stuck = Migrated & { readonly kind: 'stuck' }

function take(
  yaml: typeof Yaml,
  document: Document,
  step: Step,
): string | Stuck | undefined {
  switch (step.kind) {
    case 'move': {
      const { from, to } = step
      if (!document.hasIn(from)) return undefined
      if (document.hasIn(to)) {
        const wrong = `is the old name of ${formatKey(to)}, which is given as well`
        return { kind: 'stuck', at: from, wrong, right: 'keep one' }
      }
      if (!move(yaml, document, from, to)) {
        const section = formatKey(to.slice(0, -1))
        const wrong = `is ${formatKey(to)} now, and ${section} is no section here`
        return { kind: 'stuck', at: from, wrong, right: `write ${section} out` }
      }
      return `${formatKey(from)} is ${formatKey(to)} now`
    }
    case 'drop':
      if (!document.deleteIn(step.at)) return undefined
      return `${formatKey(step.at)} is gone: ${step.why}`
    case 'value': {
      const node: unknown = document.getIn(step.at, true)
      if (!yaml.isScalar(node)) return undefined
      const changed = step.change(node.value)
      if (changed === node.value) return undefined
      document.setIn(step.at, changed)
      return `${formatKey(step.at)} ${step.says}`
    }
  }
}

/**
 * In its place where only the last name changes; else at the end of the other section. False,
 * and nothing done, where that is none.
 */
function move(yaml: typeof Yaml, document: Document, from: Key, to: Key): boolean {
  const [section, name] = [from.slice(0, -1), from.at(-1)]
  const map = mapAt(yaml, document, section)
  const pair = map?.items.find(({ key }) => yaml.isScalar(key) && key.value === name)
  const there = to.slice(0, -1)
  const stays = formatKey(section) === formatKey(there)
  const other = stays ? map : sectionAt(yaml, document, there)
  if (map === undefined || pair === undefined || other === undefined) return false
  if (yaml.isScalar(pair.key)) {
    pair.key.value = to.at(-1) ?? ''
    // What the text had is kept beside the value, and would be written again.
    delete pair.key.source
    if (!stays) pair.key.spaceBefore = false
  }
  if (stays) return true
  map.items.splice(map.items.indexOf(pair), 1)
  if (map.items.length === 0 && section.length > 0) document.deleteIn(section)
  other.items.push(pair)
  return true
}

/** Made where it is not there; undefined where something else stands in its place. */
function sectionAt(
  yaml: typeof Yaml,
  document: Document,
  at: Key,
): YAMLMap<unknown, unknown> | undefined {
  for (const [index, name] of at.entries()) {
    const above = mapAt(yaml, document, at.slice(0, index))
    // With nodes for keys, as the parser makes them: places are read off nodes.
    if (above?.has(name) === false) above.items.push(document.createPair(name, {}))
  }
  return mapAt(yaml, document, at)
}

function mapAt(
  yaml: typeof Yaml,
  document: Document,
  at: Key,
): YAMLMap<unknown, unknown> | undefined {
  const node: unknown = at.length === 0 ? document.contents : document.getIn(at, true)
  return yaml.isMap(node) ? node : undefined
}
