/** What is made of a message's text, however long it is. Pure. */
import {
  headOf,
  isInPieces,
  joinedTexts,
  PIECE_CHARS,
  piecesOf,
  tailOf,
} from '../core/long-text.js'

/**
 * `text` without these, each once, in the order in which they stand; one that is not
 * there is passed over.
 */
export function withoutParts(text: string, parts: readonly string[]): string {
  if (parts.length === 0) return text
  if (isInPieces(text)) return withoutPieces(text, parts)
  let rest = ''
  let at = 0
  for (const part of parts) {
    const from = text.indexOf(part, at)
    if (from < 0) continue
    rest += text.slice(at, from)
    at = from + part.length
  }
  return at === 0 ? text : rest + text.slice(at)
}

/** The same of a long text, which was joined of them. */
function withoutPieces(text: string, parts: readonly string[]): string {
  const pieces = [...piecesOf(text)]
  let from = 0
  for (const part of parts) {
    const own = piecesOf(part)
    const at = pieces.indexOf(own[0] as string, from)
    if (at < 0 || own.some((piece, i) => pieces[at + i] !== piece)) continue
    pieces.splice(at, own.length)
    from = at
  }
  return joinedTexts(pieces, '')
}

const NOT_BLANK = /\S/

/** Nothing but white space, or nothing; of a long text, where it begins and where it ends. */
export function isBlank(text: string): boolean {
  return !NOT_BLANK.test(endsOf(text))
}

const END_CHARS = 24 * 1024

/**
 * Of a long text, where it begins and where it ends, 24 Ki UTF-16 units each; a shorter
 * one as it is.
 */
export function endsOf(text: string): string {
  if (text.length <= PIECE_CHARS) return text
  const head = headOf(text, END_CHARS).slice(0, END_CHARS)
  return `${head}\n${tailOf(text, END_CHARS).slice(-END_CHARS)}`
}
