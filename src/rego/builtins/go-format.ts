/**
 * `sprintf` as Go's package fmt does it, for the operands that Rego has: integers of any size,
 * doubles and strings. Wrong verbs and missing or extra operands become notes in the text
 * (`%!d(string=x)`), never errors. https://pkg.go.dev/fmt
 */
import { formatFloat } from './go-format-float.js'
import { formatInteger } from './go-format-integer.js'
import { formatString } from './go-format-string.js'
import type { GoValue, Spec } from './go-format-spec.js'

/** Widths and precisions beyond this are Go's `%!(BADWIDTH)` and `%!(BADPREC)`. */
const maxSize = 1_000_000

/** `spend` is called with the length of each padded part before it is made. */
export function sprintf(
  format: string,
  args: readonly GoValue[],
  spend: (length: number) => void = () => undefined,
): string {
  return new Printer(format, args, spend).print()
}

class Printer {
  readonly #format: string
  readonly #args: readonly GoValue[]
  readonly #spend: (length: number) => void
  #at = 0
  #argument = 0
  #afterIndex = false
  #reordered = false
  #goodIndex = true
  #out = ''

  constructor(format: string, args: readonly GoValue[], spend: (length: number) => void) {
    this.#format = format
    this.#args = args
    this.#spend = spend
  }

  print(): string {
    for (;;) {
      const percent = this.#format.indexOf('%', this.#at)
      if (percent < 0) break
      this.#out += this.#format.slice(this.#at, percent)
      this.#at = percent + 1
      this.#verb()
    }
    this.#out += this.#format.slice(this.#at)
    if (!this.#reordered && this.#argument < this.#args.length) this.#extra()
    return this.#out
  }

  #verb(): void {
    this.#goodIndex = true
    this.#afterIndex = false
    const spec = this.#flags()
    this.#index()
    this.#width(spec)
    this.#precision(spec)
    if (!this.#afterIndex) this.#index()
    const code = this.#format.codePointAt(this.#at)
    if (code === undefined) {
      this.#out += '%!(NOVERB)'
      return
    }
    spec.verb = String.fromCodePoint(code)
    this.#at += spec.verb.length
    this.#operand(spec)
  }

  #operand(spec: Spec): void {
    if (spec.verb === '%') {
      this.#out += '%'
      return
    }
    const value = this.#args[this.#argument]
    if (!this.#goodIndex) {
      this.#out += `%!${spec.verb}(BADINDEX)`
    } else if (value === undefined) {
      this.#out += `%!${spec.verb}(MISSING)`
    } else {
      this.#argument++
      this.#spend((spec.width ?? 0) + (spec.precision ?? 0))
      this.#out += formatValue(spec, value)
    }
  }

  #flags(): Spec {
    const spec: Spec = {
      verb: '',
      plus: false,
      minus: false,
      sharp: false,
      space: false,
      zero: false,
      width: undefined,
      precision: undefined,
    }
    for (; ; this.#at++) {
      const char = this.#format[this.#at]
      if (char === '+') spec.plus = true
      else if (char === '-') spec.minus = true
      else if (char === '#') spec.sharp = true
      else if (char === ' ') spec.space = true
      else if (char === '0') spec.zero = true
      else return spec
    }
  }

  /** An explicit operand number, `[2]`. */
  #index(): void {
    if (this.#format[this.#at] !== '[') return
    this.#reordered = true
    const close = this.#format.indexOf(']', this.#at)
    if (close < 0) {
      this.#goodIndex = false
      this.#at++
      return
    }
    const start = this.#at + 1
    this.#at = start
    const number = this.#number()
    const whole = this.#at === close
    this.#at = close + 1
    if (number !== undefined && whole && number >= 1 && number <= this.#args.length) {
      this.#argument = number - 1
      this.#afterIndex = true
      return
    }
    this.#goodIndex = false
    this.#afterIndex = number !== undefined && whole
  }

  #width(spec: Spec): void {
    if (this.#format[this.#at] === '*') {
      this.#at++
      const width = this.#sizeOperand()
      if (width === undefined) this.#out += '%!(BADWIDTH)'
      spec.width = width === undefined ? undefined : Math.abs(width)
      if (width !== undefined && width < 0) {
        spec.minus = true
        spec.zero = false
      }
      this.#afterIndex = false
      return
    }
    spec.width = this.#number()
    if (this.#afterIndex && spec.width !== undefined) this.#goodIndex = false
  }

  #precision(spec: Spec): void {
    if (this.#format[this.#at] !== '.') return
    this.#at++
    if (this.#afterIndex) this.#goodIndex = false
    this.#index()
    if (this.#format[this.#at] === '*') {
      this.#at++
      const precision = this.#sizeOperand()
      spec.precision = precision === undefined || precision < 0 ? undefined : precision
      if (spec.precision === undefined) this.#out += '%!(BADPREC)'
      this.#afterIndex = false
      return
    }
    spec.precision = this.#number() ?? 0
  }

  /** A width or precision taken from the operands, `*`. */
  #sizeOperand(): number | undefined {
    const value = this.#args[this.#argument]
    if (value === undefined) return undefined
    this.#argument++
    if (value.kind !== 'int') return undefined
    const size = Number(value.value)
    return Math.abs(size) > maxSize ? undefined : size
  }

  #number(): number | undefined {
    const start = this.#at
    let value = 0
    for (; ; this.#at++) {
      const digit = this.#format.charCodeAt(this.#at) - 0x30
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      if (value > maxSize) {
        while (isDigit(this.#format.charCodeAt(this.#at))) this.#at++
        return undefined
      }
    }
    return this.#at === start ? undefined : value
  }

  #extra(): void {
    const rest = this.#args.slice(this.#argument).map((value) => {
      return `${goType(value)}=${plain(value)}`
    })
    this.#out += `%!(EXTRA ${rest.join(', ')})`
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function formatValue(spec: Spec, value: GoValue): string {
  if (spec.verb === 'T') return formatString({ ...spec, verb: 's' }, goType(value)) ?? ''
  const text = formatKnown(spec, value)
  if (text !== undefined) return text
  if (value.kind === 'big') return `%!${spec.verb}(big.Int=${value.value})`
  return `%!${spec.verb}(${goType(value)}=${plain(value)})`
}

function formatKnown(spec: Spec, value: GoValue): string | undefined {
  switch (value.kind) {
    case 'int':
    case 'big':
      return formatInteger(spec, value)
    case 'float':
      return formatFloat(spec, value.value)
    case 'string':
      return formatString(spec, value.value)
  }
}

function goType(value: GoValue): string {
  switch (value.kind) {
    case 'int':
      return 'int'
    case 'big':
      return '*big.Int'
    case 'float':
      return 'float64'
    case 'string':
      return 'string'
  }
}

function plain(value: GoValue): string {
  return sprintf('%v', [value])
}
