/** Semantic versions, semver.org 2.0.0; as OPA, a leading `v` and leading zeros are let pass. */
import type { Builtin } from '../builtin.js'
import { t } from '../type-spec.js'
import { compareStrings } from '../value.js'
import type { Value } from '../value.js'
import { define, refuse, stringAt, valueAt } from './define.js'
import { quoteString } from './go-quote.js'

type Version = {
  readonly numbers: readonly bigint[]
  /** Empty for a release. */
  readonly preRelease: readonly string[]
}

export function parseVersion(text: string): Version | undefined {
  const [rest = '', metadata] = cut(text.startsWith('v') ? text.slice(1) : text, '+')
  const [core = '', preRelease] = cut(rest, '-')
  if (!isIdentifiers(metadata) || !isIdentifiers(preRelease)) return undefined
  const parts = core.split('.')
  if (parts.length !== 3 || !parts.every(isInt64)) return undefined
  return {
    numbers: parts.map((part) => BigInt(part.startsWith('+') ? part.slice(1) : part)),
    preRelease: preRelease === '' ? [] : preRelease.split('.'),
  }
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function isIdentifiers(text: string): boolean {
  return text === '' || text.split('.').every((part) => /^[0-9A-Za-z-]+$/.test(part))
}

function isInt64(text: string): boolean {
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return false
  const value = BigInt(text.replace('+', ''))
  return BigInt.asIntN(64, value) === value
}

/** semver.org, item 11. */
export function compareVersions(a: Version, b: Version): -1 | 0 | 1 {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.preRelease.length === 0 || b.preRelease.length === 0)
    return sign(Math.min(b.preRelease.length, 1) - Math.min(a.preRelease.length, 1))
  for (const [index, part] of a.preRelease.entries()) {
    const other = b.preRelease[index]
    if (other === undefined) return 1
    const order = compareIdentifiers(part, other)
    if (order !== 0) return order
  }
  return sign(a.preRelease.length - b.preRelease.length)
}

function compareIdentifiers(a: string, b: string): -1 | 0 | 1 {
  const numeric = [a, b].map((text) => /^[0-9]+$/.test(text))
  if (numeric[0] !== numeric[1]) return numeric[0] === true ? -1 : 1
  if (numeric[0] !== true) return sign(compareStrings(a, b))
  const [x, y] = [BigInt(a), BigInt(b)]
  return x === y ? 0 : x < y ? -1 : 1
}

function sign(value: number): -1 | 0 | 1 {
  return value < 0 ? -1 : value > 0 ? 1 : 0
}

function compare(args: readonly Value[]): Value {
  const [a, b] = [0, 1].map((index) => {
    const text = stringAt(args, index)
    const version = parseVersion(text)
    if (version !== undefined) return version
    return refuse(
      `operand ${index + 1}: string ${quoteString(text, false)} is not a valid SemVer`,
    )
  })
  return a === undefined || b === undefined ? 0 : compareVersions(a, b)
}

export const versions: readonly Builtin[] = [
  define('semver.compare', [t.string, t.string], t.number, compare),
  define('semver.is_valid', [t.any], t.boolean, (args) => {
    const text = valueAt(args, 0)
    return typeof text === 'string' && parseVersion(text) !== undefined
  }),
]
