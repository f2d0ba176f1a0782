/** Turns what the compiled validator found into words that name the key and the fix. Pure. */
import { isObject } from './defaults.js'
import { isSection } from './from-schema.js'
import type { SchemaNode } from './from-schema.js'
import { formatKey } from './problem.js'
import type { Path } from './problem.js'
import { configSchema } from './schema.js'
import { nearest } from './schema-suggest.js'
import { allKeys, expected, nodeAt } from './schema-words.js'
import { shown } from './shown.js'
import type { SchemaError } from './validate-config.js'

export interface Finding {
  readonly path: Path
  /** The fault is the key, not its value. */
  readonly atKey: boolean
  readonly wrong: string
  readonly right: string
}

const KEYS = allKeys(configSchema)

export function explainError(error: SchemaError, data: unknown): Finding {
  const path = pathOf(error.instancePath, data)
  const node = nodeAt(configSchema, path)
  const { params } = error
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey([...path, String(params['additionalProperty'])])
    case 'required': {
      const inner = [...path, String(params['missingProperty'])]
      const child = nodeAt(configSchema, inner)
      return { path: inner, atKey: false, wrong: 'is missing', right: say(child) }
    }
    case 'maxItems':
      return wrongValue(path, `has more than ${String(params['limit'])} items`, node)
    case 'minItems':
      return wrongValue(path, 'is an empty list', node)
    case 'maxProperties':
      return wrongValue(path, `has more than ${String(params['limit'])} names`, node)
    case 'maxLength': {
      const wrong = `is longer than ${String(params['limit'])} characters`
      return wrongValue(path, wrong, node)
    }
    default:
      return wrongValue(path, misfit(node, valueAt(data, path)), node)
  }
}

/** Where the error is, without the search for words. */
export function nameError({ instancePath, params }: SchemaError, data: unknown): Finding {
  const inner = params['additionalProperty'] ?? params['missingProperty']
  const path = pathOf(instancePath, data)
  return {
    path: typeof inner === 'string' ? [...path, inner] : path,
    atKey: params['additionalProperty'] !== undefined,
    wrong: 'does not fit',
    right: 'see `yori config explain`',
  }
}

function wrongValue(path: Path, wrong: string, node: SchemaNode | undefined): Finding {
  return { path, atKey: false, wrong, right: say(node) }
}

function say(node: SchemaNode | undefined): string {
  return node === undefined ? 'see `yori config explain`' : `expected ${expected(node)}`
}

/** What is wrong with a value of the wrong type or range. A secret is never shown. */
function misfit(node: SchemaNode | undefined, value: unknown): string {
  if (value === null) return 'has no value'
  if (node?.type === 'string' && node.secret === true) return `is a ${kindOf(value)}`
  if (node?.type === 'string' && node.enum !== undefined) {
    const meant = typeof value === 'string' ? nearest(value, node.enum) : undefined
    return `${shown(value)} is not known${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
  }
  if (node?.type === 'boolean' && typeof value === 'string') {
    return `${shown(value)} is text (YAML 1.2 knows only true and false)`
  }
  if (node?.type === 'number' || node?.type === 'integer') {
    if (typeof value === 'number') {
      if (Number.isNaN(value)) return 'is not a number'
      const out = value < node.minimum || value > node.maximum
      return `${value} is ${out ? 'out of range' : 'not a whole number'}`
    }
    return `${shown(value)} is not a ${node.unit === 'bytes' ? 'size' : 'number'}`
  }
  return typeof value === 'object'
    ? `is a ${kindOf(value)}`
    : `${shown(value)} is a ${kindOf(value)}`
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (isObject(value)) return 'section'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'true-or-false value' : typeof value
}

function unknownKey(path: Path): Finding {
  const name = String(path.at(-1))
  const parent = nodeAt(configSchema, path.slice(0, -1))
  const names =
    parent?.type === 'object' && isSection(parent) ? Object.keys(parent.properties) : []
  const meant = nearest(name, names)
  return {
    path,
    atKey: true,
    wrong: 'is not a known key',
    right:
      meant !== undefined
        ? `did you mean ${formatKey([...path.slice(0, -1), meant])}?`
        : (elsewhere(name) ?? `known here: ${names.join(', ')}`),
  }
}

/** The key exists, only not there: a level was forgotten or the indentation slipped. */
function elsewhere(name: string): string | undefined {
  const found = KEYS.find(({ key }) => key.split('.').at(-1) === name)
  return found === undefined ? undefined : `did you mean ${found.key}?`
}

/** JSON Pointer to path; a step is a number where the data has a list. */
function pathOf(pointer: string, data: unknown): Path {
  const path: (string | number)[] = []
  let value = data
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const step = Array.isArray(value) ? Number(name) : name
    path.push(step)
    value = valueAt(value, [step])
  }
  return path
}

export function valueAt(data: unknown, path: Path): unknown {
  let value = data
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step] as unknown
    else if (isObject(value) && Object.hasOwn(value, step)) value = value[step]
    else return undefined
  }
  return value
}
