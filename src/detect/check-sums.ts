/** Sums that check digits are made by, whoever uses them. Pure. `digits` hold 0 to 9 only. */
import { luhn } from './checksums.js'

export { luhn }

export function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 48
}

/** Sum of each digit times its weight, as many as there are weights. */
export function weighed(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++)
    sum += (digits.charCodeAt(i) - 48) * (weights[i] as number)
  return sum
}

/** ISO/IEC 7064, MOD 11,10. */
export function mod11and10(digits: string): boolean {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digitAt(digits, i) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

const VERHOEFF_D = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const VERHOEFF_P = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** J. Verhoeff, Error Detecting Decimal Codes, 1969. */
export function verhoeff(digits: string): boolean {
  let check = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digitAt(digits, digits.length - 1 - i)
    const turned = digitAt(VERHOEFF_P[i % 8] as string, digit)
    check = digitAt(VERHOEFF_D[check] as string, turned)
  }
  return check === 0
}

/** A day that was: `year` with its century. */
export function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

const ROWS = '01234567890123456789'

/** Of one digit alone, or in a row up or down: nobody is given it. */
export function isMadeUp(digits: string): boolean {
  if (ROWS.includes(digits)) return true
  const first = digits.charCodeAt(0)
  for (let i = 1; i < digits.length; i++) if (digits.charCodeAt(i) !== first) return false
  return true
}

/** The remainder of a number of any length. */
export function remainder(digits: string, by: number): number {
  let rest = 0
  for (let i = 0; i < digits.length; i++) rest = (rest * 10 + digitAt(digits, i)) % by
  return rest
}

/** `0` to `9`, then `A` to `Z` as 10 to 35. */
export function valueOf(char: string): number {
  return parseInt(char, 36)
}
