/** A value of JSON as a text again, where a message holds one: a long text in it stays in pieces. */
import { joinedTexts, PIECE_CHARS, piecesOf } from '../core/long-text.js'

/**
 * As `JSON.stringify` of what `JSON.parse` has made; a text with one of more than
 * `PIECE_CHARS` in it stays in pieces (`core/long-text.ts`).
 */
export function jsonText(value: unknown): string {
  return hasLong(value) ? joinedTexts([...written(value)], '') : JSON.stringify(value)
}

function hasLong(value: unknown): boolean {
  if (typeof value === 'string') return value.length > PIECE_CHARS
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasLong)
}

/** As deep as JSON is read. */
function* written(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    yield '"'
    for (const piece of piecesOf(value)) yield JSON.stringify(piece).slice(1, -1)
    yield '"'
  } else if (typeof value !== 'object' || value === null || !hasLong(value)) {
    yield JSON.stringify(value)
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield i === 0 ? '[' : ','
      yield* written(item)
    }
    yield ']'
  } else {
    for (const [i, [name, inner]] of Object.entries(value).entries()) {
      yield `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`
      yield* written(inner)
    }
    yield '}'
  }
}
