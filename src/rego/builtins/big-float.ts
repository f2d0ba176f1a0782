/**
 * Floating point as Rego calculates with it: 64 bits of mantissa, rounded half to even, printed
 * with the fewest digits that tell a number from its neighbours (Go's `big.Float`).
 * Exponents are bounded, since one short literal can name a number of a million digits.
 */
import { decimalOf, numberFromBigInt, numberFromText } from '../value.js'
import type { RegoNumber } from '../value.js'
import { refuse } from './define.js'
import { exactDigits, fixed, general, increment, trim } from './digits.js'
import type { Digits } from './digits.js'

/**
 * `mantissa * 2 ** exponent`; the mantissa has a sign and exactly the bits of its precision, so
 * that the neighbours are one more and one less.
 */
export type BigFloat = { readonly mantissa: bigint; readonly exponent: number }

const PRECISION = 64
/** Products of many factors have the mantissa of a double. */
const DOUBLE_PRECISION = 53

/** Decimal exponents beyond which arithmetic on fractions refuses. */
export const maxDecimalExponent = 5000

export const floatZero: BigFloat = { mantissa: 0n, exponent: 0 }

export function floatOf(value: RegoNumber): BigFloat {
  const { mantissa, exponent } = decimalOf(value)
  if (Math.abs(exponent) > maxDecimalExponent) refuse('number exponent out of range')
  return exponent >= 0
    ? ratio(mantissa * 10n ** BigInt(exponent), 1n)
    : ratio(mantissa, 10n ** BigInt(-exponent))
}

/** `numerator / denominator` to 64 bits; the denominator is positive. */
function ratio(numerator: bigint, denominator: bigint): BigFloat {
  const size = absolute(numerator)
  // Two bits more than wanted: one to round by, one for the quotient's uncertain length.
  const shift = PRECISION + 2 + bitLength(denominator) - bitLength(size)
  const scaled = shift >= 0 ? size << BigInt(shift) : size
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift)
  const quotient = scaled / divisor
  const sticky = quotient * divisor === scaled ? 0n : 1n
  return signed(numerator < 0n, round((quotient << 1n) | sticky, -shift - 1))
}

/** Rounds a positive `mantissa * 2 ** exponent` to so many bits. */
function round(mantissa: bigint, exponent: number, precision = PRECISION): BigFloat {
  if (mantissa === 0n) return floatZero
  const excess = bitLength(mantissa) - precision
  if (excess <= 0)
    return { mantissa: mantissa << BigInt(-excess), exponent: exponent + excess }
  const shift = BigInt(excess)
  const kept = mantissa >> shift
  const rest = mantissa - (kept << shift)
  const half = 1n << (shift - 1n)
  const up = rest > half || (rest === half && (kept & 1n) === 1n)
  const rounded = up ? kept + 1n : kept
  return rounded >> BigInt(precision) === 0n
    ? { mantissa: rounded, exponent: exponent + excess }
    : { mantissa: rounded >> 1n, exponent: exponent + excess + 1 }
}

function signed(negative: boolean, value: BigFloat): BigFloat {
  return negative ? negate(value) : value
}

export function negate({ mantissa, exponent }: BigFloat): BigFloat {
  return { mantissa: -mantissa, exponent }
}

export function add(a: BigFloat, b: BigFloat): BigFloat {
  const exponent = Math.min(a.exponent, b.exponent)
  const sum =
    (a.mantissa << BigInt(a.exponent - exponent)) +
    (b.mantissa << BigInt(b.exponent - exponent))
  return signed(sum < 0n, round(absolute(sum), exponent))
}

export function multiply(a: BigFloat, b: BigFloat): BigFloat {
  return product(a, b, PRECISION)
}

/** As `multiply`, to 53 bits. */
export function multiplyDouble(a: BigFloat, b: BigFloat): BigFloat {
  return product(a, b, DOUBLE_PRECISION)
}

function product(a: BigFloat, b: BigFloat, precision: number): BigFloat {
  const exact = a.mantissa * b.mantissa
  return signed(exact < 0n, round(absolute(exact), a.exponent + b.exponent, precision))
}

/** The divisor is not zero. */
export function divide(a: BigFloat, b: BigFloat): BigFloat {
  if (a.mantissa === 0n) return floatZero
  const negative = a.mantissa < 0n !== b.mantissa < 0n
  const { mantissa, exponent } = ratio(absolute(a.mantissa), absolute(b.mantissa))
  return signed(negative, { mantissa, exponent: exponent + a.exponent - b.exponent })
}

/** The integer part, towards zero. */
export function truncate({ mantissa, exponent }: BigFloat): bigint {
  if (exponent >= 0) return mantissa << BigInt(exponent)
  const size = absolute(mantissa) >> BigInt(-exponent)
  return mantissa < 0n ? -size : size
}

export function isInteger({ mantissa, exponent }: BigFloat): boolean {
  if (exponent >= 0) return true
  return BigInt.asUintN(-exponent, absolute(mantissa)) === 0n
}

export function floatToNumber(value: BigFloat): RegoNumber {
  const digits = shortest(value)
  const sign = value.mantissa < 0n ? '-' : ''
  if (isInteger(value)) return numberFromBigInt(BigInt(sign + fixed(digits, 0)))
  const text = sign + general(digits, -1)
  return numberFromText(text) ?? refuse(`illegal number ${text}`)
}

/**
 * The fewest digits between the middles to both neighbours; the middles themselves count when
 * the mantissa is even, since reading rounds to even.
 */
function shortest(value: BigFloat): Digits {
  const mantissa = absolute(value.mantissa)
  if (mantissa === 0n) return { digits: '', point: 0 }
  const exact = exactDigits(mantissa, value.exponent)
  const lower = alignedDigits(mantissa * 2n - 1n, value.exponent - 1, exact.point)
  const upper = alignedDigits(mantissa * 2n + 1n, value.exponent - 1, exact.point)
  const inclusive = (mantissa & 1n) === 0n
  for (let index = 0; index < exact.digits.length; index++) {
    const digit = exact.digits[index] ?? '0'
    const below = lower[index] ?? '0'
    const above = upper[index] ?? '0'
    const down = below !== digit || (inclusive && index + 1 === lower.length)
    const up =
      digit !== above &&
      (inclusive || Number(digit) + 1 < Number(above) || index + 1 < upper.length)
    if (!down && !up) continue
    const kept = exact.digits.slice(0, index + 1)
    const roundUp = up && (!down || roundsUp(exact.digits, index + 1))
    return roundUp ? increment(kept, exact.point) : trim(kept, exact.point)
  }
  return exact
}

/** Digits counted from the place of another number's first digit. */
function alignedDigits(mantissa: bigint, exponent: number, point: number): string {
  const own = exactDigits(mantissa, exponent)
  return '0'.repeat(Math.max(point - own.point, 0)) + own.digits
}

function roundsUp(digits: string, count: number): boolean {
  const next = digits.charCodeAt(count) - 0x30
  if (next !== 5 || digits.length > count + 1) return next >= 5
  return digits.charCodeAt(count - 1) % 2 === 1
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

function bitLength(value: bigint): number {
  if (value === 0n) return 0
  const hex = value.toString(16)
  return hex.length * 4 - (Math.clz32(parseInt(hex.slice(0, 1), 16)) - 28)
}
