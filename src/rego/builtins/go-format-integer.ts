/** Integers under Go's verbs: `%b %c %d %o %O %q %U %v %x %X`. */
import { pad } from './go-format-spec.js'
import type { Spec } from './go-format-spec.js'
import { quoteRune } from './go-quote.js'

const maxRune = 0x10ffffn

export function formatInteger(
  spec: Spec,
  { kind, value }: { kind: 'int' | 'big'; value: bigint },
): string | undefined {
  if (kind === 'big') return formatBig(spec, value)
  switch (spec.verb) {
    case 'v':
    case 'd':
      return digits({ ...spec, sharp: false }, value, 10)
    case 'b':
      return digits(spec, value, 2)
    case 'o':
    case 'O':
      return digits(spec, value, 8)
    case 'x':
    case 'X':
      return digits(spec, value, 16)
    case 'c':
      return pad({ ...spec, precision: undefined }, rune(value))
    case 'q':
      return pad(spec, quoteRune(rune(value), spec.plus))
    case 'U':
      return unicode(spec, value)
    default:
      return undefined
  }
}

function rune(value: bigint): string {
  const valid = value >= 0n && value <= maxRune && (value < 0xd800n || value > 0xdfffn)
  return valid ? String.fromCodePoint(Number(value)) : '\ufffd'
}

function digits(spec: Spec, value: bigint, base: 2 | 8 | 10 | 16): string {
  const negative = value < 0n
  let text = (negative ? -value : value).toString(base)
  let wanted = spec.precision ?? 0
  if (spec.precision !== undefined) {
    if (spec.precision === 0 && value === 0n) return pad({ ...spec, zero: false }, '')
  } else if (spec.zero && !spec.minus && spec.width !== undefined) {
    wanted = spec.width - (negative || spec.plus || spec.space ? 1 : 0)
  }
  text = text.padStart(wanted, '0')
  if (spec.sharp) text = prefix(base, text) + text
  if (spec.verb === 'O') text = '0o' + text
  if (spec.verb === 'X') text = text.toUpperCase()
  return pad({ ...spec, zero: false }, sign(spec, negative) + text)
}

function prefix(base: 2 | 8 | 10 | 16, text: string): string {
  switch (base) {
    case 2:
      return '0b'
    case 8:
      return text.startsWith('0') ? '' : '0'
    case 16:
      return '0x'
    case 10:
      return ''
  }
}

function sign(spec: Spec, negative: boolean): string {
  if (negative) return '-'
  if (spec.plus) return '+'
  return spec.space ? ' ' : ''
}

function unicode(spec: Spec, value: bigint): string {
  const size = BigInt.asUintN(64, value).toString(16).toUpperCase()
  const text = 'U+' + size.padStart(Math.max(spec.precision ?? 4, 4), '0')
  const shown = spec.sharp && value >= 0n && value <= maxRune
  return pad({ ...spec, zero: false }, shown ? `${text} '${rune(value)}'` : text)
}

const bases: Readonly<Record<string, 2 | 8 | 10 | 16>> = {
  b: 2,
  o: 8,
  O: 8,
  d: 10,
  s: 10,
  v: 10,
  x: 16,
  X: 16,
}

/** As big.Int.Format: other verbs, and precision keeps zeros from filling the width. */
function formatBig(spec: Spec, value: bigint): string | undefined {
  const base = Object.hasOwn(bases, spec.verb) ? bases[spec.verb] : undefined
  if (base === undefined) return undefined
  const negative = value < 0n
  let text = (negative ? -value : value).toString(base)
  if (spec.verb === 'X') text = text.toUpperCase()
  let lead = sign(spec, negative)
  if (spec.sharp && spec.verb !== 'O') lead += bigPrefix(spec.verb)
  if (spec.verb === 'O') lead += '0o'
  if (spec.precision !== undefined) text = text.padStart(spec.precision, '0')
  const zeros = spec.zero && !spec.minus && spec.precision === undefined
  if (zeros) text = text.padStart((spec.width ?? 0) - lead.length, '0')
  return pad({ ...spec, zero: false }, lead + text)
}

function bigPrefix(verb: string): string {
  switch (verb) {
    case 'b':
      return '0b'
    case 'o':
      return '0'
    case 'x':
      return '0x'
    case 'X':
      return '0X'
    default:
      return ''
  }
}
