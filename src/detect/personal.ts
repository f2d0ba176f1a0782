/**
 * Personal data in a text, by form and check digit: cards, IBANs, social security numbers,
 * e-mail addresses, telephone numbers, IP addresses, and what people say of themselves. Says
 * kinds and how often, never the text. One pass; what is tried at a place is bounded, so the
 * time grows with the length alone.
 */
import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'
import { isGroupedCard, isWholeCard } from './card-place.js'
import { isCardIn, ssnHolds } from './checksums.js'
import { ibanAt } from './iban.js'
import { ipv6At } from './ipv6.js'
import { isOtherNumber } from './number-label.js'
import {
  BLANK,
  CLOSED,
  DOT,
  Groups,
  HYPHEN,
  isDigit,
  MAX_NUMBER,
} from './number-groups.js'
import { OPENED, SLASH } from './number-groups.js'
import { spreadAt } from './spread.js'
import { streetEnd } from './street.js'

export const PERSONAL_KINDS = [
  'credit_card',
  'iban',
  'us_ssn',
  'email',
  'phone',
  'ip_address',
  'street_address',
  'date_of_birth',
  'person_name',
] as const

export type PersonalKind = (typeof PERSONAL_KINDS)[number]

export interface Finding {
  readonly kind: PersonalKind
  readonly count: number
}

/** UTF-16 offsets; the end is not included. */
export interface Found {
  readonly kind: PersonalKind
  readonly start: number
  readonly end: number
}

export type Tell = (kind: PersonalKind, start: number, end: number) => void

/** RFC 1035 §2.3.4, with the letters of RFC 5890 and their form in ASCII. */
const DOMAIN =
  /@(?:[\p{L}\p{N}-]{1,63}\.){1,10}(?:xn--[A-Za-z0-9-]{1,59}|\p{L}{2,24})(?![\p{L}\p{N}-])/uy
const DATE =
  /(?:\d{4}-\d\d?-\d\d?|\d\d?[./ -]\d\d?[./ -]\d{2,4}|\d\d? [A-Z][a-z]{2,8} \d{4})/y
/** What stands between the words and the date. */
const MAX_BEFORE_DATE = 12
const NAME = /[ \t]*\p{Lu}[\p{L}'-]{1,40}/uy

const SAID: readonly (readonly [string, PersonalKind])[] = [
  ['my name is', 'person_name'],
  ['date of birth', 'date_of_birth'],
  ['born on', 'date_of_birth'],
  ['my birthday is', 'date_of_birth'],
  ['dob', 'date_of_birth'],
]

/** Most texts have none of them. */
const SAID_BEGINNING = /my (?:name|birthday) is|date of birth|born on|dob/i
const UPPER = /[A-Z]+/g
/** The dearest, groups of digits, take 1 to 3 ms of as many. */
const REST_CHARS = 8 * 1024

/** Kinds and how often, in the order of `PERSONAL_KINDS`; what was not found is left out. */
export function personalData(text: string): Finding[] {
  const counts = new Map<PersonalKind, number>()
  for (const { kind } of findPersonal(text)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return PERSONAL_KINDS.flatMap((kind) => {
    const count = counts.get(kind)
    return count === undefined ? [] : [{ kind, count }]
  })
}

/** Where it stands; in no order. Long texts are given in pieces: the dearest take 5 ms a 16 KiB. */
export function findPersonal(text: string): Found[] {
  const all: Found[] = []
  eachPersonal(text, (kind, start, end) => void all.push({ kind, start, end }))
  return all
}

/** As `findPersonal`, told one by one. */
function eachPersonal(text: string, tell: Tell): void {
  atOnce(eachPersonalIn(text, tell))
}

/** As `findPersonal`, told one by one, and resting. */
export function* eachPersonalIn(text: string, tell: Tell): Resting<void> {
  for (let i = 0; i < text.length;) {
    i = numbersIn(text, i, Math.min(text.length, i + REST_CHARS), tell)
    yield
  }
  saidIn(text, tell)
}

/** From one place to another, and as far behind it as what begins there goes. */
function numbersIn(text: string, from: number, until: number, tell: Tell): number {
  let i = from
  while (i < until) {
    const code = text.charCodeAt(i)
    if (code > 0x5a || OF_NOTE[code] !== 1) {
      i++
      continue
    }
    const isStart = !isWord(text.charCodeAt(i - 1))
    if (isDigit(code) || code === OPEN) {
      const next = isStart ? numberAt(text, i, tell) : withinWord(text, i, tell)
      if (isStart && isUpper(text.charCodeAt(next + 1))) {
        const end = streetEnd(text, i)
        if (end !== undefined) tell('street_address', i, end)
      }
      i = next
    } else i = wordAt(text, i, tell)
  }
  return i
}

/** What people say of themselves: words that name it, then the thing itself. */
function saidIn(text: string, tell: Tell): void {
  if (!SAID_BEGINNING.test(text)) return
  const lower = inSmall(text)
  for (const [words, kind] of SAID) {
    for (let at = lower.indexOf(words); at >= 0; at = lower.indexOf(words, at + 1)) {
      if (isWord(lower.charCodeAt(at - 1))) continue
      const start = at + words.length
      const end =
        kind === 'person_name' ? matchEnd(NAME, text, start) : dateEnd(text, start)
      if (end !== undefined) tell(kind, start, end)
    }
  }
}

/** Other letters may change their length with their case; then places would not agree. */
function inSmall(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length
    ? lower
    : text.replace(UPPER, (letters) => letters.toLowerCase())
}

function dateEnd(text: string, from: number): number | undefined {
  for (let at = from; at <= from + MAX_BEFORE_DATE; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) return matchEnd(DATE, text, at)
    if (code === 0x0a) return undefined
  }
  return undefined
}

/** An address, a number with its country, or an account; gives the next place to look at. */
function wordAt(text: string, i: number, tell: Tell): number {
  const code = text.charCodeAt(i)
  if (code === AT) {
    if (!isLocalPart(text.charCodeAt(i - 1))) return i + 1
    const end = matchEnd(DOMAIN, text, i)
    if (end !== undefined) tell('email', localStart(text, i), end)
    return end ?? i + 1
  }
  if (code === COLON) {
    const { start, end } = ipv6At(text, i)
    if (start !== undefined) tell('ip_address', start, end)
    return end
  }
  if (code === PLUS) {
    const isSum = isWord(text.charCodeAt(i - 1))
    const end = isSum ? undefined : internationalEnd(text, i + 1)
    if (end !== undefined) tell('phone', i, end)
    return end ?? i + 1
  }
  const end = isWord(text.charCodeAt(i - 1)) ? undefined : ibanAt(text, i)
  if (end !== undefined) tell('iban', i, end)
  return end ?? i + 1
}

const groups = new Groups()
/** Whether the groups that were looked at last are none of a card, by their check digit. */
let isCardTried = false

function numberAt(text: string, i: number, tell: Tell): number {
  const from = text.charCodeAt(i) === OPEN ? i + 1 : i
  const first = digitsEnd(text, from)
  const length = first - from
  if (length === 0) return i + 1
  if (length > MAX_GROUP) {
    const isCard = length >= 13 && !goesOn(text, first)
    if (isCard && isWholeCard(text, from, first)) tell('credit_card', from, first)
    return first
  }
  // Only addresses begin with so few, and telephones with a 1.
  if (length < 3 && text.charCodeAt(first) !== 0x2e)
    if (length === 2 || text.charCodeAt(from) !== ONE) return first
  groups.at(text, from)
  const { count, lengths, ends, between } = groups
  if (count > 2) {
    const end = groupedAt(text, i, from, tell)
    if (end !== undefined) return end
  }
  const isTried = length === 4 && count > 2 && isCardTried
  const spread = length >= 3 && !isTried ? spreadAt(text, from) : undefined
  if (spread !== undefined) {
    tell(spread.kind, from, spread.end)
    return spread.end
  }
  if (count < 4 || between[0] !== DOT || !groups.areApart(3, DOT)) return first
  const last = ends[3] as number
  if (goesOn(text, last) || between[3] === DOT) return last
  for (let n = 0; n < 4; n++)
    if (valueAt(text, ends[n] as number, lengths[n] as number) > 255) return last
  tell('ip_address', from, last)
  return last
}

/** How numbers are written: lengths of their groups, what stands between, what must hold. */
function groupedAt(
  text: string,
  i: number,
  from: number,
  tell: Tell,
): number | undefined {
  const { lengths, ends, between } = groups
  // No pattern: of a typed array it takes an iterator.
  const one = lengths[0] as number
  isCardTried = false
  if (one === 4 && groups.areApart(2, HYPHEN)) {
    const many = cardGroups()
    const end = ends[many - 1] as number
    if (many > 0 && groups.areApart(many - 1, HYPHEN) && !goesOn(text, end))
      if (many < 4 ? isCardIn(text, from, end) : isGroupedCard(text, from, end)) {
        tell('credit_card', from, end)
        return end
      } else isCardTried = true
  }
  if (groups.areLong(3, 2, 4) && groups.areApart(2, DOT)) {
    const end = ends[2] as number
    if (!goesOn(text, end) && ssnHolds(digitsOf(text.slice(from, end)))) {
      tell('us_ssn', from, end)
      return end
    }
  }
  const last = phoneGroups()
  if (last === 0) return undefined
  const end = ends[last] as number
  const area = last === 3 ? (ends[1] as number) - 3 : from
  if ((last === 3 && text.charCodeAt(from) !== ONE) || !isAreaCode(text, area))
    return undefined
  if (goesOn(text, end) || isPart(text, from)) return undefined
  if (!isOtherNumber(text, i)) tell('phone', between[0] === CLOSED ? i : from, end)
  return end
}

/** Of how many groups a card's number would be; the first has four digits. */
function cardGroups(): number {
  if (groups.areLong(4, 4, 4, 4))
    return groups.lengths[4] === 3 && groups.count === 5 ? 5 : 4
  return groups.areLong(4, 6, 5) || groups.areLong(4, 6, 4) ? 3 : 0
}

/** Of the North American plan: the last of its groups; 0: it is none. */
function phoneGroups(): number {
  const { between, count } = groups
  const first = between[0] as number
  const second = between[1] as number
  const third = between[2] as number
  if (groups.areLong(3, 3, 4)) {
    const isPlain = first <= SLASH && second >= BLANK && second <= SLASH
    const isClosed = first === CLOSED && second >= BLANK && second <= DOT
    return isPlain || isClosed ? 2 : 0
  }
  if (count < 4 || !groups.areLong(1, 3, 3, 4)) return 0
  const isPlain = first <= DOT && second <= DOT
  const isOpened = first === OPENED && second === CLOSED
  return (isPlain || isOpened) && third <= DOT ? 3 : 0
}

/** Of numbers in groups, the first has no more digits. */
const MAX_GROUP = 4

function digitsEnd(text: string, from: number): number {
  let end = from
  while (end < from + MAX_NUMBER && isDigit(text.charCodeAt(end))) end++
  return end
}

function valueAt(text: string, end: number, length: number): number {
  let value = 0
  for (let i = end - Math.min(length, 4); i < end; i++)
    value = value * 10 + text.charCodeAt(i) - 48
  return value
}

function isAreaCode(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code !== ONE && code !== 0x30
}

const ONE = 0x31

/** A digit within a word: people write accounts in small letters, too. */
function withinWord(text: string, i: number, tell: Tell): number {
  const isBegun =
    isLower(text.charCodeAt(i - 1)) &&
    isLower(text.charCodeAt(i - 2)) &&
    !isWord(text.charCodeAt(i - 3))
  const end = isBegun ? ibanAt(text, i - 2) : undefined
  if (end !== undefined) tell('iban', i - 2, end)
  return end ?? i + 1
}

/** Behind a slash after a digit: of a path, or of three numbers. */
function isPart(text: string, from: number): boolean {
  return text.charCodeAt(from - 1) === 0x2f && isDigit(text.charCodeAt(from - 2))
}

/** Letters, digits or a hyphen after it: it is part of something longer. */
function goesOn(text: string, end: number): boolean {
  const code = text.charCodeAt(end)
  return isWord(code) || (code === 0x2d && isWord(text.charCodeAt(end + 1)))
}

/** Digits after a `+`, in groups: ITU-T E.164 allows 15. */
function internationalEnd(text: string, from: number): number | undefined {
  let digits = 0
  let end = from
  for (let at = from; at < from + MAX_NUMBER; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) {
      digits++
      end = at + 1
    } else if (!(code < 128 && SEPARATORS[code] === 1)) break
  }
  const isWhole = !isWord(text.charCodeAt(end))
  return isWhole && digits >= 8 && digits <= 15 ? end : undefined
}

const SEPARATORS = new Uint8Array(128)
for (const char of ' ()-./') SEPARATORS[char.charCodeAt(0)] = 1

function matchEnd(form: RegExp, text: string, at: number): number | undefined {
  form.lastIndex = at
  return form.test(text) ? form.lastIndex : undefined
}

/** RFC 5321 §4.5.3.1.1: 64 octets before the `@`. */
function localStart(text: string, at: number): number {
  let start = at
  while (start > at - 64 && isLocalPart(text.charCodeAt(start - 1))) start--
  return start
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

const AT = 0x40
const PLUS = 0x2b
const OPEN = 0x28
const COLON = 0x3a

/** Characters at which something may begin. */
const OF_NOTE = new Uint8Array(0x5b)
for (const char of '0123456789(@+:ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  OF_NOTE[char.charCodeAt(0)] = 1

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function isWord(code: number): boolean {
  return isDigit(code) || isUpper(code) || (code >= 0x61 && code <= 0x7a) || code === 0x5f
}

/** What may stand before the `@`, RFC 5321 §4.1.2 without quoted strings, and RFC 6531. */
function isLocalPart(code: number): boolean {
  return isWord(code) || OF_LOCAL_PART.has(code) || (code > 0xbf && code !== 0x2019)
}

const OF_LOCAL_PART: ReadonlySet<number> = new Set(
  Array.from("!#$%&'*+-/=?^_{|}~.", (char) => char.charCodeAt(0)),
)
