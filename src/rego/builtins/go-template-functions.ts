/** The functions of Go's templates, as far as they are known here. */
import { RegoObject, RegoSet, compareStrings, isArray } from '../value.js'
import { refuse } from './define.js'
import { queryEscape } from './encoding.js'
import { sprintf } from './go-format.js'
import { dataOf, goValue, holds, shown } from './go-template-data.js'
import type { Data } from './go-template-data.js'

/** The first value that decides, or the last. */
function decide(values: readonly Data[], decides: (value: Data) => boolean): Data {
  const at = values.findIndex(decides)
  return at < 0 ? values.at(-1) : values[at]
}

type Work = (values: readonly Data[], spend: (length: number) => void) => Data

function first(values: readonly Data[]): Data {
  return values[0]
}

/** Numbers of the data are text here, and compare as text. */
function order(a: Data, b: Data): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return refuse('template: template:1: incompatible types for comparison')
}

function comparison(test: (order: number) => boolean): Work {
  return (values) => test(order(values[0], values[1]))
}

function length(values: readonly Data[]): Data {
  const value = first(values)
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof RegoObject || value instanceof RegoSet) return value.size
  if (value !== undefined && isArray(value)) return value.length
  return refuse(`template: template:1: error calling len: len of ${shown(value)}`)
}

function index([start, ...keys]: readonly Data[]): Data {
  let value = start
  for (const key of keys) {
    if (value instanceof RegoObject && typeof key === 'string')
      value = dataOf(value.get(key))
    else if (value !== undefined && isArray(value) && typeof key === 'number') {
      if (key < 0 || key >= value.length)
        refuse(`template: template:1: error calling index: index out of range: ${key}`)
      value = dataOf(value[key])
    } else
      refuse(`template: template:1: error calling index: can't index ${shown(value)}`)
  }
  return value
}

/** Spaces stand between operands when neither is a string. */
function print(values: readonly Data[]): string {
  return values.reduce<string>((text, value, at) => {
    const before = values[at - 1]
    const space = at > 0 && typeof before !== 'string' && typeof value !== 'string'
    return text + (space ? ' ' : '') + shown(value)
  }, '')
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

export const templateFunctions: ReadonlyMap<string, Work> = new Map<string, Work>([
  ['and', (values) => decide(values, (value) => !holds(value))],
  ['or', (values) => decide(values, holds)],
  ['not', (values) => !holds(first(values))],
  ['eq', ([a, ...others]) => others.some((other) => order(a, other) === 0)],
  ['ne', comparison((by) => by !== 0)],
  ['lt', comparison((by) => by < 0)],
  ['le', comparison((by) => by <= 0)],
  ['gt', comparison((by) => by > 0)],
  ['ge', comparison((by) => by >= 0)],
  ['len', length],
  ['index', index],
  ['print', print],
  ['println', (values) => values.map(shown).join(' ') + '\n'],
  [
    'printf',
    ([format, ...values], spend) =>
      typeof format === 'string'
        ? sprintf(format, values.map(goValue), spend)
        : refuse('template: template:1: wrong type for printf'),
  ],
  [
    'html',
    (values) => print(values).replace(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char),
  ],
  ['urlquery', (values) => queryEscape(print(values))],
])
