/**
 * The strings in a JSON text (RFC 8259), where they stand and under which name: so that one is
 * written anew and every other byte stays as it is. Pure; one pass without recursion. What is
 * no JSON gives what was read of it.
 */

export interface JsonString {
  /** Of what stands between the quotes, escaped as it is. */
  readonly start: number
  readonly end: number
  /** Names and places on the way to it. */
  readonly path: string
  /** The field that it is the value of, or of the list that it stands in. */
  readonly name: string
}

export interface JsonStrings {
  readonly strings: readonly JsonString[]
  /** What tells this object's place in a stream from another's: its type and its indexes. */
  readonly place: string
}

/** Fields that say of which of several answers, parts or calls an event of a stream is. */
const OF_PLACE: ReadonlySet<string> = new Set([
  ...['type', 'index', 'output_index', 'content_index', 'summary_index', 'item_id'],
])
/** Fields whose value is a JSON text, in which what is put has to be escaped once more. */
const JSON_TEXTS: ReadonlySet<string> = new Set([
  ...['arguments', 'partial_json', 'input_json'],
])
/** Deeper is not looked into. */
const MAX_DEPTH = 256

interface Open {
  readonly isList: boolean
  readonly path: string
  readonly name: string
  index: number
  key: string | undefined
}

/** Is what stands there a JSON text of its own? `place`: see `JsonStrings`. */
export function isJsonText(name: string, place: string): boolean {
  return JSON_TEXTS.has(name) || (name === 'delta' && place.includes('arguments.delta'))
}

export function stringsIn(text: string): JsonStrings {
  const strings: JsonString[] = []
  const open: Open[] = []
  let place = ''
  for (let at = 0; at < text.length;) {
    const top = open.at(-1)
    const char = text[at] as string
    if (char === '"') {
      const end = stringEnd(text, at + 1)
      if (top !== undefined && !top.isList && top.key === undefined)
        top.key = text.slice(at + 1, end)
      else {
        const name = nameIn(top)
        const { path } = step(top)
        strings.push({ start: at + 1, end, path, name })
        if (OF_PLACE.has(name)) place += `${name}=${text.slice(at + 1, end)};`
      }
      at = end + 1
      continue
    }
    if (char === '{' || char === '[') {
      if (open.length >= MAX_DEPTH) return { strings, place }
      const { path } = step(top)
      const isList = char === '['
      open.push({ isList, path, name: nameIn(top), index: 0, key: undefined })
    } else if (char === '}' || char === ']') open.pop()
    else if (char === ',' && top !== undefined) {
      top.index++
      top.key = undefined
    } else if (char >= '0' && char <= '9' && OF_PLACE.has(nameIn(top)))
      place += `${nameIn(top)}=${char};`
    at++
  }
  return { strings, place }
}

function nameIn(top: Open | undefined): string {
  return top === undefined ? '' : top.isList ? top.name : (top.key ?? '')
}

function step(top: Open | undefined): { path: string } {
  if (top === undefined) return { path: '' }
  return { path: `${top.path}/${top.isList ? top.index : (top.key ?? '')}` }
}

/** Of the closing quote, or of the text. */
export function stringEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return at
    if (text[at] === '\\') at++
  }
  return text.length
}
