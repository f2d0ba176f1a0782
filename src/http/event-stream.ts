/**
 * The AWS event stream framing (`application/vnd.amazon.eventstream`): bytes in, messages
 * out, whatever the chunking. A message is total length, headers length and the CRC-32 of
 * those eight bytes, then headers, payload and the CRC-32 of all before it, all big-endian.
 * Knows framing only; payloads are for the provider readers.
 */
import { crc32 } from './crc32.js'

/** A message whose two checksums were right. */
export interface EventStreamMessage {
  /** String headers by name, such as `:event-type`; headers of other types are left out. */
  readonly headers: ReadonlyMap<string, string>
  readonly payload: Buffer
}

/** What one message may take. `EVENT_STREAM_LIMITS` are the defaults. */
export interface EventStreamLimits {
  /** Bytes of one message, framing included. */
  readonly maxMessageBytes: number
  /** More of them, and the stream is `broken`. */
  readonly maxHeaders: number
}

export const EVENT_STREAM_LIMITS: EventStreamLimits = {
  maxMessageBytes: 1024 * 1024,
  maxHeaders: 64,
}

const PRELUDE_BYTES = 12
const FRAMING_BYTES = 16
/** The protocol's own ceiling on a message; a length above it is no length. */
const PROTOCOL_MAX_BYTES = 24 * 1024 * 1024

/**
 * After a checksum, a length or a header block that cannot be right, or more than
 * `maxHeaders`, nothing that follows can be found: the reader is `broken` and ignores the
 * rest. A message over `maxMessageBytes` is skipped and counted. Throws nothing.
 */
export class EventStreamReader {
  readonly #limits: EventStreamLimits
  #held: Buffer[] = []
  #heldBytes = 0
  /** How many bytes the next step needs; joining waits until they are there. */
  #needBytes = PRELUDE_BYTES
  #skipBytes = 0
  #skipped = 0
  #broken = false

  constructor(limits: EventStreamLimits = EVENT_STREAM_LIMITS) {
    this.#limits = limits
  }

  /** Messages over `maxMessageBytes`, by their prelude. */
  get skipped(): number {
    return this.#skipped
  }

  /** The bytes were no event stream; for good. */
  get broken(): boolean {
    return this.#broken
  }

  /** The messages that are whole with it. Does not keep `chunk`; payloads are copies. */
  push(chunk: Uint8Array): EventStreamMessage[] {
    const messages: EventStreamMessage[] = []
    if (this.#broken) return messages
    this.#held.push(Buffer.from(chunk))
    this.#heldBytes += chunk.length
    while (!this.#broken && this.#step(messages));
    if (this.#broken) this.#forget()
    return messages
  }

  /** True when the stream ended between two messages. */
  end(): boolean {
    return !this.#broken && this.#heldBytes === 0 && this.#skipBytes === 0
  }

  /** Takes one message, or one piece of a skipped one; false when more bytes are needed. */
  #step(messages: EventStreamMessage[]): boolean {
    if (this.#skipBytes > 0) {
      const count = Math.min(this.#skipBytes, this.#heldBytes)
      if (count > 0) this.#take(count)
      this.#skipBytes -= count
      if (this.#skipBytes > 0) return false
    }
    if (this.#heldBytes < this.#needBytes) return false
    const all = this.#joined()
    const total = all.readUInt32BE(0)
    const headersLength = all.readUInt32BE(4)
    if (
      all.readUInt32BE(8) !== crc32(all.subarray(0, 8)) ||
      total < FRAMING_BYTES + headersLength ||
      total > PROTOCOL_MAX_BYTES
    ) {
      this.#broken = true
      return false
    }
    if (total > this.#limits.maxMessageBytes) {
      this.#skipped++
      this.#skipBytes = total
      return true
    }
    if (this.#heldBytes < total) {
      this.#needBytes = total
      return false
    }
    this.#needBytes = PRELUDE_BYTES
    const message = this.#take(total)
    if (message.readUInt32BE(total - 4) !== crc32(message.subarray(0, total - 4))) {
      this.#broken = true
      return false
    }
    const headersEnd = PRELUDE_BYTES + headersLength
    const headers = readHeaders(
      message.subarray(PRELUDE_BYTES, headersEnd),
      this.#limits.maxHeaders,
    )
    if (headers === undefined) this.#broken = true
    else messages.push({ headers, payload: message.subarray(headersEnd, total - 4) })
    return headers !== undefined
  }

  #joined(): Buffer {
    if (this.#held.length > 1) this.#held = [Buffer.concat(this.#held)]
    return this.#held[0] ?? Buffer.alloc(0)
  }

  #take(count: number): Buffer {
    const all = this.#joined()
    const rest = all.subarray(count)
    this.#held = rest.length === 0 ? [] : [rest]
    this.#heldBytes = rest.length
    return all.subarray(0, count)
  }

  #forget(): void {
    this.#held = []
    this.#heldBytes = 0
    this.#skipBytes = 0
  }
}

const STRING_TYPE = 7
const BYTES_TYPE = 6
/** Value bytes of the fixed-size types: true, false, byte, short, int, long; time, uuid. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
])

/** Undefined when the header block does not hold together or has too many headers. */
function readHeaders(block: Buffer, maxHeaders: number): Map<string, string> | undefined {
  const headers = new Map<string, string>()
  let at = 0
  for (let count = 0; at < block.length; count++) {
    if (count === maxHeaders) return undefined
    const nameLength = block[at] ?? 0
    const typeAt = at + 1 + nameLength
    const type = block[typeAt]
    if (nameLength === 0 || type === undefined) return undefined
    const name = block.toString('utf8', at + 1, typeAt)
    let valueAt = typeAt + 1
    let length = FIXED_BYTES.get(type)
    if (type === STRING_TYPE || type === BYTES_TYPE) {
      if (valueAt + 2 > block.length) return undefined
      length = block.readUInt16BE(valueAt)
      valueAt += 2
    }
    if (length === undefined || valueAt + length > block.length) return undefined
    if (type === STRING_TYPE)
      headers.set(name, block.toString('utf8', valueAt, valueAt + length))
    at = valueAt + length
  }
  return headers
}
