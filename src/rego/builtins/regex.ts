/** Regular expressions, on the engine that the evaluation brings: linear in the text. */
import type { Builtin, BuiltinContext } from '../builtin.js'
import { RegexSyntaxError, expandTemplate } from '../regex.js'
import type { Regex } from '../regex.js'
import { t } from '../type-spec.js'
import type { Value } from '../value.js'
import { define, intAt, refuse, stringAt, valueAt } from './define.js'
import { quoteRegex } from './glob.js'
import { globsIntersect } from './globs-match.js'
import { spendMatch, spendText } from './spend.js'

function compile(pattern: string, context: BuiltinContext): Regex {
  try {
    return context.regex.compile(pattern, (steps) => context.step(steps))
  } catch (cause) {
    if (cause instanceof RegexSyntaxError) refuse(cause.message)
    throw cause
  }
}

function isValid(args: readonly Value[], context: BuiltinContext): Value {
  const pattern = valueAt(args, 0)
  if (typeof pattern !== 'string') return false
  try {
    context.regex.compile(pattern, (steps) => context.step(steps))
    return true
  } catch (cause) {
    if (cause instanceof RegexSyntaxError) return false
    throw cause
  }
}

function matches(args: readonly Value[], context: BuiltinContext): Value {
  const pattern = stringAt(args, 0)
  const text = stringAt(args, 1)
  const regex = compile(pattern, context)
  spendMatch(context, regex, text)
  return regex.test(text)
}

function find(args: readonly Value[], context: BuiltinContext): readonly string[][] {
  const pattern = stringAt(args, 0)
  const text = stringAt(args, 1)
  const limit = intAt(args, 2)
  const regex = compile(pattern, context)
  spendMatch(context, regex, text)
  return regex.findAll(text, limit).map((match) => {
    context.step(1)
    const groups: string[] = []
    for (let index = 0; index < match.length; index += 2) {
      const start = match[index] ?? -1
      groups.push(start < 0 ? '' : text.slice(start, match[index + 1]))
    }
    return groups
  })
}

/** As Go's Regexp.Split: no part for an empty match at the start. */
function split(args: readonly Value[], context: BuiltinContext): Value {
  const pattern = stringAt(args, 0)
  const text = stringAt(args, 1)
  const regex = compile(pattern, context)
  spendMatch(context, regex, text)
  if (pattern !== '' && text === '') return ['']
  const parts: string[] = []
  let begin = 0
  let end = 0
  for (const match of regex.findAll(text, -1)) {
    context.step(1)
    const matchEnd = match[1] ?? 0
    end = match[0] ?? 0
    if (matchEnd !== 0) parts.push(text.slice(begin, end))
    begin = matchEnd
  }
  if (end !== text.length) parts.push(text.slice(begin))
  return parts
}

function replace(args: readonly Value[], context: BuiltinContext): Value {
  const text = stringAt(args, 0)
  const pattern = stringAt(args, 1)
  const template = stringAt(args, 2)
  const regex = compile(pattern, context)
  spendMatch(context, regex, text)
  let out = ''
  let from = 0
  for (const match of regex.findAll(text, -1)) {
    const put = expandTemplate(template, { regex, text, match })
    spendText(context, put.length + 1)
    out += text.slice(from, match[0]) + put
    from = match[1] ?? 0
  }
  return out + text.slice(from)
}

/** A template is plain text with expressions between delimiters, which may nest. */
function templateMatch(args: readonly Value[], context: BuiltinContext): Value {
  const template = stringAt(args, 0)
  const text = stringAt(args, 1)
  const open = delimiterAt(args, 2, 'start')
  const close = delimiterAt(args, 3, 'end')
  const regex = compile(templateToRegex(template, open, close, context), context)
  spendMatch(context, regex, text)
  return regex.test(text)
}

function delimiterAt(args: readonly Value[], index: number, side: string): string {
  const delimiter = stringAt(args, index)
  const length = Buffer.byteLength(delimiter)
  if (length === 1) return delimiter
  return refuse(
    `${side} delimiter has to be exactly one character long but is ${length} long`,
  )
}

function templateToRegex(
  template: string,
  open: string,
  close: string,
  context: BuiltinContext,
): string {
  let out = '^'
  let level = 0
  let from = 0
  for (let at = 0; at < template.length; at++) {
    const char = template[at]
    if (char === open) {
      if (level++ > 0) continue
      out += quoteRegex(template.slice(from, at))
      from = at + 1
    } else if (char === close) {
      level--
      if (level < 0) break
      if (level > 0) continue
      const expression = template.slice(from, at)
      compile(`^${expression}$`, context)
      out += `(${expression})`
      from = at + 1
    }
  }
  if (level !== 0) refuse(`unbalanced braces in ${JSON.stringify(template)}`)
  return out + quoteRegex(template.slice(from)) + '$'
}

const two = [t.string, t.string] as const

export const regexes: readonly Builtin[] = [
  define('regex.is_valid', [t.string], t.boolean, isValid),
  define('regex.match', two, t.boolean, matches),
  define('re_match', two, t.boolean, matches),
  define('regex.split', two, t.array(t.string), split),
  define(
    'regex.find_n',
    [t.string, t.string, t.number],
    t.array(t.string),
    (args, context) => find(args, context).map(([whole = '']) => whole),
  ),
  define(
    'regex.find_all_string_submatch_n',
    [t.string, t.string, t.number],
    t.array(t.array(t.string)),
    find,
  ),
  define('regex.replace', [t.string, t.string, t.string], t.string, replace),
  define('regex.globs_match', two, t.boolean, (args, context) =>
    globsIntersect(stringAt(args, 0), stringAt(args, 1), context),
  ),
  define(
    'regex.template_match',
    [t.string, t.string, t.string, t.string],
    t.boolean,
    templateMatch,
  ),
]
