/** Doubles under Go's verbs: `%b %e %E %f %F %g %G %v %x %X`. */
import { exactDigits, exponential, fixed, general, shortestDigits } from './digits.js'
import { pad } from './go-format-spec.js'
import type { Spec } from './go-format-spec.js'

export function formatFloat(spec: Spec, value: number): string | undefined {
  const body = unsigned(spec, Math.abs(value))
  if (body === undefined) return undefined
  const text = spec.sharp && spec.verb !== 'b' ? withPoint(spec, body) : body
  const sign = value < 0 || Object.is(value, -0) ? '-' : spec.plus ? '+' : ''
  const lead = sign === '' && spec.space ? ' ' : sign
  if (lead !== '' && spec.zero && !spec.minus && spec.width !== undefined)
    return lead + pad({ ...spec, width: spec.width - 1 }, text)
  return pad(spec, lead + text)
}

function unsigned(spec: Spec, value: number): string | undefined {
  const precision = spec.precision ?? -1
  switch (spec.verb) {
    case 'v':
    case 'g':
      return generalText(value, precision)
    case 'G':
      return generalText(value, precision).toUpperCase()
    case 'f':
    case 'F':
      return fixed(allDigits(value), spec.precision ?? 6)
    case 'e':
      return exponential(allDigits(value), spec.precision ?? 6)
    case 'E':
      return exponential(allDigits(value), spec.precision ?? 6).toUpperCase()
    case 'b': {
      const { mantissa, exponent } = split(value)
      return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
    }
    case 'x':
      return hexadecimal(value, precision)
    case 'X':
      return hexadecimal(value, precision).toUpperCase()
    default:
      return undefined
  }
}

function generalText(value: number, precision: number): string {
  return general(precision < 0 ? shortestDigits(value) : allDigits(value), precision)
}

function allDigits(value: number) {
  const { mantissa, exponent } = split(value)
  return exactDigits(mantissa, exponent)
}

/** A double as `mantissa * 2 ** exponent` (IEEE 754 binary64). */
function split(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const stored = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & ((1n << 52n) - 1n)
  return stored === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: stored - 1075 }
}

/** `0x1.8p+00`: the mantissa between 1 and 2. */
function hexadecimal(value: number, precision: number): string {
  if (value === 0) return `0x0${precision > 0 ? '.' + '0'.repeat(precision) : ''}p+00`
  let { mantissa, exponent } = split(value)
  while (mantissa >> 60n === 0n) {
    mantissa <<= 1n
    exponent--
  }
  if (precision >= 0 && precision < 15) {
    const cut = BigInt(60 - precision * 4)
    const rest = mantissa & ((1n << cut) - 1n)
    const half = 1n << (cut - 1n)
    mantissa >>= cut
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++
    mantissa <<= cut
    if (mantissa >> 61n !== 0n) {
      mantissa >>= 1n
      exponent++
    }
  }
  const digits = (mantissa & ((1n << 60n) - 1n)).toString(16).padStart(15, '0')
  let end = digits.length
  while (precision < 0 && end > 0 && digits[end - 1] === '0') end--
  const fraction = precision < 0 ? digits.slice(0, end) : digits.slice(0, precision)
  const filled = precision > 15 ? fraction.padEnd(precision, '0') : fraction
  const power = exponent + 60
  const size = String(Math.abs(power)).padStart(2, '0')
  return `0x1${filled === '' ? '' : '.' + filled}p${power < 0 ? '-' : '+'}${size}`
}

/** `#` keeps the point, and for `%g` the zeros that fill the precision. */
function withPoint(spec: Spec, text: string): string {
  const hex = spec.verb === 'x' || spec.verb === 'X'
  const tailAt = text.search(hex ? /p/i : /e/i)
  const head = tailAt < 0 ? text : text.slice(0, tailAt)
  const tail = tailAt < 0 ? '' : text.slice(tailAt)
  let missing = 0
  if (spec.verb === 'v' || spec.verb.toLowerCase() === 'g' || hex) {
    const significant = head.replace(/[^0-9a-f]/gi, '').replace(/^0+/, '').length
    missing = (spec.precision ?? 6) - significant - (head === '0' ? 1 : 0)
  }
  const point = head.includes('.') ? '' : '.'
  return head + point + '0'.repeat(Math.max(missing, 0)) + tail
}
