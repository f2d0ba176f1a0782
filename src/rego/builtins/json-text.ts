/**
 * JSON as Go's encoding/json writes it: keys sorted, `<`, `>` and `&` escaped, numbers with the
 * digits they have.
 */
import {
  RegoObject,
  RegoSet,
  compareStrings,
  isRegoNumber,
  numberToText,
} from '../value.js'
import type { Value } from '../value.js'

export type Layout = { readonly prefix: string; readonly indent: string }

/** One line, or many when a layout is given; each line but the first begins with its prefix. */
export function goJson(value: Value, layout?: Layout): string {
  return write(value, layout, 0)
}

function write(value: Value, layout: Layout | undefined, depth: number): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (isRegoNumber(value)) return numberToText(value)
  if (value instanceof RegoObject) return writeObject(value, layout, depth)
  const members = value instanceof RegoSet ? value.values() : value
  return lines(
    members.map((member) => write(member, layout, depth + 1)),
    { marks: '[]', layout, depth },
  )
}

function writeObject(
  object: RegoObject,
  layout: Layout | undefined,
  depth: number,
): string {
  const members = [...object.entries()].map(([key, value]) => {
    const name = typeof key === 'string' ? key : goJson(key)
    return { name, text: write(value, layout, depth + 1) }
  })
  members.sort((a, b) => compareStrings(a.name, b.name))
  const space = layout === undefined ? '' : ' '
  return lines(
    members.map(({ name, text }) => `${quoted(name)}:${space}${text}`),
    { marks: '{}', layout, depth },
  )
}

function lines(
  parts: readonly string[],
  { marks, layout, depth }: { marks: string; layout: Layout | undefined; depth: number },
): string {
  const [open = '', close = ''] = marks
  if (layout === undefined || parts.length === 0) return open + parts.join(',') + close
  const start = `\n${layout.prefix}${layout.indent.repeat(depth)}`
  const inner = start + layout.indent
  return open + inner + parts.join(',' + inner) + start + close
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => escapes[char] ?? char,
  )
}
