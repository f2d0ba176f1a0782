/**
 * What gRPC makes of an HTTP answer: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md and
 * doc/http-grpc-status-mapping.md. Messages are in `grpc-frames.ts`. Pure.
 */
import { valuesOf } from './head.js'

/**
 * `application/grpc` and its kinds, over HTTP/2: elsewhere the type is a word like others.
 * gRPC-Web is another protocol, over any HTTP.
 */
export function isGrpc(httpVersion: string, contentType: string | undefined): boolean {
  if (contentType === undefined || httpVersion !== '2.0') return false
  const [type = ''] = contentType.split(';', 1)
  return /^application\/grpc(\+[a-z0-9.-]+)?$/i.test(type.trim())
}

/**
 * Is such a body in messages with a head of five bytes: gRPC, gRPC-Web, streams of Connect?
 * By its type alone; the text form of gRPC-Web is base64.
 */
export function isInFrames(contentType: string | undefined): boolean {
  return /^\s{0,16}application\/(?:grpc|connect)(?![a-z])(?!-web-text)/i.test(
    contentType ?? '',
  )
}

/** One message alone, as Connect and others have it. */
export function isProtobuf(contentType: string | undefined): boolean {
  return /^\s{0,16}application\/(?:x-|vnd\.google\.|x-google-)?proto(?:buf)?\s{0,16}(?:;|$)/i.test(
    contentType ?? '',
  )
}

export const PERMISSION_DENIED = 7

/**
 * The status of gRPC that says what an HTTP status would have said, by
 * doc/http-grpc-status-mapping.md; beyond it 407 is 16, 408 is 4, 413 is 8, 421 is 7, 431
 * is 13, any 5xx is 14. All others are 2 (UNKNOWN).
 */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
    case 431:
      return 13
    case 401:
    case 407:
      return 16
    case 403:
    case 421:
      return PERMISSION_DENIED
    case 404:
      return 12
    case 408:
      return 4
    case 413:
      return 8
    default:
      return httpStatus >= 500 || httpStatus === 429 ? 14 : 2
  }
}

/** A whole answer in one head, "Trailers-Only": status 200, and the call's own status. */
export function grpcTrailersOnly(status: number, message: string): string[] {
  return [
    ...['content-type', 'application/grpc'],
    ...['grpc-status', String(status), 'grpc-message', percentEncoded(message)],
  ]
}

/** Of a provider's message, in a record. */
const MAX_MESSAGE_CHARS = 200

/** How the call failed by the fields that end it; undefined: it did not, or not here. */
export function grpcFailure(rawFields: readonly string[]): string | undefined {
  const status = valuesOf(rawFields, 'grpc-status')
  if (status === '' || status === '0') return undefined
  const message = percentDecoded(valuesOf(rawFields, 'grpc-message'))
  return `gRPC status ${status}: ${message}`.slice(0, MAX_MESSAGE_CHARS)
}

/** What is no escape stays as it is. */
function percentDecoded(text: string): string {
  const bytes: number[] = []
  for (let i = 0; i < text.length && bytes.length < MAX_MESSAGE_CHARS * 4; i++) {
    const digits = text[i] === '%' ? text.slice(i + 1, i + 3) : ''
    if (/^[0-9a-f]{2}$/i.test(digits)) {
      bytes.push(parseInt(digits, 16))
      i += 2
    } else bytes.push(text.charCodeAt(i) & 0xff)
  }
  return Buffer.from(bytes).toString()
}

/** UTF-8, of which all but visible ASCII, space and `%` is escaped. */
function percentEncoded(message: string): string {
  let text = ''
  for (const byte of Buffer.from(message)) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) text += String.fromCharCode(byte)
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
