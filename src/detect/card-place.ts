/**
 * Whether digits that could be a card's number are one where they stand: tables, fractions,
 * dumps and numbers of articles have as good a check digit by chance. Pure; looks at 40
 * characters before it and eight groups on either side.
 */
import { isWordCode } from './characters.js'
import { isCardIn } from './checksums.js'
import { isDigit } from './number-groups.js'

/** Digits in a row. */
export function isWholeCard(text: string, from: number, end: number): boolean {
  if (!isCardIn(text, from, end)) return false
  const length = end - from
  const isFraction =
    text.charCodeAt(from - 1) === DOT && isDigit(text.charCodeAt(from - 2))
  const isRare =
    length === 17 ||
    length === 18 ||
    (length === 13 && isArticle(text, from)) ||
    (length === 15 && text.charCodeAt(from) === ONE)
  if (!isFraction && !isRare) return true
  return isCardNamed(text, from) || isAlone(text, from, end)
}

/**
 * Four groups of four, of `many` digits with the one sign between. In a row of such groups it
 * is one if the others are cards, too; one group before it or behind it (an order, a month)
 * says nothing, unless letters in it tell that these are hexadecimal.
 */
export function isGroupedCard(text: string, from: number, end: number): boolean {
  if (!isCardIn(text, from, end)) return false
  const sign = text.charCodeAt(from + GROUP)
  const before = groupsBefore(text, from, sign)
  const after = groupsBehind(text, end, sign)
  const isHex = isMixed(text, from - GROUP - 1) || isMixed(text, end + 1)
  if (!isHex && before + after < 2) return true
  return (!isHex && areAllCards(text, from, { before, after })) || isCardNamed(text, from)
}

const DOT = 0x2e
const ONE = 0x31
const GROUP = 4
/** With the sign behind it. */
const STEP = GROUP + 1
const CARD = 4 * STEP
const MAX_GROUPS = 8

function groupsBefore(text: string, from: number, sign: number): number {
  let count = 0
  for (let at = from; count < MAX_GROUPS; at -= STEP, count++)
    if (text.charCodeAt(at - 1) !== sign || !isGroup(text, at - STEP)) break
  return count
}

function groupsBehind(text: string, end: number, sign: number): number {
  let count = 0
  for (let at = end; count < MAX_GROUPS; at += STEP, count++)
    if (text.charCodeAt(at) !== sign || !isGroup(text, at + 1)) break
  return count
}

/** Four digits or letters of hexadecimal numbers, and no more. */
function isGroup(text: string, at: number): boolean {
  if (at < 0 || isWordCode(text.charCodeAt(at - 1))) return false
  for (let i = at; i < at + GROUP; i++) if (!isHex(text.charCodeAt(i))) return false
  return !isWordCode(text.charCodeAt(at + GROUP))
}

/** Such a group, on this line or the next, with both. */
function isMixed(text: string, at: number): boolean {
  if (!isGroup(text, at)) return false
  let digits = 0
  for (let i = at; i < at + GROUP; i++) if (isDigit(text.charCodeAt(i))) digits++
  return digits > 0 && digits < GROUP
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

function areAllCards(
  text: string,
  from: number,
  { before, after }: { before: number; after: number },
): boolean {
  if (before % 4 !== 0 || after % 4 !== 0) return false
  const last = from + (after / 4) * CARD
  for (let at = from - (before / 4) * CARD; at <= last; at += CARD)
    if (!isCardIn(text, at, at + CARD - 1)) return false
  return true
}

/** The check digit of GS1: thirteen digits of an article or a book. */
function isArticle(text: string, from: number): boolean {
  let sum = 0
  for (let i = 0; i < 13; i++)
    sum += (text.charCodeAt(from + i) - 0x30) * (i % 2 === 0 ? 1 : 3)
  return sum % 10 === 0
}

/** Nothing else is said. */
function isAlone(text: string, from: number, end: number): boolean {
  return text.length < end - from + LABEL_CHARS && text.trim() === text.slice(from, end)
}

const LABEL_CHARS = 40
const CARD_NAME =
  /\b(?:cards?|credit|debit|visa|master|amex|american express|uatp|jcb|diners|discover|unionpay|maestro|pan|kredit\w{0,8}|karten?\w{0,8}|carte|carta|tarjeta|cart\u00e3o)\b/i

/** On its line, a word for one stands before it. */
function isCardNamed(text: string, from: number): boolean {
  const before = text.slice(Math.max(0, from - LABEL_CHARS), from)
  return CARD_NAME.test(before.slice(before.lastIndexOf('\n') + 1))
}
