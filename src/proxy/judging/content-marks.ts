/**
 * What a refused request said, as digests: an approval names these, so that it lets the same
 * words past whatever stands around them, and nothing else. They are keyed, since a card
 * number is found from a plain digest by trying; the texts themselves are kept nowhere. Pure.
 */
import { createHmac } from 'node:crypto'
import { findPersonal } from '../../detect/personal.js'

/** Texts of one request, the last of it: what is new stands at the end. */
export const MAX_MARKS = 512
/** Values that are looked at while a body is gone through. */
const MAX_VALUES = 50_000
/** 96 bits, in base64url. */
const MARK_LENGTH = 16

/** Words of the protocol: to take them out would make another request. */
const STRUCTURE: ReadonlySet<string> = new Set([
  ...['role', 'type', 'model', 'name', 'object', 'status', 'format', 'detail', 'id'],
  ...['mime_type', 'mimeType', 'media_type', 'mediaType', 'tool_choice', 'encoding'],
  ...['call_id', 'tool_call_id', 'tool_use_id', 'cache_control', 'effort', 'stop'],
])

export type Mark = (text: string) => string

/** `key` belongs to this installation and stays on it. */
export function markOf(key: Buffer): Mark {
  return (text) =>
    createHmac('sha256', key).update(text).digest('base64url').slice(0, MARK_LENGTH)
}

/** Each text of a body and each piece of personal data in it; `prompt` where there is no body. */
export function marksIn(body: unknown, prompt: string, mark: Mark): string[] {
  const texts: string[] = []
  if (body === undefined || body === null) texts.push(prompt)
  else mapTexts(body, (text) => (texts.push(text), text))
  const found = new Set<string>()
  for (const text of texts.slice(-MAX_MARKS)) {
    if (text.trim() === '') continue
    found.add(mark(text))
    for (const passage of passagesOf(text)) found.add(mark(passage.plain))
  }
  return [...found].slice(-MAX_MARKS)
}

/** The body without what was approved; the same value when nothing of it was. */
export function withoutApproved(
  body: unknown,
  approved: ReadonlySet<string>,
  mark: Mark,
): unknown {
  let changed = false
  const rest = mapTexts(body, (text) => {
    const left = textWithout(text, approved, mark)
    if (left !== text) changed = true
    return left
  })
  return changed ? rest : body
}

/** A text without what was approved: empty when that was all of it. */
export function textWithout(
  text: string,
  approved: ReadonlySet<string>,
  mark: Mark,
): string {
  if (approved.has(mark(text))) return ''
  let left = ''
  let at = 0
  for (const { start, end, plain } of passagesOf(text)) {
    if (start < at || !approved.has(mark(plain))) continue
    left += text.slice(at, start)
    at = end
  }
  return at === 0 ? text : left + text.slice(at)
}

interface Passage {
  readonly start: number
  readonly end: number
  /** However it is grouped: `4111 1111` is `4111-1111`. */
  readonly plain: string
}

function passagesOf(text: string): Passage[] {
  return findPersonal(text)
    .map(({ kind, start, end }) => ({
      start,
      end,
      plain: `${kind}:${text
        .slice(start, end)
        .toLowerCase()
        .replace(/[^\p{L}\p{N}@.]/gu, '')}`,
    }))
    .sort((a, b) => a.start - b.start)
}

/** Each text in its place, without recursion deeper than the body was allowed to be. */
function mapTexts(body: unknown, use: (text: string) => string): unknown {
  let values = 0
  const map = (value: unknown, key: string): unknown => {
    if (values++ > MAX_VALUES) return value
    if (typeof value === 'string') return STRUCTURE.has(key) ? value : use(value)
    if (Array.isArray(value)) return value.map((item) => map(item, key))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, map(inner, name)]),
    )
  }
  return map(body, '')
}
