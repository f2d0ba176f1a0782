/** IPv6 addresses in a text. Pure; bounded by the length of an address. */
import { isWordCode } from './characters.js'

export interface Ipv6Place {
  readonly start: number | undefined
  /** Where to look on. */
  readonly end: number
}

const COLON = 0x3a
const DOT = 0x2e

const ZONE = /%[\w.-]{1,16}/y

/**
 * An address as RFC 4291 §2.2 writes it around the colon at `i`, and where to look on. Names
 * of programs have colons, too, and so have times and the addresses of network cards: it has a
 * digit, and four groups or one of four digits.
 */
export function ipv6At(text: string, i: number): Ipv6Place {
  const none = { start: undefined, end: i + 1 }
  let from = i
  while (from > i - 5 && isHex(text.charCodeAt(from - 1))) from--
  // Behind a colon it is the rest of something that was tried already.
  const before = text.charCodeAt(from - 1)
  if (before === COLON || isWordCode(before)) return none
  let end = i
  let colons = 0
  for (; end < from + MAX_IPV6; end++) {
    const code = text.charCodeAt(end)
    if (code === COLON) colons++
    else if (!isOfIpv6(code)) break
  }
  if (colons < 2 || isWordCode(text.charCodeAt(end))) return none
  while (end > from && isTail(text, end)) end--
  const written = text.slice(from, end)
  if (!isIpv6(written) && !isUnspecified(text, from, written)) return none
  const until = from + written.length
  return { start: from, end: zoneEnd(text, until) ?? Math.max(until, i + 1) }
}

/** A full stop or one colon at its end belongs to the sentence. */
function isTail(text: string, end: number): boolean {
  const code = text.charCodeAt(end - 1)
  return code === DOT || (code === COLON && text.charCodeAt(end - 2) !== COLON)
}

/** `::` by itself: with a prefix length, or at the end of a line; elsewhere it is code. */
function isUnspecified(text: string, from: number, written: string): boolean {
  if (written !== '::') return false
  const after = text.slice(from + 2, from + 4)
  if (/^\/\d/.test(after)) return true
  return (
    /^\s?$/.test(text.slice(from - 1, from)) && from > 0 && /^(?:[\r\n]|$)/.test(after)
  )
}

/** With an IPv4 address at its end; longer is none. */
const MAX_IPV6 = 46

function isIpv6(written: string): boolean {
  let count = 0
  let length = 0
  let hasGap = false
  let hasDigit = false
  /** Some group is not of two digits; some is of three or four. */
  let isOdd = false
  let isLong = false
  let isMixed = false
  for (let i = 0; i < written.length; i++) {
    const code = written.charCodeAt(i)
    if (code === DOT) {
      const last = written.slice(i - length)
      if (!isIpv4(last)) return false
      hasDigit = true
      isMixed = true
      count += 2
      length = 0
      break
    }
    if (code !== COLON) {
      hasDigit ||= isDigit(code)
      if (++length > 4) return false
      continue
    }
    const isGap = written.charCodeAt(i + 1) === COLON
    if (length === 0 && !(isGap && i === 0)) return false
    if (length > 0) {
      count++
      isOdd ||= length !== 2
      isLong ||= length >= 3
    }
    length = 0
    if (!isGap) {
      if (i + 1 === written.length) return false
      continue
    }
    if (hasGap) return false
    hasGap = true
    i++
  }
  if (length > 0) {
    count++
    isOdd ||= length !== 2
    isLong ||= length >= 3
  }
  if (!hasDigit || (hasGap ? count > 7 : count !== 8)) return false
  return hasGap ? count >= 4 || isMixed || isLong : isOdd
}

function isIpv4(written: string): boolean {
  const parts = written.split('.')
  return (
    parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && +part <= 255)
  )
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

function isOfIpv6(code: number): boolean {
  return isHex(code) || code === COLON || code === DOT
}

function zoneEnd(text: string, at: number): number | undefined {
  ZONE.lastIndex = at
  return ZONE.test(text) ? ZONE.lastIndex : undefined
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
