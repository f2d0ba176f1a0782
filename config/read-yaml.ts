/**
 * YAML 1.2 text to plain values, with the place of each key. Knows the bounds that hold for a
 * configuration; what its keys mean is others' matter. The parser is loaded only when there is
 * something to parse.
 */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { YAMLError } from 'yaml'
import { migrateDocument } from './migrations.js'
import type { ConfigFormat, Migrated } from './migrations.js'
import { formatKey } from './problem.js'
import { MAX_ALIASES, YamlWalk } from './walk-yaml.js'
import type { Places, YamlFault } from './walk-yaml.js'

export interface YamlRead {
  /** Undefined when the text is empty, or cannot be read and `faults` says why. */
  readonly value: unknown
  readonly places: Places
  readonly faults: readonly YamlFault[]
  /** What was done to an older configuration; `current` where nothing was asked. */
  readonly migrated: Migrated
}

const AS_IT_IS: Migrated = { kind: 'current' }

/**
 * Reads one document. Never throws. `value` has no cycles. With a `format` an older document is
 * led to it in memory: what moved has its new key, and the place where it stands in the text.
 */
export function readYaml(source: string, format?: ConfigFormat): YamlRead {
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
  const counter = new yaml.LineCounter()
  let walk = new YamlWalk(yaml, counter)
  const document = yaml.parseDocument(source, {
    lineCounter: counter,
    prettyErrors: false,
    stringKeys: true,
    // Found by the walk, which knows the whole key.
    uniqueKeys: false,
  })
  const errors = [...document.errors, ...document.warnings].map((error): YamlFault => ({
    key: '',
    ...walk.placeOf(error.pos[0]),
    ...inWords(error),
  }))
  const unread = (faults: readonly YamlFault[], migrated = AS_IT_IS): YamlRead => ({
    value: undefined,
    places: walk,
    faults,
    migrated,
  })
  if (errors.length > 0) return unread(errors)
  walk.node(document.contents, [])
  if (walk.unsound) return unread(walk.faults)
  const migrated =
    format === undefined ? AS_IT_IS : migrateDocument(yaml, document, format)
  if (migrated.kind === 'stuck') {
    const { at, wrong, right } = migrated
    const key = formatKey(at)
    return unread([...walk.faults, { key, ...walk.keys.get(key), wrong, right }])
  }
  if (migrated.kind === 'migrated') {
    walk = new YamlWalk(yaml, counter)
    walk.node(document.contents, [])
    if (walk.unsound) return unread(walk.faults, migrated)
  }
  try {
    const value = document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
    return { value, places: walk, faults: walk.faults, migrated }
  } catch (cause) {
    // The parser's own bound: aliases of aliases that multiply.
    if (!(cause instanceof ReferenceError)) throw cause
    const wrong = 'has aliases that multiply to too many values'
    return unread([{ key: '', wrong, right: 'write the values out' }], migrated)
  }
}

function inWords({ code, message }: YAMLError): { wrong: string; right: string } {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { wrong: 'is indented with a tab', right: 'indent with spaces' }
    case 'MULTIPLE_DOCS':
      return { wrong: 'starts a second document', right: 'keep one in the file' }
    case 'TAG_RESOLVE_FAILED':
      return { wrong: 'has a tag that is not known', right: 'leave the tag (!...) out' }
    case 'NON_STRING_KEY':
      return { wrong: 'has a key that is not text', right: 'write `name: value`' }
    default:
      break
  }
  // The parser reports its own exhausted stack as one more error.
  if (message.includes('call stack')) {
    return { wrong: 'is nested too deeply', right: 'flatten it' }
  }
  return {
    wrong: `is not YAML: ${message.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
    right:
      'check indentation and brackets, and put values that start with one of ' +
      "[ { * & ! % @ or hold ': ' into quotes, such as '[::]:8443'",
  }
}
