/**
 * The texts of a body in which something may stand that must not be kept: of JSON each string,
 * of a stream also what its pieces say together, of a form what is written with percent signs;
 * each as it stands, and without its escapes. Pure.
 */
import { stringsIn } from '../placeholders/json-strings.js'
import { chained, named, percentDecoded, plainView, unescaped } from './views.js'
import type { Range, View } from './views.js'

export interface Searched {
  readonly view: View
  /** It is an id or a word of the protocol: no personal data, whatever it looks like. */
  readonly isWord: boolean
}

export interface Searches {
  readonly views: readonly Searched[]
  /** Of JSON: where long numbers stand, with their names. */
  readonly numbers: readonly { readonly name: string; readonly range: Range }[]
}

const WORDS: ReadonlySet<string> = new Set([
  ...['id', 'type', 'object', 'role', 'model', 'finish_reason', 'stop_reason'],
  ...['tool_call_id', 'tool_use_id', 'call_id', 'item_id', 'response_id', 'event_id'],
  ...['previous_response_id', 'system_fingerprint', 'signature', 'encrypted_content'],
  ...['thoughtSignature', 'media_type', 'mimeType', 'service_tier', 'status'],
])
/** Fields by which answers are told in pieces. */
const PIECES: ReadonlySet<string> = new Set([
  ...['content', 'text', 'arguments', 'partial_json', 'delta', 'thinking', 'token'],
  ...['reasoning', 'reasoning_content', 'refusal', 'transcript', 'completion'],
  ...['input', 'output', 'response', 'code', 'value', 'message'],
])
/** Deeper than a JSON text within a JSON text within a JSON text nobody looks. */
const MAX_LEVELS = 3
const MAX_NAMED_CHARS = 4096
const MAX_NAME_CHARS = 64

export function searchesOf(text: string, contentType: string | undefined): Searches {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/x-www-form-urlencoded') {
    const views = formViews(text)
    return { views: views.flatMap((view) => levels(view, false)), numbers: [] }
  }
  if (isLines(type, text)) return ofLines(text)
  const start = text.trimStart()[0]
  if (start === '{' || start === '[') return ofJson([{ text, at: 0 }])
  return { views: levels(plainView(text, 0), false), numbers: [] }
}

/** Of what is written as forms are: as it is, with its blanks, and without percent signs. */
export function formViews(text: string): View[] {
  const blank = plainView(text.replaceAll('+', ' '), 0)
  const decoded = percentDecoded(blank)
  return [plainView(text, 0), blank, ...(decoded === undefined ? [] : [decoded])]
}

function isLines(type: string, text: string): boolean {
  return (
    type === 'text/event-stream' ||
    /(?:jsonl|ndjson|jsonlines|x-json-stream)$/.test(type) ||
    /^(?:event|data|id|retry|):/.test(text)
  )
}

interface Document {
  readonly text: string
  readonly at: number
}

/** A line may be JSON, by itself or behind `data:`; what is none is a text. */
function ofLines(text: string): Searches {
  const documents: Document[] = []
  const others: View[] = []
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(at, end)
    const lead = /^(?:data:)?\s*/.exec(line)?.[0].length ?? 0
    const first = line[lead]
    if (first === '{' || first === '[')
      documents.push({ text: line.slice(lead), at: at + lead })
    else if (line.trim() !== '') others.push(plainView(line, at))
    at = end + 1
  }
  const found = ofJson(documents)
  return {
    views: [...found.views, ...others.flatMap((view) => levels(view, false))],
    numbers: found.numbers,
  }
}

function ofJson(documents: readonly Document[]): Searches {
  const views: Searched[] = []
  const numbers: Searches['numbers'][number][] = []
  const told = new Map<string, View[]>()
  for (const { text, at } of documents) {
    const { strings, place } = stringsIn(text)
    for (const { start, end, path, name } of strings) {
      const raw = plainView(text.slice(start, end), at + start)
      const isWord = WORDS.has(name)
      const view = unescaped(raw) ?? raw
      views.push(...levels(view, isWord))
      const tells = !isWord && name !== '' && (!PIECES.has(name) || name === 'token')
      if (tells && view.text.length <= MAX_NAMED_CHARS)
        views.push({ view: named(name.slice(0, MAX_NAME_CHARS), view), isWord })
      if (!PIECES.has(name)) continue
      // Lists of answers that come one by one are pieces of one.
      const way = path.replace(/^\/\d+/, '').replace(/\/logprobs\/.*/, '/logprobs')
      for (const key of new Set([`${place}${way}`, way])) {
        const pieces = told.get(key)
        if (pieces === undefined) told.set(key, [view])
        else pieces.push(view)
      }
    }
    numbers.push(...numbersIn(text, at))
  }
  for (const pieces of told.values())
    if (pieces.length > 1) views.push(...levels(chained(pieces), false))
  return { views, numbers }
}

/** As it stands, and without the escapes that are left in it. */
function levels(view: View, isWord: boolean): Searched[] {
  const all: Searched[] = [{ view, isWord }]
  let inner = unescaped(view)
  for (let i = 1; i < MAX_LEVELS && inner !== undefined; i++) {
    all.push({ view: inner, isWord })
    inner = unescaped(inner)
  }
  return all
}

/** Digits in a row that may be somebody's number. */
const LONG_NUMBER = /"([^"\\]{1,64})"\s{0,8}:\s{0,8}(\d{7,19})(?=[\s,}\]])/g
/** Moments and counts. */
const OTHER_NUMBERS = /created|_at$|time|stamp|tokens|bytes|seed|index|count|duration/i

function numbersIn(text: string, at: number): Searches['numbers'] {
  return [...text.matchAll(LONG_NUMBER)].flatMap((match) => {
    const [all, name = '', digits = ''] = match
    if (OTHER_NUMBERS.test(name)) return []
    const end = at + match.index + all.length
    return [{ name, range: [end - digits.length, end] as const }]
  })
}
