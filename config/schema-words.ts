/** Says in words what a node of the schema takes, and finds nodes by key. Pure. */
import { isMap, isSection } from './from-schema.js'
import type { NumberNode, SchemaNode, SectionNode } from './from-schema.js'
import { formatSize, formats } from './schema-formats.js'

/** The kind of value: `size`, `list of host:port`, `observe | advisory | enforce`. */
export function typeName(node: SchemaNode): string {
  switch (node.type) {
    case 'string':
      if (node.enum !== undefined) return node.enum.join(' | ')
      if (node.secret === true) return 'secret text'
      return node.format === 'path' ? 'path' : 'text'
    case 'integer':
    case 'number':
      if (node.unit === 'bytes') return 'size'
      if (node.unit === 'seconds') return 'seconds'
      if (node.unit === 'ms') return 'milliseconds'
      return node.type === 'integer' ? 'whole number' : 'number'
    case 'boolean':
      return 'true | false'
    case 'array':
      return `${node.single === true ? 'one or a ' : ''}list of ${typeName(node.items)}`
    case 'object':
      if (isSection(node)) return 'section'
      return isMap(node)
        ? `names, each with a ${typeName(node.additionalProperties)}`
        : 'any keys'
  }
}

/** What would be right, to follow "expected". */
export function expected(node: SchemaNode): string {
  switch (node.type) {
    case 'string':
      if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
      return node.format === undefined
        ? `text of at most ${node.maxLength ?? 4096} characters`
        : formats[node.format].right
    case 'integer':
    case 'number':
      return expectedNumber(node)
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a list of ${node.minItems ?? 0} to ${node.maxItems} items, each ${expected(node.items)}`
    case 'object':
      if (isSection(node))
        return `a section with any of ${Object.keys(node.properties).join(', ')}`
      return isMap(node)
        ? `names, each with ${expected(node.additionalProperties)}`
        : 'a section'
  }
}

function expectedNumber(node: NumberNode): string {
  const { minimum, maximum, unit } = node
  if (minimum === maximum) return String(minimum)
  if (unit === 'bytes') {
    return `a size from ${formatSize(minimum)} to ${formatSize(maximum)}, such as 65536, 64KiB or 10MB`
  }
  const range = `from ${minimum} to ${maximum}`
  const whole = node.type === 'integer' ? 'a whole number' : 'a number'
  if (unit === 'seconds') return `${whole} of seconds ${range}`
  if (unit === 'ms') return `${whole} of milliseconds ${range}`
  return `${whole} ${range}`
}

/** The node that a path leads to; undefined when the schema knows no such key. */
export function nodeAt(
  root: SchemaNode,
  path: readonly (string | number)[],
): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const step of path) {
    if (node === undefined) return undefined
    if (node.type === 'array') node = node.items
    else if (node.type !== 'object') return undefined
    else if (isSection(node)) {
      node = Object.hasOwn(node.properties, step) ? node.properties[step] : undefined
    } else node = isMap(node) ? node.additionalProperties : undefined
  }
  return node
}

export interface KeyNode {
  /** As it is asked for: `endpoints.domain`, `policies.files.NAME.action`. */
  readonly key: string
  readonly node: SchemaNode
}

/** Every key below a section, in the order of the schema, sections before their keys. */
export function allKeys(section: SectionNode, prefix = ''): KeyNode[] {
  return Object.entries(section.properties).flatMap(([name, node]) => {
    const key = `${prefix}${name}`
    return [{ key, node }, ...keysInside(node, key)]
  })
}

function keysInside(node: SchemaNode, key: string): KeyNode[] {
  if (node.type === 'array') return keysInside(node.items, key)
  if (node.type !== 'object') return []
  if (isSection(node)) return allKeys(node, `${key}.`)
  return isMap(node) ? keysInside(node.additionalProperties, `${key}.NAME`) : []
}
