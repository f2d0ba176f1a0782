/**
 * Regular expressions with RE2's syntax and its promise: time linear in the text, whatever the
 * pattern. The rest of the language sees the interface only; `re2js` is named here alone.
 * Positions are UTF-16 offsets into the text. Syntax: github.com/google/re2/wiki/Syntax.
 */
import { RE2JS, RE2JSException } from 're2js'
import type { Matcher } from 're2js'

/** Offsets by group: `[start, end]` of the whole match, then of each group; -1 where unset. */
export type RegexMatch = readonly number[]

export interface Regex {
  readonly groupCount: number
  /** Instructions of the program: what a character of text costs grows with it. */
  readonly size: number
  /** Number of a named group, as in `(?P<name>...)`. */
  groupNumber(name: string): number | undefined
  test(text: string): boolean
  /**
   * Successive matches that do not overlap, at most `limit` of them (all when negative).
   * An empty match right behind another match does not count, as in Go's `regexp`.
   */
  findAll(text: string, limit: number): RegexMatch[]
}

export interface RegexEngine {
  /**
   * Throws RegexSyntaxError with Go's wording. `spend` is told what a pattern costs that is
   * not remembered.
   */
  compile(pattern: string, spend?: (steps: number) => void): Regex
}

export class RegexSyntaxError extends Error {
  override readonly name = 'RegexSyntaxError'
}

/** A pattern over our own limits: not one that RE2 would refuse. */
export class RegexLimitError extends Error {
  override readonly name = 'RegexLimitError'
}

export type RegexLimits = {
  /** Compiled patterns kept, the least recently used leaving first. */
  maxCached: number
  /** UTF-16 units of a pattern's source. */
  maxPatternLength: number
  /** Instructions of a compiled pattern: each costs time for every character of text. */
  maxProgramSize: number
}

export const defaultRegexLimits: RegexLimits = {
  maxCached: 256,
  maxPatternLength: 10_000,
  maxProgramSize: 100_000,
}

/** Steps of an evaluation's budget for each UTF-16 unit of a new pattern. */
const stepsPerPatternUnit = 4

/** An engine with its own cache of compiled patterns. */
export function re2Engine(limits: Partial<RegexLimits> = {}): RegexEngine {
  const { maxCached, ...sizes } = { ...defaultRegexLimits, ...limits }
  const cache = new Map<string, Regex>()
  return {
    compile(pattern, spend) {
      const known = cache.get(pattern)
      if (known !== undefined) {
        cache.delete(pattern)
        cache.set(pattern, known)
        return known
      }
      spend?.(pattern.length * stepsPerPatternUnit)
      const compiled = compile(pattern, sizes)
      if (cache.size >= maxCached) {
        const oldest = cache.keys().next()
        if (oldest.done !== true) cache.delete(oldest.value)
      }
      cache.set(pattern, compiled)
      return compiled
    },
  }
}

function compile(pattern: string, limits: Omit<RegexLimits, 'maxCached'>): Regex {
  if (pattern.length > limits.maxPatternLength)
    throw new RegexLimitError('error parsing regexp: pattern too long')
  let program: RE2JS
  try {
    program = RE2JS.compile(pattern)
  } catch (cause) {
    if (cause instanceof RE2JSException) throw new RegexSyntaxError(cause.message)
    throw cause
  }
  if (program.programSize() > limits.maxProgramSize)
    throw new RegexLimitError('error parsing regexp: expression too large')
  return new Re2Regex(program)
}

class Re2Regex implements Regex {
  readonly groupCount: number
  readonly size: number
  readonly #program: RE2JS
  readonly #names: ReadonlyMap<string, number>

  constructor(program: RE2JS) {
    this.#program = program
    this.groupCount = program.groupCount()
    this.size = program.programSize()
    this.#names = new Map(Object.entries(program.namedGroups()))
  }

  groupNumber(name: string): number | undefined {
    return this.#names.get(name)
  }

  test(text: string): boolean {
    return this.#program.test(text)
  }

  findAll(text: string, limit: number): RegexMatch[] {
    const matches: RegexMatch[] = []
    const matcher = this.#program.matcher(text)
    let from = 0
    let previousEnd = -1
    while ((limit < 0 || matches.length < limit) && from <= text.length) {
      if (!matcher.find(from)) break
      const start = matcher.start()
      const end = matcher.end()
      const emptyHere = end === from
      if (!emptyHere || start !== previousEnd) matches.push(this.#groups(matcher))
      from = emptyHere ? end + widthAt(text, end) : end
      previousEnd = end
    }
    return matches
  }

  #groups(matcher: Matcher): RegexMatch {
    const groups: number[] = []
    for (let group = 0; group <= this.groupCount; group++)
      groups.push(matcher.start(group), matcher.end(group))
    return groups
  }
}

/** UTF-16 units of the character at `offset`; 1 at the end, so that a search always moves on. */
function widthAt(text: string, offset: number): number {
  const code = text.codePointAt(offset)
  return code !== undefined && code > 0xffff ? 2 : 1
}

/**
 * Fills Go's replacement templates: `$1`, `$name`, `${name}`, `$$`. A name is the longest run of
 * letters, digits and underscores; unknown or unset groups give nothing. `regexp.Expand`.
 */
export function expandTemplate(
  template: string,
  { regex, text, match }: { regex: Regex; text: string; match: RegexMatch },
): string {
  let out = ''
  let from = 0
  for (;;) {
    const dollar = template.indexOf('$', from)
    if (dollar < 0) return out + template.slice(from)
    out += template.slice(from, dollar)
    if (template[dollar + 1] === '$') {
      out += '$'
      from = dollar + 2
      continue
    }
    const name = readGroupName(template, dollar + 1)
    if (name === undefined) {
      out += '$'
      from = dollar + 1
      continue
    }
    from = name.end
    const group = isNumber(name.text) ? Number(name.text) : regex.groupNumber(name.text)
    const start = group === undefined ? -1 : (match[2 * group] ?? -1)
    if (group !== undefined && start >= 0) out += text.slice(start, match[2 * group + 1])
  }
}

function readGroupName(
  template: string,
  from: number,
): { text: string; end: number } | undefined {
  const braced = template[from] === '{'
  const start = braced ? from + 1 : from
  let end = start
  while (end < template.length && isWord(template.charCodeAt(end))) end++
  if (end === start) return undefined
  if (!braced) return { text: template.slice(start, end), end }
  return template[end] === '}'
    ? { text: template.slice(start, end), end: end + 1 }
    : undefined
}

function isWord(code: number): boolean {
  const letter = code | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || isDigit(code) || code === 0x5f
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isNumber(name: string): boolean {
  for (let index = 0; index < name.length; index++)
    if (!isDigit(name.charCodeAt(index))) return false
  return name.length < 10
}
