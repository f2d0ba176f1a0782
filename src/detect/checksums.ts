/** The check digits that tell a number from any digits: ISO/IEC 7812, ISO 13616, SSA. */
import { ibanLength } from './iban-registry.js'

/** Luhn, ISO/IEC 7812-1 annex B. `digits` holds 0 to 9 only. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** Mod 97-10, ISO 7064. Upper case, without spaces. */
export function ibanHolds(iban: string): boolean {
  const { length } = iban
  if (ibanLength(iban.slice(0, 2)) !== length) return false
  let rest = 0
  for (let i = 0; i < length; i++) {
    const code = iban.charCodeAt(i + 4 < length ? i + 4 : i + 4 - length)
    const isDigit = code >= 0x30 && code <= 0x39
    if (!isDigit && (code < 0x41 || code > 0x5a)) return false
    rest = isDigit ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97
  }
  return rest === 1
}

/** The same where its parts stand, with other characters between and in any case. */
export function isIbanIn(text: string, from: number, end: number): boolean {
  let rest = 0
  let first = 0
  let chars = 0
  for (let i = from; i < end; i++) {
    let code = text.charCodeAt(i)
    if (code >= 0x61 && code <= 0x7a) code -= 32
    const isDigit = code >= 0x30 && code <= 0x39
    if (!isDigit && (code < 0x41 || code > 0x5a)) {
      if (code === 0x5f) return false
      continue
    }
    const value = isDigit ? code - 48 : code - 55
    // The first four stand behind the others in the sum.
    if (chars++ < 4) first = first * (isDigit ? 10 : 100) + value
    else rest = (rest * (isDigit ? 10 : 100) + value) % 97
  }
  return (rest * 1_000_000 + first) % 97 === 1
}

/** Could the Social Security Administration have given it out? Nine digits. */
export function ssnHolds(digits: string): boolean {
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area.startsWith('9')) return false
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000'
}

/** A card's number, by the ranges in which cards are issued and its check digit. */
export function isCardNumber(digits: string): boolean {
  return isCardIn(digits, 0, digits.length)
}

/** The same of the digits between two places, whatever stands between them. Makes nothing. */
export function isCardIn(text: string, from: number, end: number): boolean {
  let length = 0
  let four = 0
  let sum = 0
  for (let i = end - 1; i >= from; i--) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    const doubled = (length & 1) === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
    length++
  }
  if (sum % 10 !== 0 || length < 13 || length > 19) return false
  for (let i = from, count = 0; count < 4; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    four = four * 10 + digit
    count++
  }
  return isIssued(four, length)
}

/** Ranges in which cards are issued: first digits and lengths. */
function isIssued(four: number, length: number): boolean {
  const two = Math.floor(four / 100)
  return (
    (two >= 40 && two < 50 && (length === 13 || length === 16 || length === 19)) ||
    (((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) && length === 16) ||
    ((two === 34 || two === 37) && length === 15) ||
    (two >= 10 && two < 20 && length === 15) ||
    ((two === 36 || two === 38 || (four >= 3000 && four <= 3059)) && length === 14) ||
    (((four >= 3528 && four <= 3589) ||
      two === 60 ||
      two === 62 ||
      two === 64 ||
      two === 65) &&
      length >= 16)
  )
}
