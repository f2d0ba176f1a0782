/** Strings under Go's verbs: `%q %s %v %x %X`. */
import { pad } from './go-format-spec.js'
import type { Spec } from './go-format-spec.js'
import { quoteString } from './go-quote.js'

export function formatString(spec: Spec, value: string): string | undefined {
  switch (spec.verb) {
    case 'v':
      if (spec.sharp) return pad(spec, quoteString(cut(spec, value), false))
      return pad(spec, cut(spec, value))
    case 's':
      return pad(spec, cut(spec, value))
    case 'q': {
      const text = cut(spec, value)
      const raw = spec.sharp && canBackquote(text)
      return pad(spec, raw ? '`' + text + '`' : quoteString(text, spec.plus))
    }
    case 'x':
      return pad(spec, hex(spec, value))
    case 'X':
      return pad(spec, hex(spec, value).toUpperCase())
    default:
      return undefined
  }
}

/** At most `precision` characters. */
function cut(spec: Spec, value: string): string {
  if (spec.precision === undefined) return value
  let end = 0
  for (let count = 0; count < spec.precision && end < value.length; count++)
    end += (value.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return value.slice(0, end)
}

function canBackquote(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code === 0xfeff || code === 0x60 || code === 0x7f) return false
    if (code < 0x20 && code !== 9) return false
  }
  return true
}

function hex(spec: Spec, value: string): string {
  const bytes = Buffer.from(value)
  const shown = bytes.subarray(0, spec.precision ?? bytes.length)
  if (shown.length === 0) return ''
  const pairs = [...shown].map((byte) => byte.toString(16).padStart(2, '0'))
  const lead = spec.sharp ? '0x' : ''
  return spec.space ? pairs.map((pair) => lead + pair).join(' ') : lead + pairs.join('')
}
