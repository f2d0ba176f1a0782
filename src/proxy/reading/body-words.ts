/**
 * Finds the words in the bytes of a body, or of a file in it, by what the bytes are and not by
 * what they are called: JSON, lines of JSON, a form, text in one of the forms of Unicode. What
 * is none of these holds no text. Pure; rests as it goes.
 */
import { StringDecoder } from 'node:string_decoder'
import type { TextPieces } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import { decoded, escapesEnd, isText, otherText } from '../../detect/text-shape.js'
import { asUtf8 } from '../../detect/wide-text.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import { parseInSlices } from '../../json/json-slices.js'
import { isSdp, isSdpType } from '../../providers/elsewhere.js'
import type { NamedInBody } from '../../providers/named-in-body.js'
import type { BodyTextReader } from '../../providers/body-text.js'

const PIECE_BYTES = 64 * 1024

/** Media types of texts; what is called so is read as one, whatever its bytes look like. */
const TEXT_TYPE = /^text\/|json|xml|yaml|csv|javascript|x-www-form-urlencoded/i

interface WordsOptions {
  readonly isCalledText?: boolean
  readonly named?: NamedInBody
}

export function isTextType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && TEXT_TYPE.test(mediaType)
}

/**
 * False: there is no text in it. `isCalledText`: its media type is one of texts. `named`: tools
 * and models of what is JSON in it.
 */
export function* addWords(
  words: BodyTextReader,
  bytes: Buffer,
  limits: JsonLimits,
  { isCalledText = false, named }: WordsOptions = {},
): Resting<boolean> {
  const utf8 = yield* asUtf8(bytes)
  if (looksLikeJson(utf8)) {
    const body = yield* parseInSlices(utf8, limits, words.long)
    if (body.kind === 'whole') {
      yield* words.read(body.value)
      if (named !== undefined) yield* named.add(body.value)
      return true
    }
    if (yield* addLines(words, utf8, limits, named)) return true
  }
  return yield* addText(words, utf8, isCalledText)
}

/** What two programs settle between them about media is no person's. False: it is none. */
export function addOffer(
  words: BodyTextReader,
  bytes: Buffer,
  mediaType: string | undefined,
): boolean {
  if (mediaType === undefined || !isSdpType(mediaType)) return false
  if (bytes.length > PIECE_BYTES) return false
  const text = bytes.toString()
  if (!isSdp(text)) return false
  words.plain(text, 'program')
  return true
}

export function looksLikeJson(bytes: Buffer): boolean {
  return /^\s*[{["]/.test(bytes.toString('latin1', 0, 64))
}

/** As some take before their JSON. */
export function beginsWithComment(bytes: Buffer): boolean {
  return /^\s*\/[*/]/.test(bytes.toString('latin1', 0, 64))
}

/** Lines of JSON, as batches and telemetry are; a line that is none is text. */
function* addLines(
  words: BodyTextReader,
  bytes: Buffer,
  limits: JsonLimits,
  named: NamedInBody | undefined,
): Resting<boolean> {
  const end = bytes.indexOf(0x0a)
  if (end < 0) return false
  const first = yield* parseInSlices(bytes.subarray(0, end), limits, words.long)
  if (first.kind !== 'whole') return false
  for (let at = 0; at < bytes.length;) {
    const next = bytes.indexOf(0x0a, at)
    const line = bytes.subarray(at, next < 0 ? bytes.length : next)
    const value = yield* parseInSlices(line, limits, words.long)
    if (value.kind === 'whole') {
      yield* words.read(value.value)
      if (named !== undefined) yield* named.add(value.value)
    } else if (value.kind !== 'absent') yield* addText(words, line, true)
    at += line.length + 1
    yield
  }
  return true
}

/**
 * As it stands, and without the escapes of JSON and of forms, where it has any. `isForced`: what
 * is no UTF-8 in it does not make it something else than text.
 */
export function* addText(
  words: BodyTextReader,
  bytes: Buffer,
  isForced = false,
): Resting<boolean> {
  const decoder = new StringDecoder('utf8')
  const pieces: string[] = []
  let isUtf8 = true
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES)
    if (isUtf8 && !isText(piece, bytes.length <= PIECE_BYTES)) {
      // Once: it is all of them that are looked at, whichever piece tells.
      isUtf8 = false
      const other = yield* otherText(bytes)
      if (other !== undefined) words.plain(other)
      if (!isForced) return other !== undefined
    }
    if (isUtf8) pieces.push(decoder.write(piece))
    else pieces.push(yield* strange(decoder, piece))
    yield
  }
  pieces.push(decoder.end())
  words.plain(pieces)
  const inner = yield* decoded(trimmed(pieces), false)
  if (inner?.kind === 'text') words.plain(inner.texts)
  if (bytes.includes(0x5c))
    words.plain(yield* without(pieces, JSON_ESCAPE, jsonEnd, fromJson))
  if (bytes.includes(0x25))
    words.plain(yield* without(pieces, FORM_ESCAPE, escapesEnd, fromForm))
  return true
}

/** What is no UTF-8: each byte that is none costs far more than a character. */
function* strange(decoder: StringDecoder, piece: Buffer): Resting<string> {
  let text = ''
  for (let at = 0; at < piece.length; at += STRANGE_BYTES) {
    text += decoder.write(piece.subarray(at, at + STRANGE_BYTES))
    yield
  }
  return text
}

const STRANGE_BYTES = 8 * 1024

/** Without white space at its ends. */
function trimmed(texts: TextPieces): TextPieces {
  const from = texts.findIndex((text) => text.trim() !== '')
  if (from < 0) return []
  const to = texts.findLastIndex((text) => text.trim() !== '')
  const inner = texts.slice(from, to + 1)
  return inner.map((text, i) => {
    const begun = i === 0 ? text.trimStart() : text
    return i === inner.length - 1 ? begun.trimEnd() : begun
  })
}

const JSON_ESCAPE = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g
const FORM_ESCAPE = /(?:%[0-9a-fA-F]{2})+|\+/g
/** Each escape costs far more than a character. */
const ESCAPED_CHARS = 8 * 1024

/** `endOf`: up to where a piece can be undone without what follows. */
function* without(
  texts: TextPieces,
  escape: RegExp,
  endOf: (text: string) => number,
  plain: (escaped: string) => string,
): Resting<TextPieces> {
  const whole: string[] = []
  let rest = ''
  for (const piece of texts)
    for (let at = 0; at < piece.length; at += ESCAPED_CHARS) {
      const text = rest + piece.slice(at, at + ESCAPED_CHARS)
      const end = endOf(text)
      whole.push(text.slice(0, end).replace(escape, plain))
      rest = text.slice(end)
      yield
    }
  whole.push(rest.replace(escape, plain))
  return whole
}

/** Before an escape that may go on behind it. */
function jsonEnd(text: string): number {
  const cut = text.lastIndexOf('\\')
  let before = cut
  while (before > 0 && text[before - 1] === '\\') before--
  const begins = (cut - before) % 2 === 0
  const length = text[cut + 1] === 'u' ? 6 : 2
  return cut >= 0 && begins && cut + length > text.length ? cut : text.length
}

function fromJson(escaped: string): string {
  if (escaped[1] === 'u') return String.fromCharCode(parseInt(escaped.slice(2), 16))
  return JSON.parse(`"${escaped}"`) as string
}

function fromForm(escaped: string): string {
  if (escaped === '+') return ' '
  return Buffer.from(escaped.replaceAll('%', ''), 'hex').toString()
}
