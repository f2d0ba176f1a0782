/** Texts of a bounded length, in UTF-16 units, that hold no half of a surrogate pair. Pure. */
import { headOf, piecesOf, tailOf } from '../core/long-text.js'

/**
 * A text that is joined piece by piece, kept up to a limit and counted beyond it. Throws
 * nothing.
 */
export class BoundedText {
  readonly #maxChars: number
  #text = ''
  #chars = 0

  /** `maxChars` counts UTF-16 code units. */
  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  /**
   * What is over the limit is counted and not kept; nothing is kept after a piece that
   * was cut.
   */
  append(piece: string): void {
    let room = this.#maxChars - this.#text.length
    // What follows a piece that was cut does not follow what was kept.
    const isCut = this.cut
    this.#chars += piece.length
    if (room <= 0 || isCut) return
    if (piece.length <= room) {
      this.#text += piece
      return
    }
    // Part by part: nothing is copied but of the last.
    for (const part of piecesOf(piece)) {
      this.#text += cutAt(part, room)
      room -= part.length
      if (room <= 0) return
    }
  }

  /** Begins again: what came before was a draft of what follows. */
  clear(): void {
    this.#text = ''
    this.#chars = 0
  }

  get text(): string {
    return this.#text
  }

  /** UTF-16 code units of all that was appended, kept or not. */
  get chars(): number {
    return this.#chars
  }

  get cut(): boolean {
    return this.#chars > this.#text.length
  }
}

/** The last `length` code units, never half a surrogate pair. */
export function endOfText(text: string, length: number): string {
  if (text.length <= length) return text
  const end = tailOf(text, length)
  const start = end.length - length
  const first = end.charCodeAt(start)
  return end.slice(first >= 0xdc00 && first <= 0xdfff ? start + 1 : start)
}

/** The first `length` code units, never half a surrogate pair. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text
  const head = headOf(text, length)
  const last = head.charCodeAt(length - 1)
  return head.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
