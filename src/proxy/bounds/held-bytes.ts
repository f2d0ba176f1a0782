/**
 * A body while it is held: one run of memory that is filled as it comes, so that nothing of
 * megabytes is copied, or taken from the system, in one go when it is all there.
 */

/** Taken for a body of unknown length before it is known to be long. */
const FIRST_BYTES = 256 * 1024
/** Pieces in which it is given on. */
const PIECE_BYTES = 64 * 1024

export class HeldBytes {
  readonly #most: number
  #room: Buffer
  #size = 0
  /** What came over `most`, as it came. */
  #over: Buffer[] = []

  /** `length`: bytes that are announced; `most`: that can be held. */
  constructor(length: number | undefined, most: number) {
    this.#most = most
    // What nobody has written to takes no memory.
    this.#room = Buffer.allocUnsafeSlow(Math.min(length ?? FIRST_BYTES, most))
  }

  push(chunk: Buffer): void {
    const size = this.#size + chunk.length
    if (size > this.#room.length && this.#room.length < this.#most) {
      const room = Buffer.allocUnsafeSlow(this.#most)
      this.#room.copy(room, 0, 0, this.#size)
      this.#room = room
    }
    if (size > this.#room.length || this.#over.length > 0) {
      this.#over.push(chunk)
      return
    }
    chunk.copy(this.#room, this.#size)
    this.#size = size
  }

  /** All of it, where nothing was over. */
  get whole(): Buffer {
    return this.#room.subarray(0, this.#size)
  }

  /** In its order. */
  get pieces(): readonly Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < this.#size; at += PIECE_BYTES)
      pieces.push(this.#room.subarray(at, Math.min(at + PIECE_BYTES, this.#size)))
    return [...pieces, ...this.#over]
  }
}
