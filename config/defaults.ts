/** Fills what a configuration leaves out. Pure. */
import { isMap, isSection } from './from-schema.js'
import type { SchemaNode, SectionNode } from './from-schema.js'

/**
 * A copy of `value` with every default of the schema, at every depth. Expects a value that
 * fits the schema; holes in lists stay holes.
 */
export function withDefaults(node: SchemaNode, value: unknown): unknown {
  if (node.type === 'array' && Array.isArray(value)) {
    return value.map((entry) => withDefaults(node.items, entry))
  }
  if (node.type !== 'object' || !isObject(value)) return value
  if (isSection(node)) return sectionWithDefaults(node, value)
  if (!isMap(node)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      withDefaults(node.additionalProperties, entry),
    ]),
  )
}

function sectionWithDefaults(
  node: SectionNode,
  value: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = {}
  for (const [key, child] of Object.entries(node.properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : defaultOf(child)
    if (given !== undefined) filled[key] = withDefaults(child, given)
  }
  return filled
}

function defaultOf(node: SchemaNode): unknown {
  return 'default' in node ? node.default : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
