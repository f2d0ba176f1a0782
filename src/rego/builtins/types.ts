/** Types: asking for them, and the conversions between them. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import type { TypeSpec } from '../type-spec.js'
import {
  BigDecimal,
  RegoSet,
  isArray,
  isRegoNumber,
  numberFromText,
  setOf,
  typeName,
} from '../value.js'
import type { TypeName, Value } from '../value.js'
import { define, membersOf, refuse, refuseType, valueAt } from './define.js'

function toNumber(args: readonly Value[]): Value {
  const value = valueAt(args, 0)
  if (value === null || value === false) return 0
  if (value === true) return 1
  if (isRegoNumber(value)) return value
  if (typeof value === 'string') return parseNumber(value)
  return refuseType(1, value, 'null', 'boolean', 'number', 'string')
}

/** What Go's strconv.ParseFloat reads, save infinities and NaN. */
function parseNumber(text: string): Value {
  const word = text.replace(/^[+-]*/, '').toLowerCase()
  if (word === 'inf' || word === 'infinity' || word === 'nan')
    refuseType(1, text, 'valid number string')
  const canonical = canonicalNumber(text)
  const number = canonical === undefined ? undefined : numberFromText(canonical)
  if (number === undefined)
    refuse(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (number instanceof BigDecimal && !Number.isFinite(Number(number.text)))
    refuse(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`)
  return number
}

/** The text in JSON's grammar: without a plus, leading zeros, or a bare point. */
function canonicalNumber(text: string): string | undefined {
  if (/^[+-]?0[xX]/.test(text)) return undefined
  const parts = /^([+-]?)([0-9]*)(\.?)([0-9]*)(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  if (parts === null) return undefined
  const [, sign, whole = '', , fraction = '', exponent] = parts
  if (whole === '' && fraction === '') return undefined
  const digits = whole.replace(/^0+(?=[0-9])/, '') || '0'
  const point = fraction === '' ? '' : '.' + fraction
  return `${sign === '-' ? '-' : ''}${digits}${point}${exponent === undefined ? '' : 'e' + exponent}`
}

function castArray(args: readonly Value[]): Value {
  const value = valueAt(args, 0)
  return membersOf(value) ?? refuseType(1, value, 'array', 'set')
}

function castSet(args: readonly Value[]): Value {
  const value = valueAt(args, 0)
  if (value instanceof RegoSet) return value
  return isArray(value) ? setOf(value) : refuseType(1, value, 'array', 'set')
}

function cast(name: TypeName, result: TypeSpec): Builtin {
  return define(`cast_${name}`, [t.any], result, (args) => {
    const value = valueAt(args, 0)
    return typeName(value) === name ? value : refuseType(1, value, name)
  })
}

/** `true`, or undefined: never `false`. */
function is(name: TypeName): Builtin {
  return define(
    `is_${name}`,
    [t.any],
    t.boolean,
    (args) => typeName(valueAt(args, 0)) === name,
  )
}

export const types: readonly Builtin[] = [
  define(
    'to_number',
    [t.oneOf(t.number, t.string, t.boolean, t.null)],
    t.number,
    toNumber,
  ),
  define('cast_array', [t.any], t.array(), castArray),
  define('cast_set', [t.any], t.set(), castSet),
  cast('string', t.string),
  cast('boolean', t.boolean),
  cast('null', t.null),
  cast('object', t.object()),
  is('number'),
  is('string'),
  is('boolean'),
  is('array'),
  is('set'),
  is('object'),
  is('null'),
  define('type_name', [t.any], t.string, (args) => typeName(valueAt(args, 0))),
]
