/**
 * One walk over a parsed YAML document: where each key and value stands, and what the parser
 * lets pass: keys given twice, aliases that lead nowhere or to themselves, depth.
 */
import type * as Yaml from 'yaml'
import type { Alias, LineCounter, Node } from 'yaml'
import { formatKey } from './problem.js'
import type { Path } from './problem.js'

/** Deeper than any key of the schema, with room for a policy's own parameters. */
const MAX_DEPTH = 32
/** Aliases in one file. */
export const MAX_ALIASES = 100

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

export class YamlWalk implements Places {
  readonly keys = new Map<string, Place>()
  readonly values = new Map<string, Place>()
  readonly faults: YamlFault[] = []
  /** The value cannot be built: it has no end, or its parts are unknown. */
  unsound = false
  readonly #yaml: typeof Yaml
  readonly #counter: LineCounter
  readonly #anchors = new Set<string>()
  readonly #open: string[] = []
  #aliases = 0

  constructor(yaml: typeof Yaml, counter: LineCounter) {
    this.#yaml = yaml
    this.#counter = counter
  }

  /** Aliases are not followed: what they stand for has its place elsewhere. */
  node(node: unknown, path: Path): void {
    const { isAlias, isCollection, isMap, isNode } = this.#yaml
    if (!isNode(node)) return
    this.#mark(this.values, path, node)
    if (isAlias(node)) {
      this.#alias(node, path)
      return
    }
    const { anchor } = node
    if (anchor !== undefined) this.#anchors.add(anchor)
    if (!isCollection(node)) return
    if (path.length >= MAX_DEPTH) {
      this.#refuse(node, path, `is nested deeper than ${MAX_DEPTH} levels`, 'flatten it')
      return
    }
    if (anchor !== undefined) this.#open.push(anchor)
    if (isMap(node)) this.#map(node, path)
    else node.items.forEach((entry, index) => this.node(entry, [...path, index]))
    if (anchor !== undefined) this.#open.pop()
  }

  placeOf(offset: number): Place {
    const { line, col } = this.#counter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  #map(node: Yaml.YAMLMap, path: Path): void {
    for (const { key, value } of node.items) {
      if (!this.#yaml.isScalar(key)) continue
      const inner = [...path, String(key.value)]
      const first = this.keys.get(formatKey(inner))
      if (first === undefined) this.#mark(this.keys, inner, key)
      else {
        const wrong = `is given a second time (first on line ${first.line})`
        this.#tell(key, inner, wrong, 'keep one')
      }
      this.node(value, inner)
    }
  }

  #alias(node: Alias, path: Path): void {
    const { source } = node
    this.#aliases += 1
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases > MAX_ALIASES + 1) return
      const wrong = `is alias number ${this.#aliases}, and ${MAX_ALIASES} are read`
      this.#refuse(node, path, wrong, 'write the values out')
    } else if (this.#open.includes(source)) {
      const wrong = `the alias *${source} stands inside what it stands for`
      this.#refuse(node, path, wrong, 'write the value out')
    } else if (!this.#anchors.has(source)) {
      const wrong = `*${source} is an alias in YAML, and nothing is called &${source}`
      this.#refuse(node, path, wrong, `put it into quotes: '*${source}'`)
    }
  }

  #refuse(node: Node, path: Path, wrong: string, right: string): void {
    this.unsound = true
    this.#tell(node, path, wrong, right)
  }

  #tell(node: Node, path: Path, wrong: string, right: string): void {
    const place = this.placeOf(node.range?.[0] ?? 0)
    this.faults.push({ key: formatKey(path), ...place, wrong, right })
  }

  #mark(places: Map<string, Place>, path: Path, node: Node): void {
    if (node.range) places.set(formatKey(path), this.placeOf(node.range[0]))
  }
}
