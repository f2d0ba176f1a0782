/**
 * What a text is by its looks alone: words, base64 of a text, base64 of media, an id. Pure. A
 * shape is told narrowly, over all of the text: what could be a person's words is words,
 * whatever it stands under and whatever it begins with.
 */
import { StringDecoder } from 'node:string_decoder'
import { PIECE_CHARS } from '../core/long-text.js'
import type { TextPieces } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'
import { asUtf8 } from './wide-text.js'

/** `head`: what a data URL says before its comma, where that is more than a usual type. */
export type Encoded = { readonly head?: string } & (
  | { readonly kind: 'text'; readonly texts: TextPieces }
  /** Bytes that are no text; `media` is their format, where the first of them tell. */
  | { readonly kind: 'bytes'; readonly media: string | undefined }
)

/** Shorter words are base64 by accident, where nothing says that they are data. */
const LEAST_ENCODED = 24
const LEAST_NAMED = 4

const NO_BASE64 = /[^A-Za-z0-9+/_=-]/
const NO_LINED_BASE64 = /[^A-Za-z0-9+/_=\r\n-]/
const PADDING = /=[^=\r\n]/
/** Schemes are of any case (RFC 3986 §3.1), and who reads one takes white space off first. */
const IS_URL = /^\s{0,16}data:/i
const DATA_URL =
  /^\s{0,16}data:(?:[\w.+-]+\/[\w.+-]+)? ?(?:; ?(?!base64 ?,)[\w.+-]+(?:=[^;,]*)?)*(; ?base64)? ?,/i
const MAX_URL_HEAD = 512
/** Says nothing but how the rest is to be read. */
const PLAIN_HEAD =
  /^data:(?:(?:text\/(?:plain|html|csv|markdown)|image\/(?:png|jpe?g|gif|webp|svg\+xml)|audio\/(?:wav|mpeg|mp3|ogg)|video\/mp4|application\/(?:pdf|json|octet-stream))(?:;charset=utf-8)?)?(?:;base64)?,$/i

/**
 * What base64 (RFC 4648 §4 and §5, or a data URL, RFC 2397) holds; undefined for what is none.
 * `named`: something beside it says that it is data, so that bytes of no known format are
 * believed to be some; without that they are words.
 */
export function* decoded(
  text: string | TextPieces,
  named: boolean,
): Resting<Encoded | undefined> {
  const texts = typeof text === 'string' ? [text] : text
  const [first = ''] = texts
  const url = IS_URL.test(first) ? DATA_URL.exec(first.slice(0, MAX_URL_HEAD)) : null
  if (url !== null) {
    const [head, isBase64] = url
    const data = [first.slice(head.length), ...texts.slice(1)]
    const found =
      isBase64 === undefined ? yield* ofEscapes(data) : yield* ofBase64(data, true)
    return found === undefined || PLAIN_HEAD.test(head) ? found : { ...found, head }
  }
  const least = named ? LEAST_NAMED : LEAST_ENCODED
  const isShort = texts.length < 2 && first.length < least
  return isShort ? undefined : yield* ofBase64(texts, named)
}

/** Both forms: what stands behind the comma need not be escaped. */
function* ofEscapes(data: TextPieces): Resting<Encoded> {
  const plain: string[] = []
  let rest = ''
  try {
    for (const piece of data)
      for (let at = 0; at < piece.length; at += ESCAPED_CHARS) {
        const text = rest + piece.slice(at, at + ESCAPED_CHARS)
        const end = escapesEnd(text)
        plain.push(decodeURIComponent(text.slice(0, end)))
        rest = text.slice(end)
        yield
      }
    plain.push(decodeURIComponent(rest))
  } catch {
    return { kind: 'text', texts: data }
  }
  return { kind: 'text', texts: [...data, '\n', ...plain] }
}

/** Characters that are undone at once: each escape costs far more than its three. */
const ESCAPED_CHARS = 8 * 1024
/** Of one character in UTF-8. */
const MAX_ESCAPES = 4

/** Before what may be the beginning of a character that goes on: `%F0%9F%98` at its end. */
export function escapesEnd(text: string): number {
  for (let at = text.length - 1; at >= 0 && at >= text.length - 3 * MAX_ESCAPES; at--) {
    if (text[at] !== '%') continue
    const byte = parseInt(text.slice(at + 1, at + 3), 16)
    // What is no escape, or goes on with a character, tells nothing of what is behind it.
    const isInside = byte >= 0x80 && byte < 0xc0
    if (!isInside) return byte >= 0xc0 || at > text.length - 3 ? at : text.length
  }
  return text.length
}

function* ofBase64(texts: TextPieces, named: boolean): Resting<Encoded | undefined> {
  const isLined = /[\r\n]/.test(texts[0]?.slice(0, 128) ?? '')
  const groups: string[] = []
  let rest = ''
  for (const text of texts)
    for (let at = 0; at < text.length; at += PIECE_CHARS) {
      const piece = text.slice(at, at + PIECE_CHARS)
      if ((isLined ? NO_LINED_BASE64 : NO_BASE64).test(piece)) return undefined
      if (PADDING.test(piece)) return undefined
      const plain = rest + (isLined ? inOneLine(piece) : piece)
      const whole = plain.length - (plain.length % GROUP_CHARS)
      groups.push(plain.slice(0, whole))
      rest = plain.slice(whole)
      if (text.length > PIECE_CHARS || texts.length > 1) yield
    }
  if (rest !== '') groups.push(rest)
  const sample = groups[0]?.slice(0, SAMPLE_CHARS) ?? ''
  const media = mediaOf(Buffer.from(sample.slice(0, 64), 'base64'))
  if (media !== undefined) return { kind: 'bytes', media }
  const words = yield* textOf(groups)
  if (words !== undefined) return { kind: 'text', texts: words }
  return named && isVaried(sample) ? { kind: 'bytes', media: undefined } : undefined
}

/** Of ASCII. Byte by byte: there may be as many line ends as characters. */
function inOneLine(lines: string): string {
  const bytes = Buffer.from(lines, 'latin1')
  let size = 0
  for (const byte of bytes) if (byte !== 0x0d && byte !== 0x0a) bytes[size++] = byte
  return bytes.toString('latin1', 0, size)
}

/** Three bytes (RFC 4648 §4). */
const GROUP_CHARS = 4
const SAMPLE_CHARS = 4096

/** Data uses most of the 64 digits; words joined by `/` or `-` do not. */
const LEAST_VARIED = 128
const MANY_DIGITS = 45

function isVaried(sample: string): boolean {
  return sample.length >= LEAST_VARIED && new Set(sample).size >= MANY_DIGITS
}

/** Each is a whole number of groups. */
function* textOf(groups: readonly string[]): Resting<TextPieces | undefined> {
  const decoder = new StringDecoder('utf8')
  const texts: string[] = []
  for (const [i, group] of groups.entries()) {
    const bytes = Buffer.from(group, 'base64')
    if (!isText(bytes, groups.length === 1))
      return yield* otherText(yield* bytesOf(groups))
    texts.push(decoder.write(bytes))
    if (i < groups.length - 1) yield
  }
  return [...texts, decoder.end()].filter((text) => text !== '')
}

/** Memory that is new is dear: it is taken as it is filled. */
function* bytesOf(groups: readonly string[]): Resting<Buffer> {
  const chars = groups.reduce((sum, group) => sum + group.length, 0)
  const bytes = Buffer.allocUnsafeSlow(Math.ceil((chars * 3) / GROUP_CHARS))
  let size = 0
  for (const group of groups) {
    size += bytes.write(group, size, 'base64')
    yield
  }
  return bytes.subarray(0, size)
}

/** First bytes by which formats are told, at their place. */
const MAGIC: readonly (readonly [string, number, string])[] = [
  ['image/png', 0, '\x89PNG\r\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
  ['image/tiff', 0, 'II*\0'],
  ['image/tiff', 0, 'MM\0*'],
  ['audio/wav', 8, 'WAVE'],
  ['audio/mpeg', 0, 'ID3'],
  ['audio/mpeg', 0, '\xff\xfb'],
  ['audio/ogg', 0, 'OggS'],
  ['audio/flac', 0, 'fLaC'],
  ['video/mp4', 4, 'ftyp'],
  ['video/webm', 0, '\x1a\x45\xdf\xa3'],
  ['application/pdf', 0, '%PDF-'],
  ['application/zip', 0, 'PK\x03\x04'],
  ['application/gzip', 0, '\x1f\x8b\x08'],
]

/** The format of media or of a packed document, by its first bytes. */
export function mediaOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  return MAGIC.find(([, at, first]) => head.startsWith(first, at))?.[0]
}

const STRANGE = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f\ufffd]/g
/** One in so many characters, and a few in a short text, are not held against it. */
const RARE = 64

/**
 * Are these bytes UTF-8 text? Control characters and what is no UTF-8 are rare in one. `isWhole`:
 * else a character may be cut at either end.
 */
export function isText(bytes: Uint8Array, isWhole: boolean): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  const most = Math.floor(text.length / RARE) + (isWhole ? 0 : 6)
  let strange = 0
  STRANGE.lastIndex = 0
  while (STRANGE.test(text)) {
    strange += 1
    if (strange > most) return false
  }
  return true
}

/** Of a text in one byte a character, that much is ASCII, and no control characters stand in it. */
const LEAST_ASCII = 0.7

/**
 * Of bytes that are no UTF-8, the text that they are all the same: UTF-16 or UTF-32, or one byte
 * a character as in ISO 8859-1, of which only ASCII is sure.
 */
export function* otherText(bytes: Buffer): Resting<TextPieces | undefined> {
  const wide = yield* asUtf8(bytes)
  if (wide !== bytes) {
    const head = wide.subarray(0, PIECE_CHARS)
    const isWide = isText(head, head.length === wide.length)
    return isWide ? yield* textsOf(wide, 'utf8') : undefined
  }
  let ascii = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (isControl(byte)) return undefined
    if (byte < 0x7f) ascii++
    if (at % PIECE_CHARS === PIECE_CHARS - 1) yield
  }
  const isLatin = ascii >= bytes.length * LEAST_ASCII
  return isLatin ? yield* textsOf(bytes, 'latin1') : undefined
}

function* textsOf(bytes: Buffer, encoding: 'utf8' | 'latin1'): Resting<TextPieces> {
  const decoder = new StringDecoder(encoding)
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += PIECE_CHARS) {
    texts.push(decoder.write(bytes.subarray(at, at + PIECE_CHARS)))
    yield
  }
  return [...texts, decoder.end()].filter((text) => text !== '')
}

function isControl(byte: number): boolean {
  const isC0 = byte < 0x20 && byte !== 0x1b && (byte < 0x09 || byte > 0x0d)
  return isC0 || byte === 0x7f
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const HEX = /^[0-9a-f]{16,}$/i
const NAMED_ID = /^[a-z]{2,20}[_:-](?=[\w:.-]{6,}$)/i
const TOKEN = /^[\w+/:.=-]{16,}$/
/** Digits that could be a number of somebody's, whatever stands around them. */
const NUMBER = /\d{9,}|\d[ .-]\d{2,}[ .-]\d{2,}/
/** ISO 13616: country, check digits, account. */
const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/
const WORD = /[a-z]{7,}/
const MAX_ID = 256

/**
 * Could it be nothing but an id? Letters and digits without a blank, as a machine makes them:
 * words, names, addresses and numbers of somebody's are none.
 */
export function isId(text: string): boolean {
  if (text.length < 8 || text.length > MAX_ID) return false
  if (UUID.test(text)) return true
  if (!/\d/.test(text) || !/[a-z]/i.test(text)) return false
  if (IBAN.test(text)) return false
  if (HEX.test(text)) return !/\d{12,}/.test(text)
  if (NUMBER.test(text)) return false
  const name = NAMED_ID.exec(text)
  if (name === null && !TOKEN.test(text)) return false
  return !WORD.test(text.slice(name?.[0].length ?? 0))
}
