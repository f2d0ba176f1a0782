/**
 * The fields that say where a message ends and what becomes of its connection, read while a
 * head is scanned: lengths, codings, `Host`, `Connection`. What two readers might take for two
 * things is a problem. RFC 9112 §3.2, §6 and §9; RFC 9110 §6.5.1 for trailers.
 */
import { CR, EQUALS, isName, SP, TAB } from './bytes.js'
import type { Head, Problem } from './head.js'

/** 999,999,999,999,999 bytes: every number up to there is exact. */
const MAX_LENGTH_DIGITS = 15
const COMMA = 0x2c
const KEEP_ALIVE_TIMEOUT = 'timeout'
const MAX_SECONDS_DIGITS = 6

export type Side = 'request' | 'response' | 'trailer'

/** Of one field: where its name and its value, without blanks around it, lie in the bytes. */
export interface Place {
  nameFrom: number
  nameTo: number
  from: number
  to: number
}

/**
 * Takes one field into `head`. A problem: a length that is none of 1 to 15 digits or
 * comes twice, a transfer coding but `chunked`, a second `Host`; in trailers each of
 * them, and `Connection`.
 */
export function framingField(
  head: Head,
  side: Side,
  bytes: Uint8Array,
  { nameFrom, nameTo, from, to }: Place,
): Problem | undefined {
  switch (nameTo - nameFrom) {
    case 4:
      if (!isName(bytes, nameFrom, nameTo, 'host')) return undefined
      head.hosts += 1
      if (side === 'trailer') return 'trailer'
      return side === 'request' && head.hosts > 1 ? 'host' : undefined
    case 7:
      if (isName(bytes, nameFrom, nameTo, 'upgrade')) head.hasUpgrade = true
      return undefined
    case 10:
      if (isName(bytes, nameFrom, nameTo, 'keep-alive')) keepAlive(head, bytes, from, to)
      if (!isName(bytes, nameFrom, nameTo, 'connection')) return undefined
      return side === 'trailer' ? 'trailer' : connection(head, bytes, from, to)
    case 14:
      if (!isName(bytes, nameFrom, nameTo, 'content-length')) return undefined
      return side === 'trailer' ? 'trailer' : contentLength(head, bytes, from, to)
    case 16:
      // No field of HTTP, but Node and others let it end a connection.
      if (!isName(bytes, nameFrom, nameTo, 'proxy-connection')) return undefined
      return side === 'trailer' ? 'trailer' : connection(head, bytes, from, to)
    case 17:
      if (!isName(bytes, nameFrom, nameTo, 'transfer-encoding')) return undefined
      return side === 'trailer' ? 'trailer' : transferEncoding(head, bytes, from, to)
    default:
      return undefined
  }
}

/**
 * What the fields of a whole head come to together: two framings, chunks in HTTP/1.0, no
 * `Host` in HTTP/1.1 but with CONNECT, a body of CONNECT or of a 1xx but 100. Undefined: none.
 */
export function framingProblem(head: Head, side: Side): Problem | undefined {
  const hasBody = head.chunked || head.contentLength > 0
  if (head.chunked) {
    if (head.contentLength >= 0) return 'two-framings'
    if (head.minor === 0) return 'transfer-encoding'
  }
  if (side === 'request') {
    // The target of CONNECT names the host, and nothing else could; clients leave it out.
    if (head.minor === 1 && head.hosts === 0 && !head.isConnect) return 'host'
    // What would follow is the tunnel's to some, the body to others. RFC 9110 §9.3.6.
    return head.isConnect && hasBody ? 'connect-body' : undefined
  }
  // It has no body whatever it says (RFC 9110 §15.2); of those beside 100 not all know that.
  const informs = head.status > 100 && head.status < 200
  return informs && hasBody ? 'informational-body' : undefined
}

/**
 * One field of one to fifteen digits, with no tab behind them, where readers differ. RFC 9112
 * §6.3 would let equal ones pass.
 */
function contentLength(
  head: Head,
  bytes: Uint8Array,
  from: number,
  to: number,
): Problem | undefined {
  const digits = to - from
  const isFirst = head.contentLength < 0
  if (!isFirst || digits === 0 || digits > MAX_LENGTH_DIGITS) return 'content-length'
  for (let at = to; bytes[at] !== CR; at++) if (bytes[at] !== SP) return 'content-length'
  let length = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return 'content-length'
    length = length * 10 + digit
  }
  head.contentLength = length
  return undefined
}

/** Exactly `chunked`, once: nobody here undoes another, RFC 9112 §6.1. */
function transferEncoding(
  head: Head,
  bytes: Uint8Array,
  from: number,
  to: number,
): Problem | undefined {
  if (head.chunked) return 'transfer-encoding'
  if (!isName(bytes, from, to, 'chunked')) {
    head.otherCoding = isOtherCoding(bytes, from, to)
    return 'transfer-encoding'
  }
  head.chunked = true
  return undefined
}

/** `gzip, chunked`: it can be understood in one way, but not undone. */
function isOtherCoding(bytes: Uint8Array, from: number, to: number): boolean {
  const text = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 256)))
  const codings = text.toLowerCase().split(',')
  const [last, ...before] = codings.map((coding) => coding.trim()).reverse()
  return (
    last === 'chunked' &&
    before.length > 0 &&
    before.every((coding) => /^[a-z][a-z0-9.-]{0,31}$/.test(coding) && coding !== last)
  )
}

function connection(head: Head, bytes: Uint8Array, from: number, to: number): undefined {
  let at = from
  while (at < to) {
    while (at < to && isBlankOrComma(bytes[at] as number)) at++
    const start = at
    while (at < to && bytes[at] !== COMMA) at++
    const stop = withoutBlanks(bytes, start, at)
    if (isName(bytes, start, stop, 'close')) head.close = true
    else if (isName(bytes, start, stop, 'keep-alive')) head.keepAlive = true
    else if (isName(bytes, start, stop, 'upgrade')) head.namesUpgrade = true
  }
}

/** Of `timeout=5, max=100` the seconds; anything else says nothing. */
function keepAlive(head: Head, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at + KEEP_ALIVE_TIMEOUT.length < to; at++) {
    if (!isName(bytes, at, at + KEEP_ALIVE_TIMEOUT.length, KEEP_ALIVE_TIMEOUT)) continue
    let seconds = 0
    let digits = 0
    for (let i = at + KEEP_ALIVE_TIMEOUT.length + 1; i < to; i++) {
      const digit = (bytes[i] as number) - 0x30
      if (digit < 0 || digit > 9 || digits === MAX_SECONDS_DIGITS) break
      seconds = seconds * 10 + digit
      digits += 1
    }
    if (bytes[at + KEEP_ALIVE_TIMEOUT.length] === EQUALS && digits > 0)
      head.keepAliveSeconds = seconds
    return
  }
}

function isBlankOrComma(byte: number): boolean {
  return byte === SP || byte === TAB || byte === COMMA
}

/** One past the last byte of `bytes[from..to)` that is no blank. */
export function withoutBlanks(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  while (end > from && (bytes[end - 1] === SP || bytes[end - 1] === TAB)) end--
  return end
}
