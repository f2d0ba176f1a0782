/**
 * Texts of megabytes, in pieces. A string that was joined is a tree of its parts until somebody
 * looks into it; then all of it is copied, which holds the event loop for as long as that takes.
 * So whoever joins a long text keeps its pieces, and who looks at it takes those. Pure.
 */

import type { Resting } from './resting.js'

/** UTF-16 units of a piece at the most; a longer text is a *long* one. */
export const PIECE_CHARS = 64 * 1024

/** Pieces after which whoever joins them rests. */
const REST_PIECES = 4096

/** One text, in its order and without a gap; none of them is long. */
export type TextPieces = readonly string[]

interface Joined {
  readonly text: string
  readonly pieces: TextPieces
}

/** As one, of which nothing is copied. */
export function joined(pieces: TextPieces): string {
  let text = ''
  for (const piece of pieces) text += piece
  return text
}

/** The long texts of one body, by the strings that stand in its value. */
export class LongTexts {
  /**
   * By length. As keys, two long strings of one length would be compared, and copied for it: of
   * such the pieces are not kept.
   */
  #known: Map<number, Joined | 'several'> | undefined

  /** The text, of which nothing is copied; that of before for the same pieces. */
  join(pieces: TextPieces): string {
    return this.#joined(joined(pieces), pieces)
  }

  /** The same of many. */
  *joinInSlices(pieces: TextPieces): Resting<string> {
    let text = ''
    for (let at = 0; at < pieces.length; at += REST_PIECES) {
      text += joined(pieces.slice(at, at + REST_PIECES))
      yield
    }
    return this.#joined(text, pieces)
  }

  #joined(text: string, pieces: TextPieces): string {
    const { length } = text
    if (length <= PIECE_CHARS) return text
    this.#known ??= new Map()
    const known = this.#known.get(length)
    if (typeof known === 'object' && isSame(known.pieces, pieces)) return known.text
    this.#known.set(length, known === undefined ? { text, pieces } : 'several')
    return text
  }

  /** Of one that was not joined here, by cutting it. */
  piecesOf(text: string): TextPieces {
    if (text.length <= PIECE_CHARS) return [text]
    return this.#find(text) ?? cutInPieces(text)
  }

  /** It was joined here. */
  has(text: string): boolean {
    return this.#find(text) !== undefined
  }

  #find(text: string): TextPieces | undefined {
    const known = this.#known?.get(text.length)
    return typeof known === 'object' && known.text === text ? known.pieces : undefined
  }

  /** While `use` runs, these are the texts of `piecesOf` and of those below. */
  during<T>(use: () => T): T {
    return withTexts(this, use)
  }

  /** The same of work that rests. */
  *throughout<T>(work: Resting<T>): Resting<T> {
    const next = (): IteratorResult<void, T> => work.next()
    for (;;) {
      const step = this.during(next)
      if (step.done === true) return step.value
      yield
    }
  }
}

/** Piece by piece: none of them is joined for it. */
function isSame(some: TextPieces, others: TextPieces): boolean {
  return some.length === others.length && some.every((piece, i) => piece === others[i])
}

/** Of whom reads a body at the moment: no more than one call is in progress at a time. */
let current = new LongTexts()
const NONE = current

function withTexts<T>(texts: LongTexts, use: () => T): T {
  const before = current
  current = texts
  try {
    return use()
  } finally {
    current = before
  }
}

/** Of the body that is being read; of none, new ones. */
export function textsAtHand(): LongTexts {
  return current === NONE ? new LongTexts() : current
}

export function piecesOf(text: string): TextPieces {
  return current.piecesOf(text)
}

/** It was joined of pieces: it is dear to look into. */
export function isInPieces(text: string): boolean {
  return current.has(text)
}

/** Joined by `between`; a long one in its pieces, among them each part that is short. */
export function joinedTexts(parts: readonly string[], between: string): string {
  let length = 0
  for (const part of parts) length += part.length + between.length
  if (length <= PIECE_CHARS || current === NONE) return parts.join(between)
  const pieces: string[] = []
  parts.forEach((part, i) => {
    if (i > 0) pieces.push(between)
    pieces.push(...piecesOf(part))
  })
  return current.join(pieces)
}

/** The same of many; rests as it goes. */
export function* joinedInSlices(
  parts: readonly string[],
  between: string,
): Resting<string> {
  if (parts.length <= REST_PIECES) return joinedTexts(parts, between)
  const texts = textsAtHand()
  const pieces: string[] = []
  for (let at = 0; at < parts.length; at++) {
    if (at % REST_PIECES === 0) yield
    if (at > 0) pieces.push(between)
    for (const piece of texts.piecesOf(parts[at] as string)) pieces.push(piece)
  }
  return yield* texts.joinInSlices(pieces)
}

/** At least its first `chars` units; all of it where it is shorter. */
export function headOf(text: string, chars: number): string {
  if (text.length <= PIECE_CHARS || text.length <= chars) return text
  let head = ''
  for (const piece of piecesOf(text)) {
    head += piece
    if (head.length >= chars) break
  }
  return head
}

/** At least its last `chars` units; all of it where it is shorter. */
export function tailOf(text: string, chars: number): string {
  if (text.length <= PIECE_CHARS || text.length <= chars) return text
  let tail = ''
  for (const piece of piecesOf(text).toReversed()) {
    tail = piece + tail
    if (tail.length >= chars) break
  }
  return tail
}

/** Never between the halves of a pair. */
export function cutInPieces(text: string): TextPieces {
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + PIECE_CHARS, text.length)
    const last = text.charCodeAt(end - 1)
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}
