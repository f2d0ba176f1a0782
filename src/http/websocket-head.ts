/** The head of a WebSocket frame and its mask, RFC 6455 §5.2 and §5.3. Pure. */

/** Nothing in it is judged: opcodes and reserved bits are as they came. */
export interface FrameHead {
  readonly fin: boolean
  /** The three reserved bits: 4 is RSV1. */
  readonly rsv: number
  readonly opcode: number
  /** Of the payload; not a safe integer when it is beyond 2^53. */
  readonly length: number
  /** Four bytes, when the payload is masked. */
  readonly mask: Uint8Array | undefined
}

/** The head in exactly its bytes, or how many bytes it needs as far as can be told yet. */
export function readFrameHead(bytes: Buffer): FrameHead | number {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return 2
  const short = second & 0x7f
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const isMasked = (second & 0x80) !== 0
  const size = 2 + lengthBytes + (isMasked ? 4 : 0)
  if (bytes.length < size) return size
  const length =
    lengthBytes === 0
      ? short
      : lengthBytes === 2
        ? bytes.readUInt16BE(2)
        : bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6)
  return {
    fin: (first & 0x80) !== 0,
    rsv: (first >> 4) & 7,
    opcode: first & 0x0f,
    length,
    mask: isMasked ? Uint8Array.from(bytes.subarray(size - 4, size)) : undefined,
  }
}

/**
 * Masks, or unmasks what is masked: it is its own inverse. `offset`: where in the frame's
 * payload these bytes begin. RFC 6455 §5.3.
 */
export function maskInPlace(bytes: Buffer, mask: Uint8Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (bytes[i] as number) ^ (mask[(i + offset) & 3] as number)
  }
}

/** A text message in one frame of a server: not masked, not compressed. RFC 6455 §5.6. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const size = payload.length
  if (size < 126) return Buffer.concat([Buffer.of(0x81, size), payload])
  const head = Buffer.alloc(size <= 0xffff ? 4 : 10)
  head[0] = 0x81
  if (size <= 0xffff) {
    head[1] = 126
    head.writeUInt16BE(size, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(size), 2)
  }
  return Buffer.concat([head, payload])
}

/** RFC 6455 §5.5: a control frame's payload is at most 125 bytes. */
const MAX_REASON_BYTES = 123

/**
 * A Close frame; masked when a mask is given, as a client's must be. `reason` is cut to
 * 123 bytes of UTF-8, between two characters. RFC 6455 §5.5.1.
 */
export function closeFrame(code: number, reason: string, mask?: Uint8Array): Buffer {
  let text = Buffer.from(reason)
  // Cut between two characters.
  for (let size = MAX_REASON_BYTES; text.length > MAX_REASON_BYTES; size--)
    if (((text[size] as number) & 0xc0) !== 0x80) text = text.subarray(0, size)
  const payload = Buffer.alloc(2 + text.length)
  payload.writeUInt16BE(code)
  text.copy(payload, 2)
  if (mask === undefined) return Buffer.concat([Buffer.of(0x88, payload.length), payload])
  maskInPlace(payload, mask, 0)
  return Buffer.concat([Buffer.of(0x88, 0x80 | payload.length), mask, payload])
}
