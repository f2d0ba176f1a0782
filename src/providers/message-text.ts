/** What is made of a message's text, however long it is. Pure. */
import { headOf, isInPieces, PIECE_CHARS, piecesOf, tailOf } from '../core/long-text.js'

/**
 * `text` without these, each once, in the order in which they stand; one that is not
 * there is passed over. Of a long text, the ends of what is left (`endsOf`).
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
  const pieces = piecesOf(text)
  const left: string[] = []
  let at = 0
  let scanned = 0
  for (const part of parts) {
    const own = piecesOf(part)
    let found = at
    while (found < pieces.length && pieces[found] !== own[0] && scanned < MAX_SCANNED) {
      found++
      scanned++
    }
    if (own.some((piece, i) => pieces[found + i] !== piece)) continue
    for (; at < found; at++) left.push(pieces[at] as string)
    at = found + own.length
  }
  for (; at < pieces.length; at++) left.push(pieces[at] as string)
  return endsOfPieces(left)
}

/** Pieces that are gone through for what may not be there. */
const MAX_SCANNED = 256 * 1024

/** As `endsOf`, of which no more is joined. */
function endsOfPieces(pieces: readonly string[]): string {
  let head = ''
  let from = 0
  while (from < pieces.length && head.length < END_CHARS) head += pieces[from++] as string
  let tail = ''
  let to = pieces.length
  while (to > from && tail.length < END_CHARS) tail = (pieces[--to] as string) + tail
  return to > from
    ? `${head.slice(0, END_CHARS)}\n${tail.slice(-END_CHARS)}`
    : head + tail
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
