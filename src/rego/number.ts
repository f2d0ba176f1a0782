/**
 * Numbers as Rego has them: decimal text of any size. A double is used where it says exactly
 * the same; everything else keeps its digits.
 *
 * - `number`: every safe integer, and each non-integer whose shortest decimal form is the text
 *   that was read (`0.1`, `2.5`). Such a `number` stands for that decimal, not for the binary
 *   value beneath it. Never NaN, infinite, `-0`, or an integer beyond 2^53 - 1.
 * - `bigint`: integers beyond 2^53 - 1, never one that a safe integer could say.
 * - `BigDecimal`: all other text: more digits than a double holds, or an unusual spelling of a
 *   simple number (`1.0`, `1e3`), which prints as it was written and equals the simple one.
 *
 * Arithmetic belongs to the built-ins; this module reads, prints, orders and identifies.
 */
export type RegoNumber = number | bigint | BigDecimal

/** A number's identity: equal numbers, however spelled, have the same one. */
export type NumberKey = number | string

/** Digits beyond which an exponent is not written out as an integer. */
const MAX_INTEGER_DIGITS = 10_000

/** A decimal with its spelling. `mantissa * 10 ** exponent`, no trailing zeros in the mantissa. */
export class BigDecimal {
  readonly text: string
  readonly mantissa: bigint
  readonly exponent: number
  /** A `number` when a double says the same decimal, else a text unlike any Rego string's. */
  readonly key: NumberKey

  constructor(text: string) {
    const decimal = readDecimal(text)
    this.text = text
    this.mantissa = decimal.mantissa
    this.exponent = decimal.exponent
    this.key = keyOfDecimal(decimal)
  }
}

interface Decimal {
  readonly mantissa: bigint
  readonly exponent: number
}

const NUMBER_TEXT = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/** Reads a number in JSON's grammar (RFC 8259 §6); undefined when it is none. */
export function numberFromText(text: string): RegoNumber | undefined {
  if (!NUMBER_TEXT.test(text)) return undefined
  if (text.length <= 15 && /^-?[0-9]+$/.test(text)) return Number(text) + 0
  if (/^-?[0-9]+$/.test(text)) return numberFromBigInt(BigInt(text))
  const double = Number(text)
  if (!Number.isInteger(double) && String(double) === text) return double
  return new BigDecimal(text)
}

export function numberFromBigInt(value: bigint): number | bigint {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

/** A double as JSON would have written it. Not for NaN and infinities: those throw. */
export function numberFromDouble(value: number): RegoNumber {
  if (Number.isSafeInteger(value)) return value + 0
  if (!Number.isFinite(value)) throw new RangeError('no number: ' + value)
  if (!Number.isInteger(value)) return value
  const text = String(value)
  return text.includes('e') ? new BigDecimal(text) : numberFromBigInt(BigInt(text))
}

/** The number as OPA prints it, which is JSON. */
export function numberToText(value: RegoNumber): string {
  if (typeof value === 'object') return value.text
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-6) {
    return smallToText(value)
  }
  return String(value)
}

/** JavaScript writes 1e-7 where Go writes 1e-07. */
function smallToText(value: number): string {
  return String(value).replace(/e-([0-9])$/, 'e-0$1')
}

/** The nearest double: loses digits, may be infinite. */
export function numberToDouble(value: RegoNumber): number {
  if (typeof value === 'number') return value
  return typeof value === 'bigint' ? Number(value) : Number(value.text)
}

export function isRegoNumber(value: unknown): value is RegoNumber {
  return (
    typeof value === 'number' || typeof value === 'bigint' || value instanceof BigDecimal
  )
}

/**
 * The integer that the number equals (`1.0` and `1e3` have one); undefined for fractions and
 * for exponents past 10,000 digits.
 */
export function integerOf(value: RegoNumber): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    return Number.isInteger(value) ? BigInt(value) : undefined
  }
  if (value.exponent < 0 || value.exponent > MAX_INTEGER_DIGITS) return undefined
  return value.mantissa * 10n ** BigInt(value.exponent)
}

/** The number as `mantissa * 10 ** exponent`, exactly; no trailing zeros in the mantissa. */
export function decimalOf(value: RegoNumber): Decimal {
  return typeof value === 'object' ? value : readDecimal(String(value))
}

export function keyOfNumber(value: RegoNumber): NumberKey {
  if (typeof value === 'number') return value
  return typeof value === 'object' ? value.key : keyOfDecimal(readDecimal(String(value)))
}

export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  const x = typeof a === 'number' ? a : keyOfNumber(a)
  const y = typeof b === 'number' ? b : keyOfNumber(b)
  if (typeof x === 'number' && typeof y === 'number') return x < y ? -1 : x > y ? 1 : 0
  if (x === y) return 0
  return compareDecimals(decimalOf(a), decimalOf(b))
}

function readDecimal(text: string): Decimal {
  const match = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  if (match === null) throw new RangeError('not a number: ' + text.slice(0, 40))
  const fraction = match[3] ?? ''
  const digits = (match[2] ?? '') + fraction
  const trimmed = trimZeros(digits)
  if (trimmed === '') return { mantissa: 0n, exponent: 0 }
  const exponent =
    Number(match[4] ?? '0') - fraction.length + (digits.length - trimmed.length)
  const mantissa = BigInt(trimmed)
  return { mantissa: match[1] === '-' ? -mantissa : mantissa, exponent }
}

function trimZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--
  return digits.slice(0, end)
}

function keyOfDecimal(decimal: Decimal): NumberKey {
  const text = `${decimal.mantissa}e${decimal.exponent}`
  const double = Number(text)
  if (Number.isSafeInteger(double)) {
    if (decimal.exponent >= 0) return double + 0
  } else if (Number.isFinite(double) && !Number.isInteger(double)) {
    const shortest = readDecimal(String(double))
    if (
      shortest.mantissa === decimal.mantissa &&
      shortest.exponent === decimal.exponent
    ) {
      return double
    }
  }
  return '\u0000n' + text
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const signA = a.mantissa < 0n ? -1 : a.mantissa > 0n ? 1 : 0
  const signB = b.mantissa < 0n ? -1 : b.mantissa > 0n ? 1 : 0
  if (signA !== signB || signA === 0) return Math.sign(signA - signB)
  const sizeA = magnitude(a)
  const sizeB = magnitude(b)
  if (sizeA !== sizeB) return sizeA > sizeB ? signA : -signA
  const exponent = Math.min(a.exponent, b.exponent)
  const x = a.mantissa * 10n ** BigInt(a.exponent - exponent)
  const y = b.mantissa * 10n ** BigInt(b.exponent - exponent)
  return x < y ? -1 : x > y ? 1 : 0
}

/** Digits before the decimal point. */
function magnitude(decimal: Decimal): number {
  const digits = String(decimal.mantissa).length - (decimal.mantissa < 0n ? 1 : 0)
  return digits + decimal.exponent
}
