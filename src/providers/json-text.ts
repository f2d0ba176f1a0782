/** A value of JSON as a text again, where a message holds one: a long text in it stays in pieces. */
import { joinedTexts, LongTexts, PIECE_CHARS, piecesOf } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'

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

/** Nodes after which it rests, of some bytes or one long text's piece each. */
const REST_NODES = 128

/** The same text of a body of megabytes; rests as it goes. */
export function* jsonTextInSlices(
  value: unknown,
  long: LongTexts = new LongTexts(),
): Resting<string> {
  const pieces: string[] = []
  let open = ''
  const add = (text: string): void => {
    open += text
    if (open.length < PIECE_CHARS / 2) return
    pieces.push(open)
    open = ''
  }
  let nodes = 0
  function* write(inner: unknown): Resting<void> {
    if (++nodes % REST_NODES === 0) yield
    if (typeof inner === 'string') {
      add('"')
      for (const piece of long.piecesOf(inner)) {
        add(JSON.stringify(piece).slice(1, -1))
        if (piece.length > PIECE_CHARS / 4) yield
      }
      add('"')
    } else if (typeof inner !== 'object' || inner === null) add(JSON.stringify(inner))
    else if (Array.isArray(inner)) {
      for (const [i, item] of (inner as readonly unknown[]).entries()) {
        add(i === 0 ? '[' : ',')
        yield* write(item)
      }
      add(inner.length === 0 ? '[]' : ']')
    } else {
      const fields = Object.entries(inner)
      for (const [i, [name, field]] of fields.entries()) {
        add(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
        yield* write(field)
      }
      add(fields.length === 0 ? '{}' : '}')
    }
  }
  yield* write(value)
  pieces.push(open)
  return long.join(pieces)
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
