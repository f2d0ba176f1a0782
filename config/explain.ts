/** The text of `yori config explain`: every key with type, default, limits and meaning. Pure. */
import type { SchemaNode } from './from-schema.js'
import { isSection } from './from-schema.js'
import { formatSize } from './schema-formats.js'
import { configSchema } from './schema.js'
import { nearest } from './schema-suggest.js'
import { allKeys, expected, typeName } from './schema-words.js'
import type { KeyNode } from './schema-words.js'

export interface KeyDescription {
  readonly key: string
  readonly type: string
  /** Absent when there is none; the words of a derived one. */
  readonly default?: unknown
  readonly expected: string
  readonly description: string
  readonly secret: boolean
}

export type Explanation =
  | { readonly kind: 'known'; readonly keys: readonly KeyDescription[] }
  | { readonly kind: 'unknown'; readonly nearest: string | undefined }

const KEYS: readonly KeyNode[] = allKeys(configSchema)

/** One key with all that is below it; every key when none is named. */
export function explain(key?: string): Explanation {
  const asked = key === undefined ? undefined : plainKey(key)
  const found = KEYS.filter(
    (entry) =>
      asked === undefined || entry.key === asked || entry.key.startsWith(`${asked}.`),
  )
  if (found.length > 0) return { kind: 'known', keys: found.map(describe) }
  return { kind: 'unknown', nearest: nearestKey(asked ?? '') }
}

/** `endpoints[2].domain` and `endpoints[].domain` are asked for as `endpoints.domain`. */
function plainKey(key: string): string {
  const plain = key.replaceAll(/\[[^\]]*\]/g, '')
  return plain.replace(
    /^(policies\.files|upstream\.resolve)\.[^.]+/,
    (whole, map: string) =>
      KEYS.some((entry) => entry.key === whole) ? whole : `${map}.NAME`,
  )
}

function nearestKey(asked: string): string | undefined {
  const byLastStep = KEYS.find(({ key }) => key.split('.').at(-1) === asked)
  const keys = KEYS.map((entry) => entry.key)
  return byLastStep?.key ?? nearest(asked, keys)
}

function describe({ key, node }: KeyNode): KeyDescription {
  const value = defaultOf(node)
  return {
    key,
    type: typeName(node),
    ...(value === undefined ? {} : { default: value }),
    expected: expected(node),
    description: node.description,
    secret: node.type === 'string' && node.secret === true,
  }
}

/** Sections have no default of their own: their keys have. */
function defaultOf(node: SchemaNode): unknown {
  if (node.type === 'object' && isSection(node)) return undefined
  if (node.type === 'string' && node.derived !== undefined) return node.derived
  return 'default' in node ? node.default : undefined
}

/** For people: a paragraph a key. */
export function explainText(keys: readonly KeyDescription[]): string {
  return [PREFACE, ...keys.map(paragraph)].join('\n\n') + '\n'
}

const PREFACE = [
  'Durations are seconds unless the key ends in _ms. Sizes are bytes; 64KiB, 10MiB and 1GiB',
  '(powers of 1024) and 64KB, 10MB and 1GB (powers of 1000) are read too. In secrets ${NAME}',
  'stands for an environment variable. Relative paths start from the folder of the file.',
  'YORI_MODE, YORI_LISTEN (comma-separated), YORI_AUDIT_DB, YORI_CONTROL_LISTEN and',
  'YORI_POLICY_DIR stand over it.',
].join('\n')

function paragraph(entry: KeyDescription): string {
  const lines = [`${entry.key}  (${entry.type})`, `    ${entry.description}`]
  if (entry.type === 'section') return lines.join('\n')
  lines.push(`    Takes: ${entry.expected}`)
  if (entry.default !== undefined) lines.push(`    Default: ${defaultText(entry)}`)
  return lines.join('\n')
}

export function defaultText(entry: KeyDescription): string {
  if (typeof entry.default === 'number' && entry.type === 'size') {
    return formatSize(entry.default)
  }
  if (typeof entry.default === 'string') return entry.default
  if (Array.isArray(entry.default)) return listText(entry.default)
  return JSON.stringify(entry.default)
}

function listText(entries: readonly unknown[]): string {
  const texts = entries.map((entry) =>
    typeof entry === 'object' && entry !== null && 'domain' in entry
      ? String(entry.domain)
      : String(entry),
  )
  return texts.length === 0 ? 'none' : texts.join(', ')
}
