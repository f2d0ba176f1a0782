/**
 * Numbers whose groups stand apart: each on a line of its own, behind tabs or dots. Columns of
 * numbers look the same, so only what stands alone is one: no further group of the kind before
 * it or after it. Pure; looks at a bounded piece.
 */
import { kindOf } from './characters.js'
import { isCardIn, ssnHolds } from './checksums.js'
import { isDigit } from './number-groups.js'

export interface Spread {
  readonly kind: 'credit_card' | 'us_ssn'
  readonly end: number
}

/** Blanks on one side of what stands between two groups. */
const MAX_BLANKS = 8
const MAX_LINES = 2
const MAX_DIGITS = 6
const MAX_GROUPS = 5

/** The number that begins at the digit there, if one does. */
export function spreadAt(text: string, from: number): Spread | undefined {
  let form = 0
  let end = 0
  let sign = 0
  let whole = 0
  let wholeEnd = 0
  let at = from
  for (let count = 0; count < MAX_GROUPS; count++) {
    end = digitsEnd(text, at)
    if (end === at || end - at > MAX_DIGITS) break
    form = form * 10 + end - at
    const known = FORMS[form] as number
    if (known === 0) break
    if (known === IS_WHOLE) {
      whole = form
      wholeEnd = end
    }
    at = betweenEnd(text, end)
    if (at === end) break
    const next = signOf(text, end, at)
    if (sign === 0) sign = next
    if (next !== sign) break
  }
  if (whole === 0 || isLetterOrNumber(text, wholeEnd)) return undefined
  if (whole !== SSN)
    return isCardIn(text, from, wholeEnd) && !isAmid(text, from, wholeEnd)
      ? { kind: 'credit_card', end: wholeEnd }
      : undefined
  const digits = text.slice(from, wholeEnd).replace(NO_DIGIT, '')
  if (!ssnHolds(digits) || isAmid(text, from, wholeEnd) || !isNamed(text, from))
    return undefined
  return { kind: 'us_ssn', end: wholeEnd }
}

const NO_DIGIT = /\D+/g
/** Lengths of groups; the longer before what it begins with. */
const SSN = 324
const IS_BEGINNING = 1
const IS_WHOLE = 2
/** Six groups of at most six digits at the most. */
const FORMS = new Uint8Array(66_667)
for (const form of [4, 44, 444, 46, 3, 32]) FORMS[form] = IS_BEGINNING
for (const form of [44443, 4444, 465, 464, SSN]) FORMS[form] = IS_WHOLE

/** Up to two line ends, one of the signs, or blanks. */
function betweenEnd(text: string, from: number): number {
  let at = blanksEnd(text, from)
  const code = text.charCodeAt(at)
  if (code === 0x2d || code === 0x2e || code === 0x2f || code === 0x5f)
    return blanksEnd(text, at + 1)
  for (let lines = 0; lines < MAX_LINES; lines++) {
    const isFeed = text.charCodeAt(at) === 0x0a
    if (!isFeed && !(text.charCodeAt(at) === 0x0d && text.charCodeAt(at + 1) === 0x0a))
      break
    at = blanksEnd(text, at + (isFeed ? 1 : 2))
  }
  return at
}

function blanksEnd(text: string, from: number): number {
  let at = from
  while (at < from + MAX_BLANKS && isBlank(text.charCodeAt(at))) at++
  return at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** The sign, a line's end, or a blank. */
function signOf(text: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at)
    if (!isBlank(code)) return code === 0x0d ? 0x0a : code
  }
  return 0x20
}

/** What stands apart: blanks, line ends and signs. */
const MAX_APART = 24

/**
 * A group of as many digits as its first stands before it or after it, or digits stand on both
 * sides.
 */
function isAmid(text: string, from: number, end: number): boolean {
  const length = digitsEnd(text, from) - from
  let at = from
  while (at > from - MAX_APART && isApart(text.charCodeAt(at - 1))) at--
  let first = at
  if (at < from)
    while (first >= at - MAX_DIGITS && isDigit(text.charCodeAt(first - 1))) first--
  const before = at - first
  at = end
  while (at < end + MAX_APART && isApart(text.charCodeAt(at))) at++
  const behind = at > end ? digitsEnd(text, at) - at : 0
  return before === length || behind === length || (before > 0 && behind > 0)
}

function isApart(code: number): boolean {
  if (code === 0x2d || code === 0x2e || code === 0x2f || code === 0x5f) return true
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0
}

/** It has no check digit, and any three small numbers look like one. */
function isNamed(text: string, from: number): boolean {
  return SSN_NAME.test(text.slice(Math.max(0, from - NAME_CHARS), from))
}

const SSN_NAME = /\b(?:ssn|social security)\b/i
const NAME_CHARS = 40

/** One more than it may have at the most. */
function digitsEnd(text: string, from: number): number {
  let end = from
  while (end <= from + MAX_DIGITS && isDigit(text.charCodeAt(end))) end++
  return end
}

function isLetterOrNumber(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (!(code > 0x7f)) return kindOf(code) !== 0 && code !== 0x5f
  return /[\p{L}\p{N}]/u.test(text[at] as string)
}
