/**
 * Finds the words in the bytes of a body, or of a file in it, by what the bytes are and not by
 * what they are called: JSON, lines of JSON, a form, text in one of the forms of Unicode. What
 * is none of these holds no text. Pure; rests as it goes.
 */
import { StringDecoder } from 'node:string_decoder'
import type { Resting } from '../../core/resting.js'
import { isText } from '../../detect/text-shape.js'
import { parseBounded } from '../../json/json-bounds.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { BodyTextReader } from '../../providers/body-text.js'

const PIECE_BYTES = 64 * 1024

/** False: there is no text in it. */
export function* addWords(
  words: BodyTextReader,
  bytes: Buffer,
  limits: JsonLimits,
): Resting<boolean> {
  const utf8 = asUtf8(bytes)
  if (looksLikeJson(utf8)) {
    const body = parseBounded(utf8, limits)
    if (body.kind === 'whole') {
      yield* words.read(body.value)
      return true
    }
    if (yield* addLines(words, utf8, limits)) return true
  }
  return yield* addText(words, utf8)
}

export function looksLikeJson(bytes: Buffer): boolean {
  return /^\s*[{["]/.test(bytes.toString('latin1', 0, 64))
}

/** Lines of JSON, as batches and telemetry are; a line that is none is text. */
function* addLines(
  words: BodyTextReader,
  bytes: Buffer,
  limits: JsonLimits,
): Resting<boolean> {
  const end = bytes.indexOf(0x0a)
  if (end < 0 || parseBounded(bytes.subarray(0, end), limits).kind !== 'whole')
    return false
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(0x0a, at)
    const line = bytes.subarray(at, next < 0 ? bytes.length : next)
    const value = parseBounded(line, limits)
    if (value.kind === 'whole') yield* words.read(value.value)
    else if (value.kind !== 'absent') yield* addText(words, line)
    at += line.length + 1
    yield
  }
  return true
}

/** As it stands, and without the escapes of JSON and of forms, where it has any. */
export function* addText(words: BodyTextReader, bytes: Buffer): Resting<boolean> {
  const decoder = new StringDecoder('utf8')
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES)
    if (!isText(piece, bytes.length <= PIECE_BYTES)) return false
    pieces.push(decoder.write(piece))
    yield
  }
  pieces.push(decoder.end())
  words.plain(pieces.join(''))
  if (bytes.includes(0x5c)) words.plain(yield* without(pieces, JSON_ESCAPE, fromJson))
  if (bytes.includes(0x25)) words.plain(yield* without(pieces, FORM_ESCAPE, fromForm))
  return true
}

const JSON_ESCAPE = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g
const FORM_ESCAPE = /(?:%[0-9a-fA-F]{2})+|\+/g

/** An escape that a piece's end cuts stays one; there are few ends. */
function* without(
  pieces: readonly string[],
  escape: RegExp,
  plain: (escaped: string) => string,
): Resting<string> {
  let whole = ''
  let rest = ''
  for (const piece of pieces) {
    const text = rest + piece
    const cut = Math.max(text.lastIndexOf('\\'), text.lastIndexOf('%'))
    const end = cut > text.length - 6 ? cut : text.length
    whole += text.slice(0, end).replace(escape, plain)
    rest = text.slice(end)
    yield
  }
  return whole + rest.replace(escape, plain)
}

function fromJson(escaped: string): string {
  return JSON.parse(`"${escaped}"`) as string
}

function fromForm(escaped: string): string {
  if (escaped === '+') return ' '
  return Buffer.from(escaped.replaceAll('%', ''), 'hex').toString()
}

/**
 * JSON may come in UTF-16 or UTF-32 to servers that tell by its first bytes (as Python's does),
 * and with a byte order mark.
 */
export function asUtf8(bytes: Buffer): Buffer {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return bytes.subarray(3)
  if (a === 0xff && b === 0xfe)
    return c === 0 && d === 0 ? fromUtf32(bytes, 4, true) : fromUtf16(bytes, 2, true)
  if (a === 0xfe && b === 0xff) return fromUtf16(bytes, 2, false)
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return fromUtf32(bytes, 4, false)
  if (bytes.length < 4) return bytes
  if (a === 0 && b === 0 && c === 0 && d !== 0) return fromUtf32(bytes, 0, false)
  if (a !== 0 && b === 0 && c === 0 && d === 0) return fromUtf32(bytes, 0, true)
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return fromUtf16(bytes, 0, false)
  return a !== 0 && b === 0 && c !== 0 && d === 0 ? fromUtf16(bytes, 0, true) : bytes
}

function fromUtf16(bytes: Buffer, from: number, isLittle: boolean): Buffer {
  const end = bytes.length - ((bytes.length - from) % 2)
  const units = Buffer.from(bytes.subarray(from, end))
  if (!isLittle) units.swap16()
  return Buffer.from(units.toString('utf16le'))
}

function fromUtf32(bytes: Buffer, from: number, isLittle: boolean): Buffer {
  let text = ''
  for (let at = from; at + 4 <= bytes.length; at += 4) {
    const code = isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    if (code > 0x10ffff) return bytes
    text += String.fromCodePoint(code)
  }
  return Buffer.from(text)
}
