/**
 * Personal data in a text, by form and check digit: cards, IBANs, social security numbers,
 * e-mail addresses, telephone numbers, IP addresses, and what people say of themselves. Says
 * kinds and how often, never the text. One pass; what is tried at a place is bounded, so the
 * time grows with the length alone.
 */
import { ipv6At } from './ipv6.js'
import { spreadAt } from './spread.js'
import { ibanHolds, ibanLength, isCardNumber, ssnHolds } from './checksums.js'

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

type Tell = (kind: PersonalKind, start: number, end: number) => void

/** Groups of digits that one number may have. */
const MAX_GROUPS = 5
/** Longest number with what stands between its digits. */
const MAX_NUMBER = 40

const STREET =
  /\d{1,5} (?:[A-Z][a-z]{1,20} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way)\b/y
/** RFC 1035 §2.3.4, with the letters of RFC 5890 and their form in ASCII. */
const DOMAIN =
  /@(?:[\p{L}\p{N}-]{1,63}\.){1,10}(?:xn--[A-Za-z0-9-]{1,59}|\p{L}{2,24})(?![\p{L}\p{N}-])/uy
const DATE =
  /[^\d\n]{0,12}(?:\d{4}-\d\d?-\d\d?|\d\d?[./ -]\d\d?[./ -]\d{2,4}|\d\d? [A-Z][a-z]{2,8} \d{4})/y
const NAME = /[ \t]*\p{Lu}[\p{L}'-]{1,40}/uy

const SAID: readonly (readonly [string, RegExp, PersonalKind])[] = [
  ['my name is', NAME, 'person_name'],
  ['date of birth', DATE, 'date_of_birth'],
  ['born on', DATE, 'date_of_birth'],
  ['my birthday is', DATE, 'date_of_birth'],
  ['dob', DATE, 'date_of_birth'],
]

const UPPER = /[A-Z]+/g

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
  const tell: Tell = (kind, start, end) => void all.push({ kind, start, end })
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i)
    if (code > 0x5a || OF_NOTE[code] !== 1) {
      i++
      continue
    }
    const isStart = !isWord(text.charCodeAt(i - 1))
    if (isDigit(code) || code === OPEN) {
      const next = isStart ? numberAt(text, i, tell) : withinWord(text, i, tell)
      if (isStart && isUpper(text.charCodeAt(next + 1))) {
        const end = matchEnd(STREET, text, i)
        if (end !== undefined) tell('street_address', i, end)
      }
      i = next
    } else i = wordAt(text, i, tell)
  }
  saidIn(text, all)
  return all
}

/** What people say of themselves: words that name it, then the thing itself. */
function saidIn(text: string, all: Found[]): void {
  // Other letters may change their length with their case; then places would not agree.
  const lower = text.replace(UPPER, (letters) => letters.toLowerCase())
  for (const [words, after, kind] of SAID) {
    for (let at = lower.indexOf(words); at >= 0; at = lower.indexOf(words, at + 1)) {
      if (isWord(lower.charCodeAt(at - 1))) continue
      const start = at + words.length
      const end = matchEnd(after, text, start)
      if (end !== undefined) all.push({ kind, start, end })
    }
  }
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

/** Groups of digits as they stand: `4111 1111` is 4 and 4 with a space between. */
interface Groups {
  readonly lengths: number[]
  readonly separators: string[]
  readonly ends: number[]
}

function groupsAt(text: string, from: number): Groups {
  const groups: Groups = { lengths: [], separators: [], ends: [] }
  let at = from
  while (groups.lengths.length < MAX_GROUPS) {
    let end = at
    while (end < at + MAX_NUMBER && isDigit(text.charCodeAt(end))) end++
    if (end === at) break
    groups.lengths.push(end - at)
    groups.ends.push(end)
    const between = text.slice(end, isDigit(text.charCodeAt(end + 1)) ? end + 1 : end + 2)
    const next = end + between.length
    if (!BETWEEN.has(between) || !isDigit(text.charCodeAt(next))) break
    groups.separators.push(between)
    at = next
  }
  return groups
}

const BETWEEN: ReadonlySet<string> = new Set([
  ' ',
  '-',
  '.',
  '/',
  ')',
  ') ',
  ')-',
  ').',
  ' (',
])

/** How numbers are written: lengths of their groups, what stands between, what must hold. */
interface Form {
  readonly kind: PersonalKind
  readonly lengths: readonly number[]
  readonly between: RegExp
  readonly holds: (digits: string) => boolean
}

const GROUPED = /^(?: +|-+)$/
const FORMS: readonly Form[] = [
  ...[
    [4, 4, 4, 4],
    [4, 6, 5],
    [4, 6, 4],
    [4, 4, 4, 4, 3],
  ].map((lengths): Form => ({
    kind: 'credit_card',
    lengths,
    between: GROUPED,
    holds: isCardNumber,
  })),
  {
    kind: 'us_ssn',
    lengths: [3, 2, 4],
    between: /^(?: +|-+|\.+)$/,
    holds: ssnHolds,
  },
  {
    kind: 'phone',
    lengths: [3, 3, 4],
    between: /^(?:[-. /]{2}|\)[ .-]?[-. ])$/,
    holds: isAreaCode,
  },
  {
    kind: 'phone',
    lengths: [1, 3, 3, 4],
    between: /^(?:[-. ]{3}| \(\)[ .-]?[-. ])$/,
    holds: (digits) => digits[0] === '1' && isAreaCode(digits.slice(1)),
  },
]

/** Of the North American plan. */
function isAreaCode(digits: string): boolean {
  return digits[0] !== '0' && digits[0] !== '1'
}

/** What stands before a number that only looks like one of a telephone, and what does not. */
const OTHER_NUMBER =
  /\b(?:compan(?:y|ies)|registration|registered|register|registry|reg|vat|gst|tax|tin|ein|duns|abn|acn|nip|krs|regon|siren|siret|hrb|hra|uid|crn|org|organi[sz]ation|corporate|business|nhs|order|invoice|customer|account|policy|reference|ref|ticket|case|serial|part|item|isbn|tracking)\b/
const TELEPHONE =
  /\b(?:phone|telephone|tel|call|fax|mobile|cell|dial|text|sms|whatsapp|number is)\b/
const LABEL_CHARS = 40

/** By the words before it, the last of which counts. */
function isLabelled(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - LABEL_CHARS), start).toLowerCase()
  const line = before.slice(before.lastIndexOf('\n') + 1)
  return OTHER_NUMBER.test(line) && !TELEPHONE.test(line)
}

function numberAt(text: string, i: number, tell: Tell): number {
  const from = text.charCodeAt(i) === OPEN ? i + 1 : i
  const { lengths, separators, ends } = groupsAt(text, from)
  const [first = 0] = ends
  if (first === 0) return i + 1
  for (const { kind, lengths: wanted, between, holds } of FORMS) {
    const end = ends[wanted.length - 1]
    if (end === undefined || !wanted.every((length, n) => lengths[n] === length)) continue
    if (!between.test(separators.slice(0, wanted.length - 1).join(''))) continue
    if (goesOn(text, end) || !holds(digitsOf(text.slice(from, end)))) continue
    if (kind === 'phone' && isLabelled(text, i)) return end
    tell(kind, separators[0]?.startsWith(')') === true ? i : from, end)
    return end
  }
  const spread = (lengths[0] ?? 0) <= 4 ? spreadAt(text, from) : undefined
  if (spread !== undefined) {
    tell(spread.kind, from, spread.end)
    return spread.end
  }
  const isCard = (lengths[0] ?? 0) >= 13 && !goesOn(text, first)
  if (isCard && isCardNumber(text.slice(from, first))) tell('credit_card', from, first)
  const last = ends[3]
  if (last === undefined || separators.slice(0, 3).join('') !== '...') return first
  if (goesOn(text, last) || separators[3] === '.') return last
  const parts = text.slice(from, last).split('.')
  if (parts.every((part) => Number(part) <= 255)) tell('ip_address', from, last)
  return last
}

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
    } else if (!SEPARATORS.has(code)) break
  }
  const isWhole = !isWord(text.charCodeAt(end))
  return isWhole && digits >= 8 && digits <= 15 ? end : undefined
}

/** Space, `(`, `)`, `-`, `.`, `/`. */
const SEPARATORS: ReadonlySet<number> = new Set([0x20, 0x28, 0x29, 0x2d, 0x2e, 0x2f])

/** The end of an IBAN: groups that follow it may belong to the next word. */
function ibanAt(text: string, i: number): number | undefined {
  const length = ibanLength(text.slice(i, i + 2).toUpperCase())
  const checked = isDigit(text.charCodeAt(i + 2)) && isDigit(text.charCodeAt(i + 3))
  if (length === undefined || !checked) return undefined
  let compact = ''
  let end = i
  for (; end < i + MAX_IBAN && end < text.length && compact.length < length; end++) {
    const char = text[end] as string
    if (!IBAN_BETWEEN.has(char)) compact += char
  }
  const isWhole = compact.length === length && !isWord(text.charCodeAt(end))
  return isWhole && ibanHolds(compact.toUpperCase()) ? end : undefined
}

/** With what stands between its groups. */
const MAX_IBAN = 80
const IBAN_BETWEEN: ReadonlySet<string> = new Set([' ', '-', '.', '\t', '\r', '\n'])

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

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

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
