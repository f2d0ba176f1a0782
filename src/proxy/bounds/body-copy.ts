/**
 * What is kept of a body while it goes by: all of it, or of one that is longer than the bound
 * its first part and its newest, since what is new in a conversation stands at its end.
 */

/** Of what is kept of a longer body, the first part. */
const FIRST_SHARE = 1 / 4

export interface KeptBody {
  /** All of it, or its first part. */
  readonly bytes: Buffer
  /** The end of one of which something between was not kept. */
  readonly newest: Buffer | undefined
}

export class BodyCopy {
  readonly #first = new Pieces()
  readonly #newest = new Pieces()
  #firstMost: number
  #most: number
  #hasGap = false

  /** `most`: bytes that are kept. */
  constructor(most: number) {
    this.#most = most
    this.#firstMost = Math.ceil(most * FIRST_SHARE)
  }

  get size(): number {
    return this.#first.bytes + this.#newest.bytes
  }

  /** Something was not kept. */
  get hasGap(): boolean {
    return this.#hasGap
  }

  /** All of it, in its order, where there is no gap. */
  get pieces(): readonly Buffer[] {
    return [...this.#first.list, ...this.#newest.list]
  }

  /** By how much it grows with so many bytes more. */
  growth(bytes: number): number {
    return Math.max(0, Math.min(bytes, this.#most - this.size))
  }

  push(chunk: Buffer): void {
    if (this.#most === 0) {
      this.#hasGap ||= chunk.length > 0
      return
    }
    const room = Math.max(0, this.#firstMost - this.#first.bytes)
    if (room > 0) this.#first.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
    if (chunk.length <= room) return
    this.#newest.push(chunk.subarray(room))
    const over = this.size - this.#most
    if (over <= 0) return
    this.#newest.drop(over)
    this.#hasGap = true
  }

  /** There is no room for more than this: from now on the newest takes the place of others. */
  seal(): void {
    this.#most = this.size
    this.#firstMost = Math.min(this.#firstMost, this.#first.bytes)
  }

  kept(): KeptBody {
    if (!this.#hasGap)
      return {
        bytes: joined(this.#newest.bytes === 0 ? this.#first.list : this.pieces),
        newest: undefined,
      }
    const newest = this.#newest.bytes === 0 ? undefined : joined(this.#newest.list)
    return { bytes: joined(this.#first.list), newest }
  }
}

/** Such pieces are copied together: as an object, each costs far more than its bytes. */
const SMALL_BYTES = 4 * 1024
const SLAB_BYTES = 64 * 1024

/** Never added to: most bodies are one piece, and a list that holds one is small. */
const NO_PIECES: Buffer[] = []

/** Pieces of a body in their order. Large ones are not copied. */
export class Pieces {
  #list: Buffer[] = NO_PIECES
  #slab: Buffer | undefined
  #used = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get list(): readonly Buffer[] {
    return this.#list
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#bytes += chunk.length
    const last = this.#list.at(-1)
    const isSmall = chunk.length < SMALL_BYTES && last !== undefined
    const fits =
      this.#slab !== undefined && this.#used + chunk.length <= this.#slab.length
    if (!isSmall || (!fits && last.length >= SMALL_BYTES)) {
      this.#slab = undefined
      if (last === undefined) this.#list = [chunk]
      else this.#list.push(chunk)
      return
    }
    if (!fits) this.#begin(last)
    const slab = this.#slab as Buffer
    chunk.copy(slab, this.#used)
    this.#used += chunk.length
    const from = this.#used - chunk.length - (this.#list.at(-1) as Buffer).length
    this.#list[this.#list.length - 1] = slab.subarray(from, this.#used)
  }

  /** The last piece is a small one too: it moves into a slab, which others join. */
  #begin(last: Buffer): void {
    this.#slab = Buffer.allocUnsafeSlow(
      Math.min(SLAB_BYTES, 2 * SMALL_BYTES + this.#bytes),
    )
    last.copy(this.#slab)
    this.#used = last.length
  }

  /** So many of the first. */
  drop(bytes: number): void {
    let left = bytes
    let gone = 0
    for (const piece of this.#list) {
      if (piece.length > left) break
      left -= piece.length
      gone++
    }
    this.#list = this.#list.slice(gone)
    const [first] = this.#list
    if (first !== undefined && left > 0) this.#list[0] = first.subarray(left)
    this.#bytes -= bytes
    if (this.#list.length <= 1) this.#slab = undefined
  }
}

/** Not copied where they are one already. */
function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces
  if (first === undefined) return Buffer.alloc(0)
  if (pieces.length === 1) return first
  let end = first.byteOffset
  for (const piece of pieces) {
    if (piece.buffer !== first.buffer || piece.byteOffset !== end)
      return Buffer.concat(pieces)
    end += piece.length
  }
  return Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset)
}
