/** Quantities with units: `10Gi`, `1.5MB`, `500m`, `2.5e3K`. Exact; results are fractions of ten. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import { numberFromBigInt, numberFromText } from '../value.js'
import type { Value } from '../value.js'
import { define, refuse, stringAt } from './define.js'

/** Digits that an exponent may have. */
const maxExponentDigits = 6
/** Exponents past this make numbers of more digits than any quantity has. */
const maxExponent = 5000

const powers = ['', 'k', 'm', 'g', 't', 'p', 'e'] as const

/** The number that a unit multiplies by; `m` is mega here. Lower case. */
function factorOf(unit: string): bigint | undefined {
  const binary = unit.endsWith('i')
  const power = powers.findIndex((name) => name === (binary ? unit.slice(0, -1) : unit))
  if (power < 0 || (binary && power === 0)) return undefined
  return (binary ? 1024n : 1000n) ** BigInt(power)
}

/** The digits at the start, and the unit behind them. An `e` with digits belongs to those. */
function splitUnit(text: string): {
  amount: string
  unit: string
  exponentDigits: number
} {
  let exponentDigits = 0
  let at = 0
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (/[0-9.+-]/.test(char)) continue
    if (!/[eE]/.test(char) || !/[0-9+-]/.test(text.charAt(at + 1))) break
    const start = /[+-]/.test(text.charAt(at + 1)) ? at + 2 : at + 1
    let end = start
    while (/[0-9]/.test(text.charAt(end))) end++
    exponentDigits = Math.max(exponentDigits, end - start)
    at = start - 1
  }
  return { amount: text.slice(0, at), unit: text.slice(at), exponentDigits }
}

type Decimal = { mantissa: bigint; exponent: number }

function readAmount(text: string): Decimal | undefined {
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts ?? []
  if (whole + fraction === '') return undefined
  const mantissa = BigInt(whole + fraction)
  return {
    mantissa: sign === '-' ? -mantissa : mantissa,
    exponent: Number(exponent) - fraction.length,
  }
}

type Words = { noAmount: string; notANumber: string; unit: (unit: string) => string }

/** Amount and unit of a quantity, or a refusal in OPA's words. */
function quantity(text: string, words: Words): { amount: Decimal; unit: string } {
  if (text.includes(' ')) refuse('spaces not allowed in resource strings')
  const { amount, unit, exponentDigits } = splitUnit(text)
  if (exponentDigits > maxExponentDigits) refuse('exponent too large')
  if (amount === '') refuse(words.noAmount)
  const decimal = readAmount(amount) ?? refuse(words.notANumber)
  if (Math.abs(decimal.exponent) > maxExponent) refuse('exponent too large')
  return { amount: decimal, unit }
}

/** `mantissa * 10 ** exponent * factor`, as a numerator over a power of ten. */
function scale({ mantissa, exponent }: Decimal, factor: bigint) {
  return exponent >= 0
    ? { numerator: mantissa * factor * 10n ** BigInt(exponent), decimals: 0 }
    : { numerator: mantissa * factor, decimals: -exponent }
}

function parseBytes(args: readonly Value[]): Value {
  const text = stringAt(args, 0).toLowerCase().replaceAll('"', '')
  const words: Words = {
    noAmount: 'no byte amount provided',
    notANumber: 'could not parse byte amount to a number',
    unit: (unit) => `byte unit ${unit} not recognized`,
  }
  const { amount, unit } = quantity(text, words)
  const factor =
    factorOf(unit.endsWith('b') && unit.length > 1 ? unit.slice(0, -1) : unit) ??
    refuse(words.unit(unit))
  const { numerator, decimals } = scale(amount, factor)
  return numberFromBigInt(numerator / 10n ** BigInt(decimals))
}

function parseUnits(args: readonly Value[]): Value {
  const text = stringAt(args, 0).replaceAll('"', '')
  const words: Words = {
    noAmount: 'no amount provided',
    notANumber: 'could not parse amount to a number',
    unit: (unit) => `unit ${unit} not recognized`,
  }
  const { amount, unit: written } = quantity(text, words)
  const unit = written.slice(0, 1) + written.slice(1).toLowerCase()
  if (unit === 'm') return fractionOf({ ...amount, exponent: amount.exponent - 3 })
  const factor = factorOf(unit.toLowerCase()) ?? refuse(words.unit(unit))
  const { numerator, decimals } = scale(amount, factor)
  return fractionOf({ mantissa: numerator, exponent: -decimals })
}

/** Decimal places that a quantity which is no integer keeps. */
const places = 10

function fractionOf({ mantissa, exponent }: Decimal): Value {
  const { numerator, decimals } = scale({ mantissa, exponent }, 1n)
  const divisor = 10n ** BigInt(decimals)
  if (numerator % divisor === 0n) return numberFromBigInt(numerator / divisor)
  const negative = numerator < 0n
  const size = negative ? -numerator : numerator
  const scaled = (size * 10n ** BigInt(places) * 2n + divisor) / (divisor * 2n)
  const digits = String(scaled).padStart(places + 1, '0')
  const plain = `${negative ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`
  return numberFromText(trimZeros(plain)) ?? refuse('could not parse amount to a number')
}

function trimZeros(text: string): string {
  let end = text.length
  while (text[end - 1] === '0') end--
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end)
}

export const quantities: readonly Builtin[] = [
  define('units.parse', [t.string], t.number, parseUnits),
  define('units.parse_bytes', [t.string], t.number, parseBytes),
]
