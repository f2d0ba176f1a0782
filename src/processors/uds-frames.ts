/**
 * Frames of the agent protocol, version 2, over a Unix socket: `u32` length (big-endian, of what
 * follows), one byte of type, payload. No frame grows beyond what was agreed before it is read.
 */
import { ProcessorFailure } from './words.js'

export const FRAME = {
  handshake: 0x01,
  introduction: 0x02,
  requestHead: 0x10,
  requestBody: 0x11,
  responseHead: 0x12,
  responseBody: 0x13,
  complete: 0x14,
  websocket: 0x15,
  guardrail: 0x16,
  configure: 0x17,
  answer: 0x20,
  health: 0x30,
  metrics: 0x31,
  configUpdate: 0x32,
  flow: 0x33,
  cancel: 0x40,
  ping: 0x41,
  pong: 0x42,
} as const

/** Of length and type. */
const HEAD_BYTES = 5

export interface Frame {
  readonly type: number
  readonly payload: Buffer
}

export function frame(type: number, payload: Buffer | string): Buffer {
  const length = Buffer.byteLength(payload)
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length)
  bytes.writeUInt32BE(length + 1, 0)
  bytes[4] = type
  if (typeof payload === 'string') bytes.write(payload, HEAD_BYTES)
  else payload.copy(bytes, HEAD_BYTES)
  return bytes
}

/** Of the five bytes before a payload. */
export interface FrameLayout {
  readonly typeAt: number
  readonly lengthAt: number
  /** Bytes that the length counts and that are none of the payload. */
  readonly counted: number
}

const UDS: FrameLayout = { typeAt: 4, lengthAt: 0, counted: 1 }
/** A message of gRPC: whether it is compressed, and its length. */
export const GRPC: FrameLayout = { typeAt: 0, lengthAt: 1, counted: 0 }

/** Takes bytes as they come, however they are cut. */
export class FrameReader {
  readonly #maxBytes: number
  readonly #layout: FrameLayout
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headLength = 0
  #payload: Buffer | undefined
  #filled = 0

  /** `maxBytes`: of one payload. */
  constructor(maxBytes: number, layout: FrameLayout = UDS) {
    this.#maxBytes = maxBytes
    this.#layout = layout
  }

  /** What is whole with these. @throws ProcessorFailure where a frame is none, or too long */
  *push(chunk: Buffer): Generator<Frame> {
    let at = 0
    while (at < chunk.length) {
      if (this.#payload === undefined) {
        const taken = chunk.copy(this.#head, this.#headLength, at, at + this.#missing)
        this.#headLength += taken
        at += taken
        if (this.#headLength < HEAD_BYTES) return
        this.#begin()
      }
      const payload = this.#payload as unknown as Buffer
      const taken = chunk.copy(payload, this.#filled, at)
      this.#filled += taken
      at += taken
      if (this.#filled < payload.length) return
      const type = this.#head[this.#layout.typeAt] as number
      this.#payload = undefined
      this.#headLength = 0
      yield { type, payload }
    }
  }

  get #missing(): number {
    return HEAD_BYTES - this.#headLength
  }

  #begin(): void {
    const { lengthAt, counted } = this.#layout
    const length = this.#head.readUInt32BE(lengthAt) - counted
    if (length < 0) throw new ProcessorFailure('malformed', 'an empty frame')
    if (length > this.#maxBytes)
      throw new ProcessorFailure('too-large', `a frame of ${length} bytes`)
    this.#payload = Buffer.allocUnsafe(length)
    this.#filled = 0
  }
}
