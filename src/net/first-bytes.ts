/**
 * What the first bytes of a connection are: a ClientHello, HTTP, or something else. Knows no
 * sockets; `peek.ts` feeds it. Bytes are kept in one buffer that doubles, so that a client
 * that sends one byte a segment costs linear time.
 */
import { ClientHelloScan, type ClientHello } from '../tls/client-hello.js'

export type Verdict =
  | { readonly kind: 'hello'; readonly hello: ClientHello; readonly bytes: number }
  /** `speaksH2`: the preface of HTTP/2 without TLS, RFC 9113 §3.3. */
  | { readonly kind: 'http'; readonly speaksH2?: true }
  | {
      readonly kind: 'other'
      /**
       * Servers may take it for TLS: another record before the hello, as an alert is, or the
       * SSLv2-compatible greeting, whole or begun, which OpenSSL reads to this day.
       */
      readonly likeTls?: true
    }
  | { readonly kind: 'malformed'; readonly reason: string }

const TLS_HANDSHAKE = 0x16
/** Content types of records, RFC 8446 §5.1, RFC 6520 §3. */
const CONTENT_TYPES = { first: 0x14, last: 0x18 } as const
/** The length of an SSLv2 record has its top bit set. */
const SSLV2_LENGTH = 0x80
const OTHER_TLS: Verdict = { kind: 'other', likeTls: true }
/** Methods are tokens of any length (RFC 9110 §9.1); none in the registry is near this. */
const MAX_METHOD_BYTES = 32

/**
 * One connection's. `maxBytes`: of the stream; when so many tell nothing, they are
 * `malformed` (`hello-too-long`). Throws nothing.
 */
export class FirstBytesReader {
  readonly #maxBytes: number
  readonly #scan: ClientHelloScan
  #buffer: Uint8Array = new Uint8Array(0)
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#scan = new ClientHelloScan(maxBytes)
  }

  /** All bytes so far. A view: the same memory as the chunk when there was only one. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /**
   * Takes the next bytes; undefined while it cannot be told. Keeps the first `chunk`
   * itself, copies others; after a verdict no more are to be pushed.
   */
  push(chunk: Uint8Array): Verdict | undefined {
    this.#append(chunk)
    // What lies beyond the limit is not looked at, whether or not it came with the rest.
    const verdict = this.#judge(this.bytes.subarray(0, this.#maxBytes))
    const full = verdict === undefined && this.#length >= this.#maxBytes
    return full ? { kind: 'malformed', reason: 'hello-too-long' } : verdict
  }

  /** What bytes without an end are when no more will come: undefined for half a hello. */
  atEnd(): Verdict | undefined {
    const [first = TLS_HANDSHAKE] = this.bytes
    if (first === TLS_HANDSHAKE) return undefined
    return first >= SSLV2_LENGTH ? OTHER_TLS : { kind: 'other' }
  }

  #append(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = chunk
      this.#length = chunk.length
      return
    }
    const length = this.#length + chunk.length
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * length))
      larger.set(this.bytes)
      this.#buffer = larger
    }
    this.#buffer.set(chunk, this.#length)
    this.#length = length
  }

  #judge(bytes: Uint8Array): Verdict | undefined {
    const peek = this.#scan.read(bytes)
    switch (peek.kind) {
      case 'hello':
        return { kind: 'hello', hello: peek.hello, bytes: peek.bytesUsed }
      case 'need-more':
        return undefined
      case 'sslv2-hello':
        return OTHER_TLS
      case 'malformed':
        return { kind: 'malformed', reason: peek.reason }
      case 'not-tls':
        return isRecord(bytes) ? OTHER_TLS : readMethod(bytes)
    }
  }
}

/** A record that is no handshake; `first` alone tells it from every HTTP method. */
function isRecord([first = 0, major = 3]: Uint8Array): boolean {
  const { first: lowest, last } = CONTENT_TYPES
  return first >= lowest && first <= last && first !== TLS_HANDSHAKE && major === 3
}

/**
 * An HTTP method, then a space. `SSH-` opens the greeting of another protocol that has a space
 * in it (RFC 4253 §4.2).
 */
function readMethod(bytes: Uint8Array): Verdict | undefined {
  const end = Math.min(bytes.length, MAX_METHOD_BYTES + 1)
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0x20 && i > 0) {
      if (startsWith(bytes, 'SSH-')) return { kind: 'other' }
      // No method is called so, RFC 9113 §3.4.
      return startsWith(bytes, 'PRI ')
        ? { kind: 'http', speaksH2: true }
        : { kind: 'http' }
    }
    if (!isTokenByte(byte)) return { kind: 'other' }
  }
  return bytes.length > MAX_METHOD_BYTES ? { kind: 'other' } : undefined
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false
  return true
}

const TOKEN_MARKS = new Set(Array.from("!#$%&'*+-.^_`|~", (mark) => mark.charCodeAt(0)))

/** RFC 9110 §5.6.2. */
function isTokenByte(byte: number): boolean {
  const letter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
  return letter || (byte >= 0x30 && byte <= 0x39) || TOKEN_MARKS.has(byte)
}
