/**
 * Writes messages from what was parsed. Framing is always our own; a text that would end its
 * line early, or is no HTTP, is never written. RFC 9112 §3 to §7.
 */
import { YoriError } from '../../core/errors.js'
import { TARGET, TOKEN, VALUE } from './bytes.js'

const LINE_END = Buffer.from('\r\n')

/** How the body that follows is framed. */
export type Written =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** A response that the end of the connection ends. */
  | { readonly kind: 'until-close' }

/**
 * As they are to stand in the head: nothing is encoded, what cannot stand there is
 * refused.
 */
export interface RequestLine {
  readonly method: string
  readonly target: string
  /** The value of `Host`, which goes first. RFC 9110 §7.2. */
  readonly host: string
}

/** Texts of a head as they are put together: pieces of text that are joined are made thrice. */
let scratch = Buffer.allocUnsafeSlow(8 * 1024)
/** How much of it is used. */
let end = 0

/**
 * A request head as text, each character a byte. `fields`: flat, without framing fields.
 * @throws YORI_INTERNAL when something in it cannot be written
 */
export function requestHead(
  line: RequestLine,
  fields: readonly string[],
  framing: Written,
): string {
  end = 0
  if (line.method === '') throw unwritable('method')
  put(line.method, TOKEN, 'method')
  put(' ')
  if (line.target === '') throw unwritable('target')
  put(line.target, TARGET, 'target')
  put(' HTTP/1.1\r\nhost: ')
  put(line.host, VALUE, 'host')
  put('\r\n')
  putFields(fields)
  put(framingLine(framing))
  put('\r\n')
  return scratch.toString('latin1', 0, end)
}

/**
 * A response head as text. `fields`: flat, without framing fields.
 * @throws YORI_INTERNAL when something in it cannot be written
 */
export function responseHead(
  status: number,
  reason: string,
  fields: readonly string[],
  framing: Written,
): string {
  putResponse(status, reason, fields, framing)
  put('\r\n')
  return scratch.toString('latin1', 0, end)
}

/** The same without its last line end, for who has more to say. */
export function openResponseHead(
  status: number,
  reason: string,
  fields: readonly string[],
  framing: Written,
): string {
  putResponse(status, reason, fields, framing)
  return scratch.toString('latin1', 0, end)
}

function putResponse(
  status: number,
  reason: string,
  fields: readonly string[],
  framing: Written,
): void {
  if (!(Number.isInteger(status) && status >= 100 && status <= 999))
    throw unwritable('status')
  end = 0
  put('HTTP/1.1 ')
  put(String(status))
  put(' ')
  put(reason, VALUE, 'reason')
  put('\r\n')
  putFields(fields)
  put(framingLine(framing))
}

/**
 * Field lines as text, each character a byte. `fields`: flat; a name without a value at
 * its end is left out.
 * @throws YORI_INTERNAL when something in it cannot be written
 */
export function fieldLines(fields: readonly string[]): string {
  end = 0
  putFields(fields)
  return scratch.toString('latin1', 0, end)
}

function putFields(fields: readonly string[]): void {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    if (name === '') throw unwritable('field name')
    put(name, TOKEN, 'field name')
    put(': ')
    put(fields[i + 1] as string, VALUE, 'field value')
    put('\r\n')
  }
}

/** Behind what there is; `table`: of the bytes that may stand in it. */
function put(text: string, table?: Uint8Array, what = ''): void {
  const { length } = text
  if (end + length > scratch.length) grow(end + length)
  const bytes = scratch
  let at = end
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (table !== undefined && table[code] !== 1) throw unwritable(what)
    bytes[at++] = code
  }
  end = at
}

function grow(bytes: number): void {
  const grown = Buffer.allocUnsafeSlow(2 * bytes)
  scratch.copy(grown, 0, 0, end)
  scratch = grown
}

function framingLine(framing: Written): string {
  switch (framing.kind) {
    case 'length':
      return `content-length: ${framing.bytes}\r\n`
    case 'chunked':
      return 'transfer-encoding: chunked\r\n'
    default:
      return ''
  }
}

/** The head and what is there of the body, as one piece: one write, one TLS record. */
export function inOnePiece(head: string, body: Uint8Array | undefined): Buffer {
  if (body === undefined) return Buffer.from(head, 'latin1')
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.write(head, 0, head.length, 'latin1')
  bytes.set(body, head.length)
  return bytes
}

/** Texts, each character a byte, and bytes as one piece; bytes alone are not copied. */
export function joined(pieces: readonly (string | Buffer)[]): Buffer {
  const [only] = pieces
  if (pieces.length === 1 && Buffer.isBuffer(only)) return only
  let size = 0
  for (const piece of pieces) size += piece.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += bytes.write(piece, at, 'latin1')
    else at += piece.copy(bytes, at)
  }
  return bytes
}

/** One chunk with its size line. An empty one would end the body, RFC 9112 §7.1. */
export function chunk(data: Uint8Array): Buffer {
  const size = `${data.length.toString(16)}\r\n`
  const bytes = Buffer.allocUnsafe(size.length + data.length + 2)
  bytes.write(size, 0, size.length, 'latin1')
  bytes.set(data, size.length)
  bytes.set(LINE_END, size.length + data.length)
  return bytes
}

/**
 * The end of a chunked body, with its trailers (flat), if any.
 * @throws YORI_INTERNAL when something in them cannot be written
 */
export function lastChunk(trailers: readonly string[] = []): string {
  return `0\r\n${fieldLines(trailers)}\r\n`
}

function unwritable(what: string): YoriError {
  return new YoriError('YORI_INTERNAL', `a ${what} cannot be written as HTTP/1.1`)
}
