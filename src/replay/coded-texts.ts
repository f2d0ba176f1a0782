/**
 * Base64 that stands in a text: where, what it says, and how it is written again. Texts of one
 * alphabet only are taken for it that decode to something. Pure (RFC 4648 §4, §5).
 */
import { isUtf8 } from 'node:buffer'

export interface CodedText {
  /** Of the text in which it stands. */
  readonly start: number
  readonly end: number
  readonly bytes: Buffer
  /** Undefined: it says no text. */
  readonly text: string | undefined
  /** As it was written: its alphabet, with or without `=`. */
  readonly written: (bytes: Buffer) => string
}

/** Twelve bytes: less holds no secret. Lines of a long one are as MIME breaks them. */
const CODED = /(?:[A-Za-z0-9+/_-]{60,}\r?\n)*[A-Za-z0-9+/_-]{16,}={0,2}/g
const LEAST_CHARS = 16

export function* codedIn(text: string): Generator<CodedText, void, undefined> {
  if (text.length < LEAST_CHARS) return
  for (const { 0: found, index } of text.matchAll(CODED)) {
    const plain = found.replaceAll(/\r?\n/g, '')
    const isUrl = /[-_]/.test(plain)
    if (isUrl && /[+/]/.test(plain)) continue
    const digits = plain.replace(/=+$/, '')
    if (digits.length % 4 === 1) continue
    const coding = isUrl ? 'base64url' : 'base64'
    const bytes = Buffer.from(digits, coding)
    const isPadded = plain.endsWith('=') || digits.length % 4 === 0
    const written = (again: Buffer): string => {
      const said = again.toString(coding)
      if (!isUrl) return isPadded ? said : said.replace(/=+$/, '')
      return plain.endsWith('=') ? said.padEnd(Math.ceil(said.length / 4) * 4, '=') : said
    }
    yield {
      ...{ start: index, end: index + found.length, bytes, written },
      text: isUtf8(bytes) ? bytes.toString() : undefined,
    }
  }
}
