/**
 * Numbers whose groups stand apart: each on a line of its own, behind tabs or dots. Columns of
 * numbers look the same, so only what stands alone is one: no further group of the kind before
 * it or after it. Pure; looks at a bounded piece.
 */
import { isCardNumber, ssnHolds } from './checksums.js'

export interface Spread {
  readonly kind: 'credit_card' | 'us_ssn'
  readonly end: number
}

/** Blanks on one side of what stands between two groups. */
const MAX_BLANKS = 8
const BLANKS = `[ \\t]{0,${MAX_BLANKS}}`
/** Up to two line ends, one of the signs, or blanks. */
const BETWEEN = new RegExp(
  `${BLANKS}(?:\\r?\\n${BLANKS}){1,2}|${BLANKS}[-./_]${BLANKS}|[ \\t]{1,${MAX_BLANKS}}`,
  'y',
)
/** A further group, however it stands apart. */
const BEFORE = /(?<![0-9])([0-9]{1,6})[\s./_-]{1,24}$/
const AFTER = /^[\s./_-]{1,24}([0-9]{1,6})(?![0-9])/
const LOOKED_AT = 32
const MAX_DIGITS = 6
const MAX_GROUPS = 5

/** Lengths of groups; the longer before what it begins with. */
const CARDS = ['44443', '4444', '465', '464']
const SSN = '324'

/** The number that begins at the digit there, if one does. */
export function spreadAt(text: string, from: number): Spread | undefined {
  const lengths: number[] = []
  const ends: number[] = []
  let sign: string | undefined
  for (let at = from; lengths.length < MAX_GROUPS;) {
    const end = digitsEnd(text, at)
    if (end === at || end - at > MAX_DIGITS) break
    lengths.push(end - at)
    ends.push(end)
    BETWEEN.lastIndex = end
    const between = BETWEEN.exec(text)?.[0] ?? ''
    const next = between === '' ? undefined : signOf(between)
    sign ??= next
    if (next === undefined || next !== sign) break
    at = end + between.length
  }
  const form = lengths.join('')
  const wanted = [...CARDS, SSN].find((one) => form.startsWith(one))
  const end = wanted === undefined ? undefined : ends[wanted.length - 1]
  if (end === undefined || isAmid(text, from, end)) return undefined
  if (/[\p{L}\p{N}]/u.test(text[end] ?? '')) return undefined
  const digits = text.slice(from, end).replace(/\D/g, '')
  if (wanted !== SSN)
    return isCardNumber(digits) ? { kind: 'credit_card', end } : undefined
  return ssnHolds(digits) && isNamed(text, from) ? { kind: 'us_ssn', end } : undefined
}

/** A group of as many digits as its first stands before it or after it. */
function isAmid(text: string, from: number, end: number): boolean {
  const length = digitsEnd(text, from) - from
  const before = BEFORE.exec(text.slice(Math.max(0, from - LOOKED_AT), from))
  const after = AFTER.exec(text.slice(end, end + LOOKED_AT))
  return before?.[1]?.length === length || after?.[1]?.length === length
}

/** It has no check digit, and any three small numbers look like one. */
function isNamed(text: string, from: number): boolean {
  return SSN_NAME.test(text.slice(Math.max(0, from - NAME_CHARS), from))
}

const SSN_NAME = /\b(?:ssn|social security)\b/i
const NAME_CHARS = 40

function digitsEnd(text: string, from: number): number {
  let end = from
  while (end <= from + MAX_DIGITS && isDigit(text.charCodeAt(end))) end++
  return end
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function signOf(between: string): string {
  return between.includes('\n') ? '\n' : between.trim()
}
