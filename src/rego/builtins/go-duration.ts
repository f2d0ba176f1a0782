/** Durations as Go writes them: `1h15m30.5s`, `-1.5h`, `300ms`. */
import { refuse } from './define.js'
import { quoteString } from './go-quote.js'
import { isDigit } from './go-layout.js'

const units: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])

/** Nanoseconds; refuses in Go's words. */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith('-')
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text
  if (unsigned === '0') return 0n
  const invalid = (): never =>
    refuse(`time: invalid duration ${quoteString(text, false)}`)
  if (unsigned === '') return invalid()
  let total = 0n
  let at = 0
  while (at < unsigned.length) {
    const whole = digitsAt(unsigned, at)
    at += whole.length
    let fraction = ''
    const point = unsigned[at] === '.'
    if (point) {
      fraction = digitsAt(unsigned, at + 1)
      at += 1 + fraction.length
    }
    if (whole === '' && fraction === '') return invalid()
    const unit = unitAt(unsigned, at)
    at += unit.length
    if (unit === '')
      return refuse(`time: missing unit in duration ${quoteString(text, false)}`)
    const size = units.get(unit)
    if (size === undefined)
      return refuse(
        `time: unknown unit ${quoteString(unit, false)} in duration ${quoteString(text, false)}`,
      )
    // Digits past the eighteenth are less than any nanosecond.
    const kept = fraction.slice(0, 18)
    if (whole.replace(/^0+/, '').length > 19) return invalid()
    total += BigInt(whole === '' ? 0 : whole) * size
    total += (BigInt(kept === '' ? 0 : kept) * size) / 10n ** BigInt(kept.length)
  }
  const signed = negative ? -total : total
  return BigInt.asIntN(64, signed) === signed ? signed : invalid()
}

function digitsAt(text: string, from: number): string {
  let end = from
  while (isDigit(text.charCodeAt(end))) end++
  return text.slice(from, end)
}

function unitAt(text: string, from: number): string {
  let end = from
  while (end < text.length && text[end] !== '.' && !isDigit(text.charCodeAt(end))) end++
  return text.slice(from, end)
}
