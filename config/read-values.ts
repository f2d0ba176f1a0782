/**
 * From what people write to what the schema judges: sizes become numbers, single values become
 * lists, empty sections go, `${VAR}` in secrets is expanded, names and paths get one form.
 * Says what is wrong with a text's form; types, ranges and unknown keys are the validator's.
 */
import { resolve } from 'node:path'
import { isObject } from './defaults.js'
import { isMap, isSection } from './from-schema.js'
import type { ListNode, SchemaNode, TextNode } from './from-schema.js'
import { formatKey } from './problem.js'
import type { Path } from './problem.js'
import { formats, isMac, parseSize } from './schema-formats.js'
import { expected } from './schema-words.js'
import { shown } from './shown.js'

export interface Reading {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where relative paths start. */
  readonly base: string
  readonly report: (path: Path, wrong: string, right: string) => void
  readonly warn: (path: Path, wrong: string, right: string) => void
}

/** A new value; `raw` is left as it is. Undefined means: as if it were not there. */
export function readValue(
  node: SchemaNode,
  raw: unknown,
  path: Path,
  reading: Reading,
): unknown {
  switch (node.type) {
    case 'string':
      return typeof raw === 'string' ? readText(node, raw, path, reading) : raw
    case 'integer':
    case 'number':
      if (node.unit !== 'bytes' || typeof raw !== 'string') return raw
      return parseSize(raw) ?? raw
    case 'boolean':
      return raw
    case 'array':
      return readList(node, raw, path, reading)
    case 'object':
      return readObject(node, raw, path, reading)
  }
}

function readList(node: ListNode, raw: unknown, path: Path, reading: Reading): unknown {
  if (raw === null) return undefined
  const single = node.single === true && !Array.isArray(raw) && !isObject(raw)
  const given: unknown = single ? [raw] : raw
  if (!Array.isArray(given)) return given
  const entries = given.map((entry, index) =>
    readValue(node.items, entry, [...path, index], reading),
  )
  if (node.uniqueBy !== undefined) reportTwins(node.uniqueBy, entries, path, reading)
  return entries
}

function reportTwins(
  key: string,
  entries: readonly unknown[],
  path: Path,
  reading: Reading,
): void {
  const seen = new Map<unknown, number>()
  entries.forEach((entry, index) => {
    const mark = key === '' ? entry : isObject(entry) ? entry[key] : undefined
    if (typeof mark !== 'string' && typeof mark !== 'number') return
    const first = seen.get(mark)
    if (first === undefined) seen.set(mark, index)
    else {
      const inner = key === '' ? [...path, index] : [...path, index, key]
      reading.report(
        inner,
        `${shown(mark)} is already ${formatKey([...path, first])}`,
        'keep one',
      )
    }
  })
}

function readObject(
  node: SchemaNode & { type: 'object' },
  raw: unknown,
  path: Path,
  reading: Reading,
): unknown {
  if (raw === null) return 'default' in node || path.length === 0 ? undefined : raw
  if (!isObject(raw) || (!isSection(node) && !isMap(node))) return raw
  // `fromEntries` defines properties, so that a key `__proto__` stays an ordinary one.
  return Object.fromEntries(
    Object.entries(raw).flatMap(([name, entry]) => {
      const child = childOf(node, name)
      if (child === undefined) return [[name, entry]]
      const key = isMap(node)
        ? readName(node.propertyNames.format, name, path, reading)
        : name
      const value = readValue(child, entry, [...path, name], reading)
      return value === undefined ? [] : [[key, value]]
    }),
  )
}

function childOf(
  node: SchemaNode & { type: 'object' },
  name: string,
): SchemaNode | undefined {
  if (isMap(node)) return node.additionalProperties
  if (!isSection(node) || !Object.hasOwn(node.properties, name)) return undefined
  return node.properties[name]
}

function readName(
  format: keyof typeof formats,
  name: string,
  path: Path,
  reading: Reading,
): string {
  const wrong = formats[format].check(name)
  if (wrong === undefined) return inOneForm(format, name, reading)
  reading.report(
    [...path, name],
    `the name ${wrong}`,
    `expected ${formats[format].right}`,
  )
  return name
}

function readText(node: TextNode, raw: string, path: Path, reading: Reading): string {
  const text = node.secret === true ? expand(raw, path, reading) : raw
  if (text === undefined) return raw
  if (node.secret !== true && /\$\{\w+\}/.test(raw)) {
    reading.warn(
      path,
      'holds ${...}, which is expanded in secrets only',
      'write the value',
    )
  }
  if (node.format === undefined) return text
  const wrong = formats[node.format].check(text)
  if (wrong !== undefined) {
    const value = node.secret === true ? 'the value' : shown(text)
    reading.report(path, `${value} ${wrong}`, `expected ${expected(node)}`)
    return text
  }
  return inOneForm(node.format, text, reading)
}

function inOneForm(format: keyof typeof formats, text: string, reading: Reading): string {
  switch (format) {
    case 'hostname':
    case 'hostname-pattern':
      return text.toLowerCase().replace(/\.$/, '')
    case 'device':
      return isMac(text) ? sameMac(text) : text
    case 'mac':
      return sameMac(text)
    case 'path':
      // A key may stand there itself.
      return text.startsWith('-----BEGIN ') ? text : resolve(reading.base, text)
    default:
      return text
  }
}

/** Lower case, colons. */
function sameMac(text: string): string {
  const digits = text.toLowerCase().replaceAll(/[^\da-f]/g, '')
  return digits.replaceAll(/(..)(?!$)/g, '$1:')
}

/** `${NAME}` from the environment; undefined, and reported, when one is not set. */
function expand(raw: string, path: Path, reading: Reading): string | undefined {
  let whole = true
  const text = raw.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = /^[A-Za-z_]\w*$/.test(name) ? reading.env[name] : undefined
    if (value !== undefined && value !== '') return value
    whole = false
    reading.report(
      path,
      `the environment variable ${shown(name)} is not set`,
      'set it for the process that runs YORI, or write the value here',
    )
    return ''
  })
  return whole ? text : undefined
}
