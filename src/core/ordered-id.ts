/**
 * Identifiers that sort by the time of their making: UUID version 7 (RFC 9562 §5.7). A
 * database index takes them at its end; random ones dirty a page for each row.
 */
import { randomFillSync } from 'node:crypto'

/** Drawn at once and used up, for a draw costs more than what is made of it. */
const DRAWN_BYTES = 4096
/** The last 80 bits of an id, but for the version and the variant. */
const RANDOM_BYTES = 10
const TIME_DIGITS = 12
const MAX_TIME_MS = 2 ** 48 - 1
const DIGITS = Buffer.from('0123456789abcdef', 'latin1')
/** Where in the text each random byte has its two digits: behind the time and the hyphens. */
const PLACES = [14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

const drawn = Buffer.allocUnsafeSlow(DRAWN_BYTES)
let used = DRAWN_BYTES
const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1')
let timeOfText = 0

/** 48 bits of `nowMs`, the version, and 74 random bits. */
export function orderedId(nowMs: number): string {
  const time = Math.min(Math.max(0, Math.trunc(nowMs) || 0), MAX_TIME_MS)
  if (time !== timeOfText) writeTime(time)
  if (used + RANDOM_BYTES > DRAWN_BYTES) {
    randomFillSync(drawn)
    used = 0
  }
  for (let i = 0; i < RANDOM_BYTES; i++) {
    const byte = drawn[used + i] as number
    const at = PLACES[i] as number
    text[at] = DIGITS[byte >> 4] as number
    text[at + 1] = DIGITS[byte & 15] as number
  }
  // Version 7, and the variant of the RFC: two bits beside it stay random.
  text[14] = DIGITS[7] as number
  text[19] = DIGITS[8 | ((drawn[used + 2] as number) >> 6)] as number
  used += RANDOM_BYTES
  return text.toString('latin1')
}

function writeTime(time: number): void {
  timeOfText = time
  const digits = time.toString(16).padStart(TIME_DIGITS, '0')
  text.write(digits.slice(0, 8), 0, 'latin1')
  text.write(digits.slice(8), 9, 'latin1')
}
