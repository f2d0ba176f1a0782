/**
 * Texts in two or four bytes a character, as UTF-8: JSON may come in UTF-16 or UTF-32 to
 * servers that tell by its first bytes (as Python's does), and with a byte order mark. Pure;
 * rests as it goes.
 */
import type { Resting } from '../core/resting.js'

interface Wide {
  readonly width: 2 | 4
  readonly isLittle: boolean
  /** Behind the byte order mark. */
  readonly from: number
}

/** Of one unit of UTF-16 (a pair has four), or one character of UTF-32, in UTF-8. */
const MOST_BYTES = 4

/** Converted in one go; a whole number of characters. */
const PIECE_BYTES = 64 * 1024

/** The same bytes where they are no such text; without its mark where it is UTF-8 with one. */
export function* asUtf8(bytes: Buffer): Resting<Buffer> {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return bytes.subarray(3)
  const wide = wideOf(bytes)
  if (wide === undefined) return bytes
  // Memory that is new is dear: it is taken as it is filled.
  const utf8 = Buffer.allocUnsafeSlow(Math.ceil((bytes.length * MOST_BYTES) / wide.width))
  let size = 0
  for (let at = wide.from; at + wide.width <= bytes.length;) {
    const end = pieceEnd(bytes, at, wide)
    const text = textOf(bytes.subarray(at, end), wide)
    if (text === undefined) return bytes
    size += utf8.write(text, size)
    at = end
    if (at < bytes.length) yield
  }
  return utf8.subarray(0, size)
}

function wideOf(bytes: Buffer): Wide | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe)
    return c === 0 && d === 0 ? wide(4, true, 4) : wide(2, true, 2)
  if (a === 0xfe && b === 0xff) return wide(2, false, 2)
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return wide(4, false, 4)
  if (bytes.length < 4) return undefined
  if (a === 0 && b === 0 && c === 0 && d !== 0) return wide(4, false, 0)
  if (a !== 0 && b === 0 && c === 0 && d === 0) return wide(4, true, 0)
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return wide(2, false, 0)
  return a !== 0 && b === 0 && c !== 0 && d === 0 ? wide(2, true, 0) : undefined
}

function wide(width: 2 | 4, isLittle: boolean, from: number): Wide {
  return { width, isLittle, from }
}

/** Never between the two halves of a character of UTF-16. */
function pieceEnd(bytes: Buffer, at: number, { width, isLittle }: Wide): number {
  const end = Math.min(at + PIECE_BYTES, bytes.length - ((bytes.length - at) % width))
  if (width === 4 || end >= bytes.length) return end
  const high = bytes[end - (isLittle ? 1 : 2)] ?? 0
  return high >= 0xd8 && high <= 0xdb && end - 2 > at ? end - 2 : end
}

function textOf(bytes: Buffer, { width, isLittle }: Wide): string | undefined {
  if (width === 2) {
    const units = Buffer.from(bytes)
    if (!isLittle) units.swap16()
    return units.toString('utf16le')
  }
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const code = isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    if (code > 0x10ffff) return undefined
    text += String.fromCodePoint(code)
  }
  return text
}
