/**
 * Looks at a pf text before it is loaded: what FreeBSD's `pfctl -nf` would refuse is an error;
 * what it takes but would not do what steering needs is a warning. Knows the grammar of pf.conf
 * without queueing; what the machine alone can know (interfaces, accounts) is taken on trust
 * where pf does not look it up either. Pure: files that a table names are read by the caller.
 */
import { Cursor, PfFault } from './check-cursor.js'
import { host, interfaces, tableName } from './check-hosts.js'
import { Lexer, MAX_TEXT_BYTES } from './check-lexer.js'
import type { Token } from './check-lexer.js'
import { isTimeout } from './check-options.js'
import { filterRule, logQuick, natRule, ruleHead } from './check-rules.js'
import type { PfRule } from './check-rules.js'
import { filterOptions } from './check-options.js'

export interface PfProblem {
  readonly kind: 'error' | 'warning'
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

  constructor(text: string, options: PfCheckOptions) {
    this.#lexer = new Lexer(text)
    this.#options = options
  }

  check(): void {
    const faults: { readonly line: number; readonly message: string }[] = []
    for (const tokens of this.#statements()) {
      const cursor = new Cursor(tokens, tokens[0]?.line ?? 1)
      try {
        this.#statement(cursor)
      } catch (fault) {
        if (!(fault instanceof PfFault)) throw fault
        faults.push(fault)
      }
    }
    for (const line of this.#open)
      faults.push({ line, message: 'the anchor is not closed by }' })
    // One a line: what follows from a missing macro is no news.
    const lines = new Set<number>()
    const cut = this.#lexer.faults.map(({ line, wrong }) => ({ line, message: wrong }))
    for (const { line, message } of [...cut, ...faults]) {
      if (!lines.has(line)) this.problems.push({ kind: 'error', line, wrong: message })
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
      return this.#ends(cursor)
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
    if (cursor.sees('scrub') || (no && second === 'scrub')) return this.#scrub(cursor)
    if (cursor.sees('nat-anchor', 'rdr-anchor', 'binat-anchor', 'anchor'))
      return this.#anchor(cursor)
    if (cursor.takes('load')) return this.#load(cursor)
    if (cursor.takes('set')) return this.#set(cursor)
    if (cursor.takes('antispoof')) return this.#antispoof(cursor)
    if (cursor.takes('include')) return this.#include(cursor)
    if (cursor.sees('altq', 'queue', 'match'))
      cursor.fault(`'${cursor.peek().text}' is not looked at by this check`)
    return cursor.unexpected('a rule, a table, an option or a macro')
  }

  #ends(cursor: Cursor): void {
    if (!cursor.atEnd()) cursor.unexpected('the end of the line')
  }

  #inOrder(place: number, cursor: Cursor): void {
    if (place < this.#order)
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
        for (const { bits, text } of cursor.list(() => host(cursor, true), true))
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

  #scrub(cursor: Cursor): void {
    this.#inOrder(1, cursor)
    cursor.takes('no')
    cursor.needs('scrub')
    cursor.takes('in', 'out')
    logQuick(cursor)
    ruleHead(cursor)
    while (!cursor.atEnd()) {
      if (cursor.takes('min-ttl')) cursor.number('min-ttl', 255)
      else if (cursor.takes('max-mss')) cursor.number('max-mss', 65_535)
      else if (cursor.takes('set-tos')) cursor.next()
      else if (cursor.takes('reassemble')) cursor.needs('tcp')
      else if (cursor.takes('fragment')) {
        if (!cursor.takes('reassemble', 'crop', 'drop-ovl'))
          cursor.unexpected("'reassemble'")
      } else if (!cursor.takes('no-df', 'random-id'))
        cursor.unexpected('an option of scrub')
    }
  }

  #anchor(cursor: Cursor): void {
    const { line } = cursor
    const { text: kind } = cursor.next()
    this.#inOrder(kind === 'anchor' ? 4 : 3, cursor)
    const named = !cursor.sees('{') && !cursor.atEnd()
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
    if (kind === 'anchor' && cursor.takes('{')) {
      this.#open.push(line)
      if (cursor.atEnd()) return
      cursor.fault('rules of an anchor start on a line of their own')
    }
    this.#ends(cursor)
  }

  #load(cursor: Cursor): void {
    cursor.needs('anchor')
    cursor.string('the name of an anchor')
    cursor.needs('from')
    const path = cursor.string('the name of a file')
    if (this.#options.readFile?.(path) === undefined)
      cursor.fault(`the file ${JSON.stringify(path)} cannot be read`)
    this.#ends(cursor)
  }

  #include(cursor: Cursor): void {
    const { line } = cursor
    const path = cursor.string('the name of a file')
    if (this.#options.readFile?.(path) === undefined)
      cursor.fault(`the file ${JSON.stringify(path)} cannot be read`)
    this.#ends(cursor)
    this.#warn(line, 'what the file holds is not looked at')
  }

  #antispoof(cursor: Cursor): void {
    this.#inOrder(4, cursor)
    logQuick(cursor)
    cursor.needs('for')
    interfaces(cursor)
    cursor.takes('inet', 'inet6')
    if (cursor.takes('label')) cursor.string('a label')
    this.#ends(cursor)
  }

  #set(cursor: Cursor): void {
    if (cursor.takes('skip')) {
      cursor.needs('on')
      interfaces(cursor)
      return this.#ends(cursor)
    }
    this.#inOrder(0, cursor)
    const { text: option } = cursor.next()
    const words = SET_WORDS[option]
    if (words !== undefined) {
      const { text } = cursor.next()
      if (!words.includes(text)) cursor.fault(`set ${option} takes ${words.join(', ')}`)
    } else if (option === 'limit' || option === 'timeout') {
      cursor.list(() => {
        const name = cursor.takes('interval') ? 'interval' : cursor.string(`a ${option}`)
        const known = option === 'limit' ? LIMITS.includes(name) : isTimeout(name)
        if (!known) cursor.fault(`unknown ${option} '${name.slice(0, 64)}'`)
        cursor.number(`the ${option}`, 4_294_967_295)
      })
    } else if (option === 'loginterface') {
      if (!cursor.takes('none')) cursor.string('an interface')
    } else if (option === 'hostid') cursor.next()
    else if (option === 'fingerprints') cursor.string('the name of a file')
    else if (option !== 'keepcounters')
      cursor.fault(`unknown option '${option.slice(0, 64)}'`)
    this.#ends(cursor)
  }

  /** What pf takes, and what would still not be right for steering. */
  #advise({ action, line, interfaces: on, passes, target, from, to }: PfRule): void {
    if (action === 'rdr') {
      const leads = (target ?? []).length > 0
      if (passes === true)
        this.#warn(
          line,
          'rdr pass skips every filter rule: devices that are blocked get through',
        )
      if (leads && on.length === 0)
        this.#warn(
          line,
          'rdr without on takes packets of every interface, the outer one too',
        )
      if ((target ?? []).some(({ text }) => text === '::1'))
        this.#warn(
          line,
          '::1 is never reached from another interface: use an address on lo0',
        )
    }
    for (const { bits, text, kind } of [...from, ...to])
      if (bits === 0 && kind === 'address')
        this.#warn(line, `${text}/0 is every address there is: say any, or a table`)
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

const LIMITS = ['states', 'frags', 'src-nodes', 'tables', 'table-entries']

const SET_WORDS: Readonly<Record<string, readonly string[]>> = {
  'block-policy': ['drop', 'return'],
  'fail-policy': ['drop', 'return'],
  'state-policy': ['if-bound', 'floating'],
  optimization: [
    'normal',
    'default',
    'high-latency',
    'satellite',
    'aggressive',
    'conservative',
  ],
  'ruleset-optimization': ['none', 'basic', 'profile', 'yes', 'no'],
  'require-order': ['yes', 'no'],
  debug: ['none', 'urgent', 'misc', 'loud'],
  syncookies: ['never', 'always', 'adaptive'],
}
