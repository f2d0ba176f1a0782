/** Where a string of JSON (RFC 8259) ends, looked for a bounded way at a time. Pure. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Quotes that are leapt to, and bytes that are leapt over, in one go. */
const MAX_LEAPS = 1024
const LEAP_BYTES = 64 * 1024

/**
 * From a place inside of a string: the index of its closing quote, or, negative, the complement
 * of the place at which to go on looking, never behind half an escape; that may be the end.
 */
export function stringEndFrom(bytes: Buffer, from: number): number {
  let at = from
  for (let leaps = 0; leaps < MAX_LEAPS && at < bytes.length; leaps++) {
    const until = Math.min(at + LEAP_BYTES, bytes.length)
    const found = bytes.subarray(at, until).indexOf(QUOTE)
    const quote = found < 0 ? until : at + found
    let slash = quote
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--
    const isEscaped = (quote - slash) % 2 === 1
    if (found >= 0 && !isEscaped) return quote
    at = isEscaped ? quote + 1 : quote
    if (found < 0) leaps += MAX_LEAPS / 8
  }
  return ~Math.min(at, bytes.length)
}
