/**
 * The framing of Zstandard (RFC 8878 §3.1.1): where its frames and blocks begin and end, so
 * that a body can be undone block by block, its window is known before room is made for it, and
 * its end is told from a break. What is in a block is the decoder's. Pure.
 */

/** RFC 8878 §3.1.1.1.2 recommends that decoders take as much. */
export const MAX_WINDOW_BYTES = 8 * 1024 * 1024
/** §3.1.1.2.4. */
const MAX_BLOCK_BYTES = 128 * 1024

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const CHECKSUM_BYTES = 4

/** Bytes of one frame that a decoder can take: with the first its head, with the last its check. */
export interface ZstdBlock {
  readonly bytes: Buffer
  readonly isFirst: boolean
  readonly isLast: boolean
  readonly windowBytes: number
}

interface Frame {
  readonly head: Buffer
  readonly windowBytes: number
  readonly hasChecksum: boolean
  begun: boolean
}

/** What it holds back is less than one block. Throws nothing: see `isCorrupt`. */
export class ZstdFrames {
  #rest: Buffer = Buffer.alloc(0)
  #frame: Frame | undefined
  /** Of a frame that nobody reads: bytes to come. */
  #skips = 0
  #isCorrupt = false

  /** The body could end here. */
  get isWhole(): boolean {
    return (
      !this.#isCorrupt &&
      this.#frame === undefined &&
      this.#rest.length + this.#skips === 0
    )
  }

  /** It is no Zstandard, needs a dictionary, or a window over the limit. */
  get isCorrupt(): boolean {
    return this.#isCorrupt
  }

  /** Keeps `chunk` itself until its blocks are taken by `next`. */
  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
  }

  /** Undefined: more bytes are needed, or none matter. */
  next(): ZstdBlock | undefined {
    while (!this.#isCorrupt) {
      if (this.#skips > 0) {
        const gone = Math.min(this.#skips, this.#rest.length)
        this.#skips -= gone
        this.#take(gone)
        if (this.#skips > 0) return undefined
      }
      if (this.#frame !== undefined) return this.#block(this.#frame)
      if (!this.#begin()) return undefined
    }
    return undefined
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(bytes)
    return taken
  }

  #begin(): boolean {
    const rest = this.#rest
    if (rest.length < 5) return false
    const magic = rest.readUInt32LE(0)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      if (rest.length < 8) return false
      this.#skips = rest.readUInt32LE(4)
      this.#take(8)
      return true
    }
    const descriptor = rest[4] as number
    const head = headOf(descriptor)
    if (magic !== MAGIC || (descriptor & 0x08) !== 0) this.#isCorrupt = true
    else if (rest.length >= head.bytes) this.#open(descriptor, head)
    else return false
    return true
  }

  #open(descriptor: number, { bytes, sizeBytes, dictionaryBytes }: FrameHead): void {
    const head = this.#take(bytes)
    const isSingle = (descriptor & 0x20) !== 0
    const dictionary = head.subarray(
      bytes - sizeBytes - dictionaryBytes,
      bytes - sizeBytes,
    )
    const windowBytes = isSingle ? sizeOf(head, sizeBytes) : windowOf(head[5] as number)
    const isOver = windowBytes > MAX_WINDOW_BYTES
    if (isOver || dictionary.some((byte) => byte !== 0)) this.#isCorrupt = true
    const hasChecksum = (descriptor & 0x04) !== 0
    this.#frame = { head, windowBytes, hasChecksum, begun: false }
  }

  #block(frame: Frame): ZstdBlock | undefined {
    const rest = this.#rest
    if (rest.length < 3) return undefined
    const header = rest.readUIntLE(0, 3)
    const isLast = (header & 1) === 1
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === RESERVED || size > MAX_BLOCK_BYTES) {
      this.#isCorrupt = true
      return undefined
    }
    const check = isLast && frame.hasChecksum ? CHECKSUM_BYTES : 0
    const length = 3 + (type === RUN ? 1 : size) + check
    if (rest.length < length) return undefined
    const block = this.#take(length)
    const isFirst = !frame.begun
    frame.begun = true
    if (isLast) this.#frame = undefined
    const bytes = isFirst ? Buffer.concat([frame.head, block]) : block
    return { bytes, isFirst, isLast, windowBytes: frame.windowBytes }
  }
}

/** Types of blocks: one byte that is repeated, and none. */
const RUN = 1
const RESERVED = 3

interface FrameHead {
  readonly bytes: number
  readonly sizeBytes: number
  readonly dictionaryBytes: number
}

/** §3.1.1.1.1: the flags of the frame's first byte behind the magic number. */
function headOf(descriptor: number): FrameHead {
  const isSingle = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  return {
    bytes: 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes,
    sizeBytes,
    dictionaryBytes,
  }
}

function sizeOf(head: Buffer, bytes: number): number {
  const at = head.length - bytes
  if (bytes === 8) return Number(head.readBigUInt64LE(at))
  return head.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

/** §3.1.1.1.2. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
