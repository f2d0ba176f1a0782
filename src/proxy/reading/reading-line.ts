/**
 * Who may make sense of a long body now. What is built of one takes several times its bytes, and
 * the heap is small: so many bytes are read and judged at once, and the others wait in line.
 */

import { contentCoding } from '../../http/content-coding.js'
import type { BodyPart, RequestHeadFacts } from './request-copy.js'

/** Of bodies that are read at once; one that is longer is read alone. */
export const READ_AT_ONCE_BYTES = 8 * 1024 * 1024
/** Shorter ones do not wait. */
const SHORT_BYTES = 64 * 1024
/** Who still waits for something after that has been read: others go on. */
const MAX_TURN_MS = 5_000

export class ReadingLine {
  readonly #most: number
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []
  #busy = 0

  /** `most`: bytes at once. */
  constructor(most: number = READ_AT_ONCE_BYTES) {
    this.#most = most
  }

  /** Bytes of those that have their turn. */
  get busy(): number {
    return this.#busy
  }

  /** Within the call where it is short. Gives what `work` gives, and throws what it throws. */
  inTurn<T>(bytes: number, work: () => T | Promise<T>): T | Promise<T> {
    return bytes <= SHORT_BYTES ? work() : this.#wait(Math.min(bytes, this.#most), work)
  }

  async #wait<T>(bytes: number, work: () => T | Promise<T>): Promise<T> {
    const isFree = this.#waiting.length === 0 && this.#busy + bytes <= this.#most
    if (isFree) this.#busy += bytes
    else await new Promise<void>((go) => this.#waiting.push({ bytes, go }))
    let isOver = false
    const leave = (): void => {
      if (isOver) return
      isOver = true
      this.#busy -= bytes
      this.#serve()
    }
    const timer = setTimeout(leave, MAX_TURN_MS).unref()
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      leave()
    }
  }

  /** In their order. */
  #serve(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || this.#busy + next.bytes > this.#most) return
      this.#waiting.shift()
      this.#busy += next.bytes
      next.go()
    }
  }
}

/** The heap is one for all. */
export const readingLine = new ReadingLine()

/** Of one that is coded, as many as it may unfold to. */
export function bytesToRead(
  { bytes, newest }: Pick<BodyPart, 'bytes' | 'newest'>,
  { contentEncoding }: RequestHeadFacts,
): number {
  const size = bytes.length + (newest?.length ?? 0)
  const coding = contentCoding(contentEncoding)
  return coding === undefined || coding === 'identity' ? size : size * MOST_UNFOLDED
}

/** Times its bytes: `limits.decompression_ratio` of the defaults. */
const MOST_UNFOLDED = 100
