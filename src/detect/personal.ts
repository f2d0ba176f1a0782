/**
 * Personal data in a text, by form and check digit: cards, IBANs, social security numbers,
 * e-mail addresses, telephone numbers, IP addresses, and what people say of themselves. Says
 * kinds and how often, never the text. One pass; what is tried at a place is bounded, so the
 * time grows with the length alone.
 */
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

/** UTF-16 units that are looked at; what follows is not. */
const MAX_CHARS = 256 * 1024
/** Longest number with what stands between its digits. */
const MAX_NUMBER = 40

const CARD = /(?:\d[ -]?){12,18}\d(?![\w-])/y
const SSN = /\d{3}([- ])\d{2}\1\d{4}(?![\w-])/y
const IPV4 = /(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/y
const NANP = /\(?[2-9]\d{2}\)?[-. ]\d{3}[-. ]\d{4}(?![\w-])/y
const STREET =
  /\d{1,5} (?:[A-Z][a-z]{1,20} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Way)\b/y
const DOMAIN = /@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9-])/y
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

/** In the order of `PERSONAL_KINDS`; what was not found is left out. */
export function personalData(whole: string): Finding[] {
  const text = whole.length > MAX_CHARS ? whole.slice(0, MAX_CHARS) : whole
  const counts = new Map<PersonalKind, number>()
  const found = (kind: PersonalKind): void => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  for (let i = 0; i < text.length;) i = lookAt(text, i, found)
  const lower = text.toLowerCase()
  // Case folding may change lengths; then places would not agree.
  if (lower.length === text.length) {
    for (const [words, after, kind] of SAID) {
      for (let at = lower.indexOf(words); at >= 0; at = lower.indexOf(words, at + 1)) {
        if (isWord(lower.charCodeAt(at - 1))) continue
        if (matchEnd(after, text, at + words.length) !== undefined) found(kind)
      }
    }
  }
  return PERSONAL_KINDS.flatMap((kind) => {
    const count = counts.get(kind)
    return count === undefined ? [] : [{ kind, count }]
  })
}

/** Looks at one place; gives the next. */
function lookAt(text: string, i: number, found: (kind: PersonalKind) => void): number {
  const code = text.charCodeAt(i)
  if (code === AT) {
    if (!isLocalPart(text.charCodeAt(i - 1))) return i + 1
    const end = matchEnd(DOMAIN, text, i)
    if (end !== undefined) found('email')
    return end ?? i + 1
  }
  const begins = !isWord(text.charCodeAt(i - 1))
  if (isDigit(code) || code === OPEN) {
    if (!begins) return i + 1
    return numberAt(text, i, found)
  }
  if (code === PLUS && isDigit(text.charCodeAt(i + 1))) {
    const end = internationalEnd(text, i + 1)
    if (end === undefined) return i + 1
    found('phone')
    return end
  }
  if (begins && isUpper(code) && isUpper(text.charCodeAt(i + 1))) {
    const end = ibanAt(text, i)
    if (end !== undefined) found('iban')
    return end ?? i + 1
  }
  return i + 1
}

function numberAt(text: string, i: number, found: (kind: PersonalKind) => void): number {
  for (const [form, kind, holds] of NUMBERS) {
    const end = matchEnd(form, text, i)
    if (end === undefined || !holds(text.slice(i, end))) continue
    found(kind)
    return end
  }
  // The rest of these digits is no beginning of a number.
  let end = i + 1
  while (end < i + MAX_NUMBER && isDigit(text.charCodeAt(end))) end++
  return end
}

const NUMBERS: readonly (readonly [RegExp, PersonalKind, (text: string) => boolean])[] = [
  [CARD, 'credit_card', (text) => isCardNumber(digitsOf(text))],
  [SSN, 'us_ssn', (text) => ssnHolds(digitsOf(text))],
  [IPV4, 'ip_address', (text) => text.split('.').every((part) => Number(part) <= 255)],
  [NANP, 'phone', () => true],
  [STREET, 'street_address', () => true],
]

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
  const length = ibanLength(text.slice(i, i + 2))
  const checked = isDigit(text.charCodeAt(i + 2)) && isDigit(text.charCodeAt(i + 3))
  if (length === undefined || !checked) return undefined
  let compact = ''
  let end = i
  for (; end < text.length && compact.length < length; end++) {
    if (text[end] !== ' ') compact += text[end]
  }
  return ibanHolds(compact) && !isWord(text.charCodeAt(end)) ? end : undefined
}

function matchEnd(form: RegExp, text: string, at: number): number | undefined {
  form.lastIndex = at
  return form.test(text) ? form.lastIndex : undefined
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

const AT = 0x40
const PLUS = 0x2b
const OPEN = 0x28

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}

function isWord(code: number): boolean {
  return isDigit(code) || isUpper(code) || (code >= 0x61 && code <= 0x7a) || code === 0x5f
}

/** What may stand before the `@`, RFC 5321 §4.1.2 without quoted strings. */
function isLocalPart(code: number): boolean {
  return isWord(code) || code === 0x2d || code === 0x2e || code === PLUS || code === 0x25
}
