/**
 * YAML 1.2 text to plain values, with the place of each key. Knows the bounds that hold for a
 * configuration; what its keys mean is others' matter. The parser is loaded only when there is
 * something to parse.
 */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { YAMLError } from 'yaml'
import { MAX_ALIASES, YamlWalk } from './walk-yaml.js'
import type { Places, YamlFault } from './walk-yaml.js'

export interface YamlRead {
  /** Undefined when the text is empty, or cannot be read and `faults` says why. */
  readonly value: unknown
  readonly places: Places
  readonly faults: readonly YamlFault[]
}

/** Reads one document. Never throws. `value` has no cycles. */
export function readYaml(source: string): YamlRead {
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
  const counter = new yaml.LineCounter()
  const walk = new YamlWalk(yaml, counter)
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
  if (errors.length > 0) return { value: undefined, places: walk, faults: errors }
  walk.node(document.contents, [])
  if (walk.unsound) return { value: undefined, places: walk, faults: walk.faults }
  try {
    const value = document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
    return { value, places: walk, faults: walk.faults }
  } catch (cause) {
    // The parser's own bound: aliases of aliases that multiply.
    if (!(cause instanceof ReferenceError)) throw cause
    const wrong = 'has aliases that multiply to too many values'
    const fault = { key: '', wrong, right: 'write the values out' }
    return { value: undefined, places: walk, faults: [fault] }
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
