/**
 * Decimal digits of binary numbers and the three ways Go's `strconv.FormatFloat` lays them out.
 * Exact: digits come from integers, never from a double's rounding.
 */

/** `0.DIGITS * 10 ** point`; no trailing zeros, '' is zero. */
export type Digits = { readonly digits: string; readonly point: number }

const zero: Digits = { digits: '', point: 0 }

/** All digits of `mantissa * 2 ** exponent`; the mantissa is not negative. */
export function exactDigits(mantissa: bigint, exponent: number): Digits {
  if (exponent >= 0) return fromScaled(mantissa << BigInt(exponent), 0)
  return fromScaled(mantissa * 5n ** BigInt(-exponent), exponent)
}

/** The fewest digits that give the same double back (ECMA-262 Number::toString). */
export function shortestDigits(value: number): Digits {
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  return trim(digits, digits === '0' ? 0 : Number(exponent) + 1)
}

function fromScaled(integer: bigint, exponent10: number): Digits {
  if (integer === 0n) return zero
  const digits = String(integer)
  return trim(digits, digits.length + exponent10)
}

/** Removes zeros at both ends. */
export function trim(digits: string, point: number): Digits {
  let start = 0
  while (digits[start] === '0') start++
  let end = digits.length
  while (end > start && digits[end - 1] === '0') end--
  return end === start ? zero : { digits: digits.slice(start, end), point: point - start }
}

/** The first `count` digits, the last one rounded half to even. */
export function roundTo(value: Digits, count: number): Digits {
  const { digits, point } = value
  if (count < 0) return zero
  if (count >= digits.length) return value
  const kept = digits.slice(0, count)
  return roundsUp(digits, count)
    ? increment(kept, point)
    : trim(kept === '' ? '0' : kept, point)
}

function roundsUp(digits: string, count: number): boolean {
  const next = digits.charCodeAt(count) - 0x30
  if (next !== 5 || digits.length > count + 1) return next >= 5
  return count > 0 && digits.charCodeAt(count - 1) % 2 === 1
}

/** One more in the last place. */
export function increment(digits: string, point: number): Digits {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '9') end--
  if (end === 0) return { digits: '1', point: point + 1 }
  const last = String.fromCharCode(digits.charCodeAt(end - 1) + 1)
  return { digits: digits.slice(0, end - 1) + last, point }
}

/** `%f`: `decimals` digits after the point, all there are when negative. */
export function fixed(value: Digits, decimals: number): string {
  const wanted = decimals < 0 ? Math.max(value.digits.length - value.point, 0) : decimals
  const { digits, point } = decimals < 0 ? value : roundTo(value, value.point + decimals)
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (wanted === 0) return whole
  const fraction =
    point >= 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, wanted)) + digits
  return `${whole}.${fraction.slice(0, wanted).padEnd(wanted, '0')}`
}

/** `%e`: one digit, then `decimals` more (all there are when negative), then `e+00`. */
export function exponential(value: Digits, decimals: number): string {
  const wanted = decimals < 0 ? Math.max(value.digits.length - 1, 0) : decimals
  const { digits, point } = decimals < 0 ? value : roundTo(value, decimals + 1)
  const exponent = digits === '' ? 0 : point - 1
  const first = digits[0] ?? '0'
  const rest = digits.slice(1).padEnd(wanted, '0')
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${first}${wanted > 0 ? '.' + rest : ''}e${exponent < 0 ? '-' : '+'}${size}`
}

/** `%g`: `precision` digits, or the shortest form when negative. */
export function general(value: Digits, precision: number): string {
  const shortest = precision < 0
  const limit = precision === 0 ? 1 : precision
  const rounded = shortest ? value : roundTo(value, limit)
  const count = rounded.digits.length
  let threshold = shortest ? 6 : limit
  if (!shortest && threshold > count && count >= rounded.point) threshold = count
  const exponent = rounded.point - 1
  if (rounded.digits !== '' && (exponent < -4 || exponent >= threshold))
    return exponential(rounded, count - 1)
  return fixed(rounded, Math.max(count - rounded.point, 0))
}
