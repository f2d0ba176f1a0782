/**
 * Globs: `*` and `?` stop at delimiters, `**` does not; `[abc]`, `[!a-c]`, `{a,b}`, `\`. A glob
 * becomes a regular expression, so matching is linear in the text.
 */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { RegexSyntaxError } from '../regex.js'
import type { Regex } from '../regex.js'
import { t } from '../type-spec.js'
import { isArray } from '../value.js'
import type { Value } from '../value.js'
import { define, refuse, refuseElement, refuseType, stringAt, valueAt } from './define.js'
import { spendMatch, spendText } from './spend.js'

/** The expression that matches what the glob matches. Refuses malformed character classes. */
export function globToRegex(glob: string, delimiters: readonly string[]): string {
  const one =
    delimiters.length === 0 ? '.' : `[^${delimiters.map(quoteInClass).join('')}]`
  const chars = [...glob]
  let out = ''
  let depth = 0
  let at = 0
  while (at < chars.length) {
    const char = chars[at++] ?? ''
    if (char === '*' && chars[at] === '*') {
      out += '.*'
      at++
    } else if (char === '*') out += one + '*'
    else if (char === '?') out += one
    else if (char === '[') {
      const range = readClass(chars, at)
      out += range.regex
      at = range.end
    } else if (char === '{') {
      out += '(?:'
      depth++
    } else if (char === ',' && depth > 0) out += '|'
    else if (char === '}' && depth > 0) {
      out += ')'
      depth--
    } else if (char === '\\') out += quoteRegex(chars[at++] ?? '')
    else out += quoteRegex(char)
  }
  return `^(?s:${out}${')'.repeat(depth)})$`
}

/** A character class from behind its `[`: one range, or a list of characters. */
function readClass(
  chars: readonly string[],
  from: number,
): { regex: string; end: number } {
  let at = from
  const negated = chars[at] === '!'
  if (negated) at++
  const open = negated ? '[^' : '['
  const low = chars[at]
  if (low === undefined) refuse('unexpected end of input')
  if (chars[at + 1] === '-') {
    const high = chars[at + 2]
    if (high === undefined || chars[at + 3] === undefined)
      refuse('unexpected end of input')
    if (chars[at + 3] !== ']') refuse('expected close range character')
    if ((high.codePointAt(0) ?? 0) < (low.codePointAt(0) ?? 0))
      refuse(`hi character '${high}' should be greater than lo '${low}'`)
    return { regex: `${open}${quoteInClass(low)}-${quoteInClass(high)}]`, end: at + 4 }
  }
  let list = ''
  for (; chars[at] !== ']'; at++) {
    if (chars[at] === '\\') at++
    const char = chars[at]
    if (char === undefined) refuse('unexpected end of input')
    list += quoteInClass(char)
  }
  if (list === '') refuse('could not parse range')
  return { regex: `${open}${list}]`, end: at + 1 }
}

function quoteInClass(char: string): string {
  return /^[\]\\^[-]$/.test(char) ? '\\' + char : char
}

const special = new Set('\\.+*?()|[]{}^$')

export function quoteRegex(text: string): string {
  let out = ''
  for (const char of text) out += special.has(char) ? '\\' + char : char
  return out
}

/** Single characters; an empty list means a dot, `null` means none at all. */
function delimitersAt(args: readonly Value[]): readonly string[] {
  const collection = valueAt(args, 1)
  if (collection === null) return []
  if (!isArray(collection)) refuseType(2, collection, 'array', 'null')
  const delimiters = collection.map((element) => {
    if (typeof element !== 'string') refuseElement(2, { collection, element }, 'string')
    if ([...element].length !== 1) refuseElement(2, { collection, element }, 'rune')
    return element
  })
  return delimiters.length === 0 ? ['.'] : delimiters
}

function compileGlob(pattern: string, context: BuiltinContext): Regex {
  try {
    return context.regex.compile(pattern, (steps) => context.step(steps))
  } catch (cause) {
    if (cause instanceof RegexSyntaxError) refuse(cause.message)
    throw cause
  }
}

function match(args: readonly Value[], context: BuiltinContext): Value {
  const glob = stringAt(args, 0)
  const delimiters = delimitersAt(args)
  const text = stringAt(args, 2)
  spendText(context, glob.length)
  const pattern = globToRegex(glob, delimiters)
  const regex = compileGlob(pattern, context)
  spendMatch(context, regex, text)
  return regex.test(text)
}

function quoteMeta(glob: string): string {
  return glob.replace(/[*?\\[\]{}]/g, '\\$&')
}

export const globs: readonly Builtin[] = [
  define(
    'glob.match',
    [t.string, t.oneOf(t.array(t.string), t.null), t.string],
    t.boolean,
    match,
  ),
  define('glob.quote_meta', [t.string], t.string, (args) => quoteMeta(stringAt(args, 0))),
]
