/** The file that `yori config init` writes: what most change, the rest as comments. Pure. */
import { isSection } from './from-schema.js'
import type { SchemaNode } from './from-schema.js'
import { formatSize } from './schema-formats.js'
import { configSchema } from './schema.js'
import { typeName } from './schema-words.js'

/** Set in the file; every other key stands there as a comment with its default. */
const LIVE = new Set(['config_version', 'mode'])
/** Rarely changed, and long: named, not listed. */
const BRIEF = new Set(['limits', 'timeouts'])

const HEAD = `# Configuration of YORI (YAML 1.2). What is commented out is the default.
# \`yori config check\` finds mistakes, \`yori config explain KEY\` says what a key takes.
# Durations are seconds unless the key ends in _ms; sizes are bytes, 64KiB or 10MiB.
`

export function starterFile(): string {
  const parts = Object.entries(configSchema.properties as Record<string, SchemaNode>).map(
    ([key, node]) => entry(key, node).join('\n'),
  )
  return `${HEAD}\n${parts.join('\n\n')}\n`
}

function entry(key: string, node: SchemaNode): string[] {
  const about = `# ${node.description}`
  if (BRIEF.has(key))
    return [about, `# \`yori config explain ${key}\` lists them.`, `#${key}:`]
  const lines = written(key, node).map((line) => line.replace(` ${about}`, ''))
  return [about, ...(LIVE.has(key) ? lines : lines.map((line) => `#${line}`))]
}

/** YAML of a key with its default; a comment in its place when it has none. */
function written(key: string, node: SchemaNode): string[] {
  if (node.type === 'object' && isSection(node)) {
    const inner = Object.entries(node.properties).flatMap(([name, child]) =>
      written(name, child).map((line) => `  ${line}`),
    )
    return [`${key}:`, ...inner]
  }
  const about = `# ${node.description}`
  const value = 'default' in node ? node.default : undefined
  if (value === undefined) return [`# ${key}: (${typeName(node)}) ${node.description}`]
  if (Array.isArray(value) && value.length > 1) {
    return [`${key}: ${about}`, ...value.map((item) => `  - ${inline(item)}`)]
  }
  const text = unit(node) === 'bytes' ? formatSize(Number(value)) : inline(value)
  return [`${key}: ${text} ${about}`]
}

function unit(node: SchemaNode): string | undefined {
  return 'unit' in node ? node.unit : undefined
}

/** JSON is YAML: objects of one text as `{ key: text }`, plain words without quotes. */
function inline(value: unknown): string {
  if (typeof value === 'string') {
    return /^[A-Za-z/][\w./-]*$/.test(value) ? value : `'${value}'`
  }
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([key, item]) => `${key}: ${inline(item)}`)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}
