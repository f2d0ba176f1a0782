/** A value of JSON as a text again, where a message holds one: a long text in it stays in pieces. */
import { LongTexts, PIECE_CHARS, textsAtHand } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'

/** What is written in one go: values, and UTF-16 units of their texts and names. */
const SMALL_NODES = 512
const SMALL_CHARS = PIECE_CHARS / 2

/**
 * As `JSON.stringify` of what `JSON.parse` has made, of the body at hand; rests as it goes
 * where that is much. A long text stays in pieces (`core/long-text.ts`).
 */
export function* jsonText(value: unknown): Resting<string> {
  if (isSmall(value)) return JSON.stringify(value)
  return yield* jsonTextInSlices(value, textsAtHand())
}

function isSmall(value: unknown): boolean {
  const open = [value]
  let chars = 0
  for (let nodes = 0; open.length > 0; nodes++) {
    const next = open.pop()
    if (nodes + open.length > SMALL_NODES || chars > SMALL_CHARS) return false
    if (typeof next === 'string') chars += next.length
    else if (Array.isArray(next)) {
      if (next.length > SMALL_NODES) return false
      open.push(...(next as readonly unknown[]))
    } else if (typeof next === 'object' && next !== null)
      for (const [name, field] of Object.entries(next)) {
        chars += name.length
        open.push(field)
      }
  }
  return chars <= SMALL_CHARS
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
