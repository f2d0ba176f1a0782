/** Strings. Positions and lengths count code points, as Go's runes. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { regoToString } from '../text.js'
import { t } from '../type-spec.js'
import { BigDecimal, integerOf, isRegoNumber, numberToText } from '../value.js'
import type { RegoNumber, Value } from '../value.js'
import { floatOf, truncate } from './big-float.js'
import {
  arrayAt,
  define,
  int64Of,
  intAt,
  membersOf,
  numberAt,
  objectAt,
  refuse,
  refuseElement,
  refuseOperand,
  refuseType,
  stringAt,
  stringsAt,
  valueAt,
} from './define.js'
import { codePoints, offsetOf } from './code-points.js'
import { lowerCase, upperCase } from './go-case.js'
import type { GoValue } from './go-format-spec.js'
import { sprintf } from './go-format.js'
import { renderTemplate } from './go-template.js'
import { spendText } from './spend.js'
import { replaceAll } from './replacer.js'

function substring(args: readonly Value[]): Value {
  const text = stringAt(args, 0)
  const start = intAt(args, 1)
  const length = intAt(args, 2)
  if (start < 0) refuse('negative offset')
  const rest = text.slice(offsetOf(text, start))
  return length < 0 ? rest : rest.slice(0, offsetOf(rest, length))
}

function needle(args: readonly Value[]): string {
  const search = stringAt(args, 1)
  return search === '' ? refuse('empty search character') : search
}

function indexOf(args: readonly Value[]): Value {
  const text = stringAt(args, 0)
  const at = text.indexOf(needle(args))
  return at < 0 ? -1 : codePoints(text.slice(0, at))
}

/** Every position, overlapping ones too. */
function indexOfAll(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  const search = needle(args)
  const positions: Value[] = []
  let position = 0
  let counted = 0
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + 1)) {
    context.step(1)
    position += codePoints(text.slice(counted, at))
    counted = at
    positions.push(position)
  }
  return positions
}

function countOf(args: readonly Value[]): Value {
  const text = stringAt(args, 0)
  const search = stringAt(args, 1)
  if (search === '') return codePoints(text) + 1
  let count = 0
  for (let at = text.indexOf(search); at >= 0; count++)
    at = text.indexOf(search, at + search.length)
  return count
}

function split(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  const separator = stringAt(args, 1)
  const parts = separator === '' ? [...text] : text.split(separator)
  context.step(parts.length)
  return parts
}

function concat(args: readonly Value[], context: BuiltinContext): Value {
  const separator = stringAt(args, 0)
  const collection = valueAt(args, 1)
  const members = membersOf(collection) ?? refuseType(2, collection, 'set', 'array')
  const texts: string[] = []
  let length = 0
  for (const element of members) {
    if (typeof element !== 'string') refuseElement(2, { collection, element }, 'string')
    length += element.length + separator.length
    texts.push(element)
  }
  spendText(context, length)
  return texts.join(separator)
}

function formatInt(args: readonly Value[]): Value {
  const number = numberAt(args, 0)
  const base = numberAt(args, 1)
  if (base !== 2 && base !== 8 && base !== 10 && base !== 16)
    refuseOperand(2, 'must be one of {2, 8, 10, 16}')
  return (integerOf(number) ?? truncate(floatOf(number))).toString(base)
}

function replace(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  const pairs: [string, string][] = [[stringAt(args, 1), stringAt(args, 2)]]
  return replaceAll(text, pairs, (length) => spendText(context, length))
}

function replaceEach(args: readonly Value[], context: BuiltinContext): Value {
  const patterns = objectAt(args, 0)
  const text = stringAt(args, 1)
  const pairs: [string, string][] = []
  for (const [from, to] of patterns.entries()) {
    if (typeof from !== 'string')
      refuseOperand(1, 'non-string key found in pattern object')
    if (typeof to !== 'string')
      refuseOperand(1, 'non-string value found in pattern object')
    pairs.push([from, to])
  }
  return replaceAll(text, pairs, (length) => spendText(context, length))
}

type Sides = { left: boolean; right: boolean }

function trimBy(text: string, cut: (char: string) => boolean, sides: Sides): string {
  let start = 0
  let end = text.length
  if (sides.left) {
    while (start < end) {
      const char = String.fromCodePoint(text.codePointAt(start) ?? 0)
      if (!cut(char)) break
      start += char.length
    }
  }
  while (sides.right && end > start) {
    const char = lastChar(text, end)
    if (!cut(char)) break
    end -= char.length
  }
  return text.slice(start, end)
}

function lastChar(text: string, end: number): string {
  const unit = text.charCodeAt(end - 1)
  const pair = unit >= 0xdc00 && unit < 0xe000 && end > 1
  const lead = pair ? text.charCodeAt(end - 2) : 0
  return text.slice(lead >= 0xd800 && lead < 0xdc00 ? end - 2 : end - 1, end)
}

function trimmer(name: string, sides: Sides): Builtin {
  return define(name, two, t.string, (args) => {
    const text = stringAt(args, 0)
    const cutset = new Set(stringAt(args, 1))
    return trimBy(text, (char) => cutset.has(char), sides)
  })
}

/** Unicode's White_Space property. */
const spaces = new Set(
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008' +
    '\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
)

export function trimSpace(text: string): string {
  return trimBy(text, (char) => spaces.has(char), { left: true, right: true })
}

/** The string alone, or those of an array or set. */
function oneOrMore(args: readonly Value[], index: number): readonly string[] {
  const value = valueAt(args, index)
  if (typeof value === 'string') return [value]
  if (membersOf(value) === undefined)
    refuseType(index + 1, value, 'string', 'set', 'array')
  return stringsAt(args, index)
}

function anyMatch(
  name: string,
  matches: (text: string, affix: string) => boolean,
): Builtin {
  return define(name, [strings, strings], t.boolean, (args, context) => {
    const texts = oneOrMore(args, 0)
    const affixes = oneOrMore(args, 1)
    context.step(texts.length * affixes.length)
    return texts.some((text) => affixes.some((affix) => matches(text, affix)))
  })
}

function goValue(value: Value): GoValue {
  if (typeof value === 'string') return { kind: 'string', value }
  if (isRegoNumber(value)) return goNumber(value)
  return { kind: 'string', value: regoToString(value) }
}

/** Text of a number that is no plain integer is a double to Go, or stays text past its range. */
function goNumber(value: RegoNumber): GoValue {
  const integer = int64Of(value)
  if (integer !== undefined) return { kind: 'int', value: integer }
  if (typeof value === 'bigint') return { kind: 'big', value }
  const text = numberToText(value)
  const double = value instanceof BigDecimal ? Number(text) : value
  return Number.isFinite(double)
    ? { kind: 'float', value: double }
    : { kind: 'string', value: text }
}

function format(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  const values = arrayAt(args, 1).map(goValue)
  return sprintf(text, values, (length) => spendText(context, length))
}

/** What an interpolated string joins: each part in a set, which is empty where undefined. */
function templateString(args: readonly Value[], context: BuiltinContext): Value {
  let out = ''
  for (const part of arrayAt(args, 0)) {
    const members = typeof part === 'string' ? [part] : membersOf(part)
    const value = members?.[0]
    const text =
      members === undefined
        ? regoToString(part)
        : value === undefined
          ? '<undefined>'
          : typeof value === 'string'
            ? value
            : regoToString(value)
    spendText(context, text.length)
    out += text
  }
  return out
}

const two = [t.string, t.string] as const
const strings = t.oneOf(t.string, t.set(t.string), t.array(t.string))
const both: Sides = { left: true, right: true }

function test(name: string, holds: (text: string, part: string) => boolean): Builtin {
  return define(name, two, t.boolean, (args) =>
    holds(stringAt(args, 0), stringAt(args, 1)),
  )
}

function map(name: string, change: (text: string) => string): Builtin {
  return define(name, [t.string], t.string, (args) => change(stringAt(args, 0)))
}

export const stringBuiltins: readonly Builtin[] = [
  anyMatch('strings.any_prefix_match', (text, prefix) => text.startsWith(prefix)),
  anyMatch('strings.any_suffix_match', (text, suffix) => text.endsWith(suffix)),
  define(
    'concat',
    [t.string, t.oneOf(t.set(t.string), t.array(t.string))],
    t.string,
    concat,
  ),
  define('format_int', [t.number, t.number], t.string, formatInt),
  define('indexof', two, t.number, indexOf),
  define('indexof_n', two, t.array(t.number), indexOfAll),
  define('substring', [t.string, t.number, t.number], t.string, substring),
  map('lower', lowerCase),
  map('upper', upperCase),
  test('contains', (text, part) => text.includes(part)),
  test('startswith', (text, part) => text.startsWith(part)),
  test('endswith', (text, part) => text.endsWith(part)),
  define('strings.count', two, t.number, countOf),
  define('split', two, t.array(t.string), split),
  define('replace', [t.string, t.string, t.string], t.string, replace),
  define(
    'strings.replace_n',
    [t.object(t.string, t.string), t.string],
    t.string,
    replaceEach,
  ),
  trimmer('trim', both),
  trimmer('trim_left', { left: true, right: false }),
  trimmer('trim_right', { left: false, right: true }),
  define('trim_prefix', two, t.string, (args) => {
    const [text, prefix] = [stringAt(args, 0), stringAt(args, 1)]
    return text.startsWith(prefix) ? text.slice(prefix.length) : text
  }),
  define('trim_suffix', two, t.string, (args) => {
    const [text, suffix] = [stringAt(args, 0), stringAt(args, 1)]
    return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text
  }),
  map('trim_space', trimSpace),
  define('sprintf', [t.string, t.array()], t.string, format),
  map('strings.reverse', (text) => [...text].reverse().join('')),
  define(
    'strings.render_template',
    [t.string, t.object(t.string)],
    t.string,
    renderTemplate,
  ),
  define('internal.template_string', [t.array()], t.string, templateString),
]
