/**
 * The ClientHello at the head of a TCP stream: whether there is one, whether it is whole, and
 * where it ends. Knows TLS records and handshake headers (RFC 8446 §4, §5.1) and the older
 * SSLv2-compatible greeting (RFC 5246 §E.2); the message's fields are `hello-body.ts`.
 * Pure, never throws, keeps nothing of the bytes it is shown.
 */
import { parseHelloBody, type BodyFault, type ClientHello } from './hello-body.js'

export type { ClientHello } from './hello-body.js'

/** The longest handshake message that is read, in bytes, unless the caller says otherwise. */
export const DEFAULT_HELLO_LIMIT = 65_536

const RECORD_HEADER_BYTES = 5
const HANDSHAKE_HEADER_BYTES = 4
const CONTENT_HANDSHAKE = 0x16
const TYPE_CLIENT_HELLO = 1
/** RFC 8446 §5.1. */
const MAX_RECORD_BYTES = 16_384

export type MalformedReason =
  | BodyFault
  | 'not-a-client-hello'
  | 'interleaved-record'
  | 'record-too-long'
  | 'hello-too-long'

export type Peek =
  | {
      readonly kind: 'hello'
      readonly hello: ClientHello
      /** How many bytes of the stream, record headers included, the hello took. */
      readonly bytesUsed: number
    }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'not-tls' }
  /** SSLv2-compatible CLIENT-HELLO: carries no server name. */
  | { readonly kind: 'sslv2-hello' }
  | {
      readonly kind: 'malformed'
      /** Into the stream. */
      readonly offset: number
      readonly reason: MalformedReason
    }

const needMore: Peek = { kind: 'need-more' }
const notTls: Peek = { kind: 'not-tls' }
const malformed = (offset: number, reason: MalformedReason): Peek => ({
  kind: 'malformed',
  offset,
  reason,
})

/**
 * Reads a ClientHello from the first bytes of a TCP stream. After `need-more`, call with a
 * longer prefix; whoever calls often keeps a `ClientHelloScan` instead. `limit` is the longest
 * message in bytes.
 */
export function parseClientHello(bytes: Uint8Array, limit = DEFAULT_HELLO_LIMIT): Peek {
  return new ClientHelloScan(limit).read(bytes)
}

/**
 * The same for a stream that grows. Remembers offsets only, so that each record header is
 * walked once: the whole costs linear time however small the steps.
 */
export class ClientHelloScan {
  readonly #limit: number
  /** Where the record starts that has not been passed yet. */
  #recordAt = 0
  /** Bytes of the handshake message in the records before it. */
  #before = 0
  /** The handshake header, as many of its bytes as were seen. */
  #header = 0
  #headerBytes = 0

  constructor(limit = DEFAULT_HELLO_LIMIT) {
    this.#limit = limit
  }

  /** `bytes` is the stream from its start, at least as long as in the call before. */
  read(bytes: Uint8Array): Peek {
    if (bytes.length > 0 && bytes[0] !== CONTENT_HANDSHAKE) return readSslv2(bytes)
    for (;;) {
      const wrong = this.#checkRecordHeader(bytes)
      if (wrong !== undefined) return wrong
      const at = this.#recordAt
      const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)
      const seen = Math.min(length, bytes.length - at - RECORD_HEADER_BYTES)
      const refused = this.#readHandshakeHeader(bytes, seen)
      if (refused !== undefined) return refused
      if (this.#headerBytes === HANDSHAKE_HEADER_BYTES) {
        const total = HANDSHAKE_HEADER_BYTES + (this.#header & 0xff_ffff)
        if (this.#before + seen >= total) {
          return parseWhole(bytes, total, at + RECORD_HEADER_BYTES + total - this.#before)
        }
      }
      if (seen < length) return needMore
      this.#recordAt += RECORD_HEADER_BYTES + length
      this.#before += length
    }
  }

  /** Undefined when a whole, acceptable header is there. */
  #checkRecordHeader(bytes: Uint8Array): Peek | undefined {
    const at = this.#recordAt
    const available = bytes.length - at
    if (available >= 1 && bytes[at] !== CONTENT_HANDSHAKE)
      return malformed(at, 'interleaved-record')
    // The major version is 3 from SSL 3.0 to TLS 1.3; the minor one says nothing.
    if (available >= 2 && bytes[at + 1] !== 3)
      return at === 0 ? notTls : malformed(at + 1, 'interleaved-record')
    if (available < RECORD_HEADER_BYTES) return needMore
    const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)
    if (length > MAX_RECORD_BYTES) return malformed(at + 3, 'record-too-long')
    return undefined
  }

  /** Takes what the record's first `seen` bytes add to the header of the message. */
  #readHandshakeHeader(bytes: Uint8Array, seen: number): Peek | undefined {
    const payloadAt = this.#recordAt + RECORD_HEADER_BYTES
    while (
      this.#headerBytes < HANDSHAKE_HEADER_BYTES &&
      this.#headerBytes - this.#before < seen
    ) {
      const at = payloadAt + this.#headerBytes - this.#before
      const byte = bytes[at] ?? 0
      if (this.#headerBytes === 0 && byte !== TYPE_CLIENT_HELLO)
        return malformed(at, 'not-a-client-hello')
      this.#header = (this.#header << 8) | byte
      this.#headerBytes++
      const whole = this.#headerBytes === HANDSHAKE_HEADER_BYTES
      if (whole && HANDSHAKE_HEADER_BYTES + (this.#header & 0xff_ffff) > this.#limit)
        return malformed(at, 'hello-too-long')
    }
    return undefined
  }
}

function parseWhole(bytes: Uint8Array, total: number, bytesUsed: number): Peek {
  const message = gather(bytes, total)
  const body = parseHelloBody(message.subarray(HANDSHAKE_HEADER_BYTES))
  if (body.kind === 'hello') return { kind: 'hello', hello: body.hello, bytesUsed }
  return malformed(streamOffset(bytes, body.offset + HANDSHAKE_HEADER_BYTES), body.reason)
}

/** The message without record headers: a view when one record holds it, else a copy. */
function gather(bytes: Uint8Array, total: number): Uint8Array {
  const first = ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0)
  if (first >= total) {
    return bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + total)
  }
  const message = new Uint8Array(total)
  let at = 0
  for (let filled = 0; filled < total;) {
    const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)
    const start = at + RECORD_HEADER_BYTES
    const take = Math.min(length, total - filled)
    message.set(bytes.subarray(start, start + take), filled)
    filled += take
    at = start + length
  }
  return message
}

/** Where a byte of the message lies in the stream. */
function streamOffset(bytes: Uint8Array, messageOffset: number): number {
  let at = 0
  for (let left = messageOffset; ;) {
    const length = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)
    const start = at + RECORD_HEADER_BYTES
    // A fault at the very end of the message lies behind the last record.
    if (left < length || start + length >= bytes.length) return start + left
    left -= length
    at += RECORD_HEADER_BYTES + length
  }
}

/**
 * SSLv2 CLIENT-HELLO with a two-byte header: length with the top bit set, type 1, version,
 * then the lengths of three fields that must fill the record. Anything that does not fit is
 * another protocol.
 */
function readSslv2(bytes: Uint8Array): Peek {
  const at = (index: number): number => bytes[index] ?? 0
  if (at(0) < 0x80) return notTls
  if (bytes.length >= 3 && at(2) !== TYPE_CLIENT_HELLO) return notTls
  if (bytes.length >= 5) {
    const version = (at(3) << 8) | at(4)
    if (version !== 0x0002 && version >> 8 !== 3) return notTls
  }
  if (bytes.length < 11) return needMore
  const length = ((at(0) & 0x7f) << 8) | at(1)
  const cipherSpecs = (at(5) << 8) | at(6)
  const sessionId = (at(7) << 8) | at(8)
  const challenge = (at(9) << 8) | at(10)
  const fits =
    cipherSpecs > 0 &&
    cipherSpecs % 3 === 0 &&
    challenge >= 16 &&
    challenge <= 32 &&
    length === 9 + cipherSpecs + sessionId + challenge
  return fits ? { kind: 'sslv2-hello' } : notTls
}
