/**
 * YAML text to plain values, with the place of each key. Knows YAML 1.2 and the bounds that
 * hold for a configuration; what keys mean is others' matter. The parser is loaded only when
 * there is something to parse.
 */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { Document, LineCounter, Node } from 'yaml'
import { formatKey } from './problem.js'
import type { Path } from './problem.js'

/** Deeper than any key of the schema, with room for a policy's own parameters. */
const MAX_DEPTH = 32
/** Values that aliases may add in all: YAML's "billion laughs" ends here. */
const MAX_ALIASES = 100

export interface Place {
  readonly line: number
  readonly column: number
}

/** Where keys and values stand, by `formatKey` of their path. */
export interface Places {
  readonly keys: ReadonlyMap<string, Place>
  readonly values: ReadonlyMap<string, Place>
}

export interface YamlFault extends Partial<Place> {
  readonly key: string
  readonly wrong: string
  readonly right: string
}

export interface YamlRead {
  /** Undefined when the text is empty or cannot be read at all. */
  readonly value: unknown
  readonly places: Places
  readonly faults: readonly YamlFault[]
}

/** Reads one document. Never throws. `value` is free of cycles and at most 32 levels deep. */
export function readYaml(source: string): YamlRead {
  const yaml = createRequire(import.meta.url)('yaml') as typeof Yaml
  const counter = new yaml.LineCounter()
  const walk = new Walk(yaml, counter)
  const fail = (wrong: string, right: string): YamlRead => ({
    value: undefined,
    places: walk,
    faults: [{ key: '', wrong, right, ...(walk.faults[0] ?? {}) }],
  })
  try {
    const document: Document.Parsed = yaml.parseDocument(source, {
      lineCounter: counter,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
    })
    const faults = [...document.errors, ...document.warnings]
    if (faults.length > 0) {
      return {
        value: undefined,
        places: walk,
        faults: faults.map((fault) => ({
          key: '',
          ...placeOf(counter, fault.pos[0]),
          ...inWords(fault.code, fault.message),
        })),
      }
    }
    walk.node(document.contents, [])
    if (walk.tooDeep)
      return fail(`is nested deeper than ${MAX_DEPTH} levels`, 'flatten it')
    return {
      value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown,
      places: walk,
      faults: walk.faults,
    }
  } catch (cause) {
    if (cause instanceof RangeError) return fail('is nested too deeply', 'flatten it')
    if (cause instanceof ReferenceError) {
      return fail(
        'has aliases that lead to too many values, or to themselves',
        'write the values out',
      )
    }
    throw cause
  }
}

/** Collects places and repeated keys. Aliases are not followed. */
class Walk implements Places {
  readonly keys = new Map<string, Place>()
  readonly values = new Map<string, Place>()
  readonly faults: YamlFault[] = []
  tooDeep = false
  readonly #yaml: typeof Yaml
  readonly #counter: LineCounter

  constructor(yaml: typeof Yaml, counter: LineCounter) {
    this.#yaml = yaml
    this.#counter = counter
  }

  node(node: unknown, path: Path): void {
    if (path.length > MAX_DEPTH) {
      this.tooDeep = true
      return
    }
    const { isMap, isNode, isSeq, isScalar } = this.#yaml
    if (!isNode(node)) return
    this.#mark(this.values, path, node)
    if (isSeq(node))
      node.items.forEach((entry, index) => this.node(entry, [...path, index]))
    if (!isMap(node)) return
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue
      const inner = [...path, String(key.value)]
      const first = this.keys.get(formatKey(inner))
      if (first === undefined) this.#mark(this.keys, inner, key)
      else this.#repeated(inner, key, first)
      this.node(value, inner)
    }
  }

  #mark(places: Map<string, Place>, path: Path, node: Node): void {
    if (node.range) places.set(formatKey(path), placeOf(this.#counter, node.range[0]))
  }

  #repeated(path: Path, key: Node, first: Place): void {
    this.faults.push({
      key: formatKey(path),
      ...placeOf(this.#counter, key.range?.[0] ?? 0),
      wrong: `is given a second time (first on line ${first.line})`,
      right: 'keep one',
    })
  }
}

function placeOf(counter: LineCounter, offset: number): Place {
  const { line, col } = counter.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function inWords(code: string, message: string): { wrong: string; right: string } {
  const wrong = `is not YAML here: ${message.replace(/\s+/g, ' ').slice(0, 200)}`
  switch (code) {
    case 'TAB_AS_INDENT':
      return { wrong, right: 'indent with spaces' }
    case 'MULTIPLE_DOCS':
      return { wrong, right: 'keep one document in the file' }
    case 'TAG_RESOLVE_FAILED':
      return { wrong, right: 'leave the tag (!...) out' }
    case 'BAD_ALIAS':
      return { wrong, right: 'put a value that starts with * into quotes' }
    default:
      return {
        wrong,
        right:
          'check indentation and brackets, and put values that start with one of ' +
          '[ { * & ! % @ or that hold ": " into quotes',
      }
  }
}
