/**
 * The messages of a body of gRPC, each behind its five bytes: a flag and its length
 * (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). gRPC-Web and
 * Connect have the same, with more flags. What a message says is for others. Pure.
 */

/** The flag and the length. */
export const FRAME_HEAD_BYTES = 5

const COMPRESSED = 1
/** Connect ends a stream with such a message, gRPC-Web its answer. */
const END_FLAGS = new Set([2, 3, 128, 129])

/**
 * A message as it stands in a body; `bytes` are without its head, a view of what was
 * read.
 */
export interface GrpcFrame {
  readonly isCompressed: boolean
  /** It says how the call ended, and is no message of the service. */
  readonly isEnd: boolean
  readonly bytes: Buffer
  /** Not all of it is there. */
  readonly isPart: boolean
}

/**
 * The messages of a body, the last perhaps a part of one; undefined: it is not in frames.
 * Lengths of 32 bits are taken as they stand: what is too long is a part.
 */
export function framesIn(bytes: Buffer): readonly GrpcFrame[] | undefined {
  const { frames, rest } = leadingFrames(bytes)
  return rest === undefined ? frames : undefined
}

/** `rest`: from where on it is not in frames. */
export function leadingFrames(bytes: Buffer): {
  readonly frames: readonly GrpcFrame[]
  readonly rest: Buffer | undefined
} {
  const frames: GrpcFrame[] = []
  for (let at = 0; at < bytes.length;) {
    const flag = bytes[at] as number
    if (flag > COMPRESSED && !END_FLAGS.has(flag))
      return { frames, rest: bytes.subarray(at) }
    if (at + FRAME_HEAD_BYTES > bytes.length) return { frames, rest: undefined }
    const start = at + FRAME_HEAD_BYTES
    const end = start + bytes.readUInt32BE(at + 1)
    frames.push({
      isCompressed: (flag & COMPRESSED) === 1,
      isEnd: flag > COMPRESSED,
      bytes: bytes.subarray(start, end),
      isPart: end > bytes.length,
    })
    at = end
  }
  return { frames, rest: undefined }
}

/** A message as it stands in a body, not compressed; of at most 2^32 - 1 bytes. */
export function frameOf(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/**
 * Finds where messages end in bytes that come in pieces; keeps none of them. Throws
 * nothing; flags of other protocols than gRPC break it.
 */
export class FrameEnds {
  #seen = 0
  /** Of a message under way: what is missing of it. */
  #missing = 0
  #head = Buffer.alloc(FRAME_HEAD_BYTES)
  #headBytes = 0
  #isBroken = false

  /** What came is in no frames, from there on. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Gives where the messages end that are whole by it, in bytes of the body. */
  push(chunk: Uint8Array): readonly number[] {
    const ends: number[] = []
    const from = this.#seen
    this.#seen += chunk.length
    for (let at = 0; at < chunk.length && !this.#isBroken;) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at)
        this.#missing -= taken
        at += taken
        if (this.#missing === 0) ends.push(from + at)
        continue
      }
      this.#head[this.#headBytes++] = chunk[at++] as number
      if (this.#headBytes === 1 && (this.#head[0] as number) > COMPRESSED)
        this.#isBroken = true
      if (this.#headBytes < FRAME_HEAD_BYTES) continue
      this.#headBytes = 0
      this.#missing = this.#head.readUInt32BE(1)
      if (this.#missing === 0) ends.push(from + at)
    }
    return ends
  }
}

/**
 * The messages of an answer as they come in pieces; one of more than `maxBytes` is left
 * out and counted in `skipped`. What is in no frames ends the reading. Throws nothing.
 */
export class FrameReader {
  readonly #maxBytes: number
  #pieces: Buffer[] = []
  #size = 0
  /** Of one that is too long. */
  #toSkip = 0
  #isBroken = false
  skipped = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The messages that are whole with it. Does not keep `chunk`. */
  push(chunk: Uint8Array): readonly GrpcFrame[] {
    const frames: GrpcFrame[] = []
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    while (rest.length > 0 && !this.#isBroken) {
      if (this.#toSkip > 0) {
        const taken = Math.min(this.#toSkip, rest.length)
        this.#toSkip -= taken
        rest = rest.subarray(taken)
        continue
      }
      rest = this.#taken(rest, frames)
    }
    return frames
  }

  #taken(rest: Buffer, frames: GrpcFrame[]): Buffer {
    const head = this.#size < FRAME_HEAD_BYTES
    const wanted = head ? FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + this.#length()
    const taken = rest.subarray(0, wanted - this.#size)
    this.#pieces.push(Buffer.from(taken))
    this.#size += taken.length
    if (this.#size === wanted) this.#whole(frames)
    return rest.subarray(taken.length)
  }

  /** A head, or a message with it. */
  #whole(frames: GrpcFrame[]): void {
    const bytes = Buffer.concat(this.#pieces, this.#size)
    this.#pieces = [bytes]
    const isHead = this.#size === FRAME_HEAD_BYTES
    const length = this.#length()
    const [frame] = framesIn(bytes) ?? []
    if (frame === undefined) this.#isBroken = true
    else if (isHead && length > this.#maxBytes) {
      this.skipped++
      this.#toSkip = length
    } else if (isHead && length > 0) return
    else frames.push(frame)
    this.#pieces = []
    this.#size = 0
  }

  #length(): number {
    return (this.#pieces[0] as Buffer).readUInt32BE(1)
  }
}
