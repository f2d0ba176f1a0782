/**
 * Looks at a pf text before it is loaded: what FreeBSD's `pfctl -nf` would refuse is an error;
 * what it takes but would not do what steering needs is a warning. Knows the grammar of pf.conf
 * without queueing and layer 2; what it does not know is no error but `unknown`, and so is what
 * the machine alone can tell where pf asks it (services, addresses of an interface). Pure: files that a table names are read by the caller.
 */
import { Cursor, PfFault } from './check-cursor.js'
import { adviceFor } from './check-advice.js'
import { tableHosts, tableName } from './check-hosts.js'
import { Lexer, MAX_TEXT_BYTES } from './check-lexer.js'
import { isReservedWord } from './rules-names.js'
import type { Token } from './check-lexer.js'
import { filterRule, logQuick, natRule, ruleHead } from './check-rules.js'
import type { PfRule } from './check-rules.js'
import { filterOptions } from './check-options.js'
import { antispoof, ends, scrub, setOption } from './check-statements.js'

export interface PfProblem {
  /** `unknown`: pf may take it or not. */
  readonly kind: 'error' | 'unknown' | 'warning'
  /** From 1. */
  readonly line: number
  readonly wrong: string
}

export interface PfCheckOptions {
  /** Content of a file that a table names; undefined when it cannot be read. */
  readonly readFile?: (path: string) => string | undefined
}

/** pf's order; each statement's place in it. */
const ORDER = [
  'options',
  'normalization',
  'queueing',
  'translation',
  'filtering',
] as const

const MAX_PROBLEMS = 100
const LONGEST_MACRO = 4096

/** Every problem, in the order of lines. An empty text is a good one. */
export function checkPfText(text: string, options: PfCheckOptions = {}): PfProblem[] {
  if (text.length > MAX_TEXT_BYTES)
    return [{ kind: 'error', line: 1, wrong: `is longer than ${MAX_TEXT_BYTES} bytes` }]
  const checker = new Checker(text, options)
  checker.check()
  if (text !== '' && !text.endsWith('\n')) checker.warnOfEnd(text)
  return checker.problems.sort((a, b) => a.line - b.line).slice(0, MAX_PROBLEMS)
}

class Checker {
  readonly problems: PfProblem[] = []
  readonly #lexer: Lexer
  readonly #options: PfCheckOptions
  /** Lines of `anchor "x" {` that are still open. */
  readonly #open: number[] = []
  #order = 0
  #anyOrder = false

  constructor(text: string, options: PfCheckOptions) {
    this.#lexer = new Lexer(text)
    this.#options = options
  }

  check(): void {
    const faults: Pick<PfFault, 'kind' | 'line' | 'message'>[] = []
    for (const tokens of this.#statements()) {
      const cursor = new Cursor(tokens, tokens[0]?.line ?? 1)
      try {
        this.#statement(cursor)
      } catch (fault) {
        if (!(fault instanceof PfFault)) throw fault
        faults.push(fault)
      }
      faults.push(...cursor.notKnown)
    }
    for (const line of this.#open)
      faults.push({ kind: 'error', line, message: 'the anchor is not closed by }' })
    // One a line: what follows from a missing macro is no news.
    const lines = new Set<number>()
    const cut = this.#lexer.faults.map(({ line, wrong }) => ({
      ...{ kind: 'error' as const, line, message: wrong },
    }))
    for (const { kind, line, message } of [...cut, ...faults]) {
      if (!lines.has(line)) this.problems.push({ kind, line, wrong: message })
      lines.add(line)
    }
  }

  /** Words up to an end of line outside braces; an anchor's own brace ends one, too. */
  *#statements(): Generator<Token[], void> {
    let tokens: Token[] = []
    let depth = 0
    for (const token of this.#lexer.tokens()) {
      const sign = token.kind === 'sign' ? token.text : ''
      if (sign === '{') depth++
      if (sign === '}') depth = Math.max(0, depth - 1)
      if (token.kind === 'newline' || token.kind === 'end') {
        const block = tokens.at(-1)?.text === '{' && tokens[0]?.text === 'anchor'
        if (depth > 0 && !block && token.kind !== 'end') continue
        depth = 0
        if (tokens.length > 0) yield tokens
        tokens = []
      } else tokens.push(token)
    }
  }

  #statement(cursor: Cursor): void {
    if (cursor.takes('}')) {
      if (this.#open.pop() === undefined) cursor.fault('} closes nothing')
      return ends(cursor)
    }
    if (cursor.peek(1).text === '=' && cursor.peek(1).kind === 'sign')
      return this.#macro(cursor)
    if (cursor.takes('table')) return this.#table(cursor)
    if (cursor.sees('pass', 'block')) {
      this.#inOrder(4, cursor)
      return this.#advise(filterRule(cursor))
    }
    const second = cursor.peek(1).text
    const no = cursor.sees('no')
    if (
      cursor.sees('nat', 'rdr', 'binat') ||
      (no && ['nat', 'rdr', 'binat'].includes(second))
    ) {
      this.#inOrder(3, cursor)
      return this.#advise(natRule(cursor))
    }
    if (cursor.sees('scrub') || (no && second === 'scrub')) {
      this.#inOrder(1, cursor)
      return scrub(cursor)
    }
    if (cursor.sees('nat-anchor', 'rdr-anchor', 'binat-anchor', 'anchor'))
      return this.#anchor(cursor)
    if (cursor.takes('load')) return this.#load(cursor)
    if (cursor.takes('set')) {
      if (!cursor.sees('skip')) this.#inOrder(0, cursor)
      if (cursor.sees('require-order')) this.#anyOrder = cursor.peek(1).text === 'no'
      return setOption(cursor)
    }
    if (cursor.takes('antispoof')) {
      this.#inOrder(4, cursor)
      return antispoof(cursor)
    }
    if (cursor.takes('include')) return this.#include(cursor)
    return cursor.unexpected('a rule, a table, an option or a macro')
  }

  #inOrder(place: number, cursor: Cursor): void {
    if (place < this.#order && !this.#anyOrder)
      cursor.fault(
        `rules must be in order: ${ORDER.join(', ')}; ${ORDER[place]} came too late`,
      )
    this.#order = place
  }

  #macro(cursor: Cursor): void {
    const { text, kind } = cursor.peek()
    if (kind === 'quoted' && /\s/.test(text)) cursor.unexpected('the name of a macro')
    cursor.string('the name of a macro')
    cursor.needs('=')
    const parts: string[] = []
    while (!cursor.atEnd()) {
      const token = cursor.next()
      if (token.kind === 'sign')
        cursor.fault(`'${token.text}' in a macro must stand in quotes`)
      parts.push(token.text)
    }
    if (parts.length === 0) cursor.unexpected('the text of the macro')
    const value = parts.join(' ')
    if (value.length > LONGEST_MACRO) cursor.fault('the text of the macro is too long')
    this.#lexer.macros.set(text, value)
  }

  #table(cursor: Cursor): void {
    const { line } = cursor
    const name = tableName(cursor)
    while (!cursor.atEnd()) {
      if (cursor.takes('persist', 'const', 'counters')) continue
      if (cursor.takes('file')) this.#tableFile(cursor)
      else if (cursor.sees('{')) {
        for (const { bits, text } of tableHosts(cursor))
          if (bits === 0)
            this.#warn(line, `<${name}> holds ${text}/0: every address there is`)
      } else cursor.unexpected('persist, const, counters, file or {')
    }
  }

  #tableFile(cursor: Cursor): void {
    const path = cursor.string('the name of a file')
    const content = this.#options.readFile?.(path)
    if (content === undefined)
      cursor.fault(`the file ${JSON.stringify(path)} cannot be read`)
  }

  #anchor(cursor: Cursor): void {
    const { line } = cursor
    const { text: kind } = cursor.next()
    this.#inOrder(kind === 'anchor' ? 4 : 3, cursor)
    const { kind: word, text: first } = cursor.peek()
    const named =
      word === 'quoted' ||
      (word === 'word' && !isReservedWord(first)) ||
      word === 'number'
    if (named) {
      const name = cursor.string('the name of an anchor')
      if (name.startsWith('_'))
        cursor.fault('anchor names that start with _ are reserved')
    } else if (kind !== 'anchor') cursor.unexpected('the name of an anchor')
    if (kind === 'anchor') {
      cursor.takes('in', 'out')
      logQuick(cursor)
    }
    ruleHead(cursor)
    if (kind === 'anchor') filterOptions(cursor)
    if (kind === 'anchor' && !named && !cursor.sees('{'))
      cursor.unexpected(cursor.atEnd() ? 'the name of an anchor' : "'{'")
    if (kind === 'anchor' && cursor.sees('{') && first.includes('/'))
      cursor.fault('an anchor with rules of its own has no path for a name')
    if (kind === 'anchor' && cursor.takes('{')) {
      this.#open.push(line)
      if (cursor.atEnd()) return
      cursor.fault('rules of an anchor start on a line of their own')
    }
    ends(cursor)
  }

  #load(cursor: Cursor): void {
    cursor.needs('anchor')
    cursor.string('the name of an anchor')
    cursor.needs('from')
    const path = cursor.string('the name of a file')
    if (this.#options.readFile?.(path) === undefined)
      cursor.fault(`the file ${JSON.stringify(path)} cannot be read`)
    ends(cursor)
  }

  #include(cursor: Cursor): void {
    const { line } = cursor
    const path = cursor.string('the name of a file')
    if (this.#options.readFile?.(path) === undefined)
      cursor.fault(`the file ${JSON.stringify(path)} cannot be read`)
    ends(cursor)
    this.#warn(line, 'what the file holds is not looked at')
  }

  #advise(rule: PfRule): void {
    for (const advice of adviceFor(rule)) this.#warn(rule.line, advice)
  }

  warnOfEnd(text: string): void {
    this.#warn(
      text.split('\n').length,
      'the last line has no end: older versions of pf refuse it',
    )
  }

  #warn(line: number, wrong: string): void {
    this.problems.push({ kind: 'warning', line, wrong })
  }
}
