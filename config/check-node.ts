/**
 * Checks a plain value against a schema node by walking both: for files that are small and
 * read once, where the compiled validator of the configuration would be too much. Pure.
 */
import { isObject } from './defaults.js'
import { isMap, isSection } from './from-schema.js'
import type { NumberNode, SchemaNode, SectionNode } from './from-schema.js'
import type { Path } from './problem.js'
import { nearest } from './schema-suggest.js'
import { expected } from './schema-words.js'
import { shown } from './shown.js'

export type Report = (path: Path, wrong: string, right: string) => void

/** Reports everything that does not fit; texts' forms are checked where they are read. */
export function checkNode(
  node: SchemaNode,
  value: unknown,
  path: Path,
  report: Report,
): void {
  const misfit = (wrong: string): void =>
    report(path, wrong, `expected ${expected(node)}`)
  switch (node.type) {
    case 'string':
      if (typeof value !== 'string') misfit(`${shown(value)} is not text`)
      else if (node.enum !== undefined && !node.enum.includes(value))
        misfit(`${shown(value)} is not known`)
      else if (value.length > (node.maxLength ?? 4096)) misfit('is too long')
      return
    case 'integer':
    case 'number':
      if (!fitsNumber(node, value)) misfit(`${shown(value)} is not such a number`)
      return
    case 'boolean':
      if (typeof value !== 'boolean') misfit(`${shown(value)} is not true or false`)
      return
    case 'array':
      if (!Array.isArray(value)) misfit('is not a list')
      else if (value.length > node.maxItems)
        misfit(`has more than ${node.maxItems} items`)
      else
        value.forEach((entry, index) =>
          checkNode(node.items, entry, [...path, index], report),
        )
      return
    case 'object':
      if (!isObject(value)) misfit('is not a section')
      else if (isSection(node)) checkSection(node, value, path, report)
      else if (isMap(node))
        for (const [name, entry] of Object.entries(value))
          checkNode(node.additionalProperties, entry, [...path, name], report)
  }
}

function checkSection(
  node: SectionNode,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): void {
  const names = Object.keys(node.properties)
  for (const [name, entry] of Object.entries(value)) {
    const child = Object.hasOwn(node.properties, name) ? node.properties[name] : undefined
    if (child !== undefined) checkNode(child, entry, [...path, name], report)
    else {
      const meant = nearest(name, names)
      const right =
        meant === undefined ? `known here: ${names.join(', ')}` : `did you mean ${meant}?`
      report([...path, name], 'is not a known key', right)
    }
  }
  for (const name of node.required ?? [])
    if (!Object.hasOwn(value, name)) report([...path, name], 'is missing', 'add it')
}

function fitsNumber(node: NumberNode, value: unknown): boolean {
  return (
    typeof value === 'number' &&
    value >= node.minimum &&
    value <= node.maximum &&
    (node.type === 'number' || Number.isInteger(value))
  )
}
