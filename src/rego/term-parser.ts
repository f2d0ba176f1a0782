/**
 * Terms, expressions and bodies. Infix operators bind, from loose to tight: `in`, relations,
 * `|`, `&`, `+ -`, `* / %`; all to the left.
 */
import { unreachable } from './errors.js'
import { TokenReader } from './token-reader.js'
import { numberFromBigInt, numberFromText, numberToText } from './number.js'
import type { Token } from './lexer.js'
import type { RegoNumber } from './number.js'
import type {
  Body,
  CallTerm,
  Expression,
  Literal,
  Location,
  RefTerm,
  TemplatePart,
  Term,
  VarTerm,
  With,
} from './ast.js'

type Operators = Readonly<Record<string, string>>

const LEVELS: readonly Operators[] = [
  { '==': 'equal', '!=': 'neq', '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' },
  { '|': 'or' },
  { '&': 'and' },
  { '+': 'plus', '-': 'minus' },
  { '*': 'mul', '/': 'div', '%': 'rem' },
]

export class TermParser extends TokenReader {
  /** In the head of a possible comprehension `|` ends the term. */
  #pipeEnds = false

  protected body(close: string): Body {
    const literals: Literal[] = []
    while (!this.isPunctuation(close)) {
      if (literals.length > 0) this.#separator(close)
      if (this.isPunctuation(close)) break
      literals.push(this.literal())
    }
    if (literals.length === 0) throw this.error('found empty body')
    this.expect(close, 'after the body')
    return literals
  }

  /** Literals up to the end of the text. */
  protected query(): Body {
    const literals: Literal[] = []
    while (!this.atEnd()) {
      if (literals.length > 0) this.#separator('end of text')
      if (this.atEnd()) break
      literals.push(this.literal())
    }
    if (literals.length === 0) throw this.error('found empty query')
    return literals
  }

  #separator(close: string): void {
    if (this.isPunctuation(';')) {
      while (this.accept(';'));
      return
    }
    if (!this.token.newlineBefore) {
      throw this.unexpected(`a new line, \`;\` or \`${close}\``)
    }
  }

  protected literal(): Literal {
    return this.nested(() => {
      const at = this.token.at
      const negated = this.acceptKeyword('not')
      const expression = this.withPipes(() => this.#expression())
      if (negated && (expression.kind === 'some' || expression.kind === 'some-in')) {
        throw this.error('unexpected `some` after `not`')
      }
      return { negated, expression, withs: this.#withs(), at }
    })
  }

  #withs(): readonly With[] {
    const withs: With[] = []
    while (this.isKeyword('with')) {
      const at = this.advance().at
      const target = this.#primary()
      if (target.kind !== 'var' && target.kind !== 'ref') {
        throw this.error('expected a reference after `with`')
      }
      if (!this.acceptKeyword('as'))
        throw this.unexpected('`as` after the target of `with`')
      withs.push({ target, value: this.withPipes(() => this.term()), at })
    }
    return withs
  }

  #expression(): Expression {
    if (this.isKeyword('some')) return this.#some()
    if (this.isKeyword('every') && this.peek().kind === 'name') return this.#every()
    const left = this.#memberTerm()
    if (this.accept('=')) return { kind: 'unify', left, right: this.term() }
    if (this.accept(':=')) {
      const right = this.term()
      if (this.isPunctuation(':=') || this.isPunctuation('=')) {
        throw this.unexpected('the end of the expression')
      }
      return { kind: 'assign', left, right }
    }
    return { kind: 'term', term: left }
  }

  /** A term, or `key, value in collection`. */
  #memberTerm(): Term {
    const left = this.term()
    if (!this.isPunctuation(',') || !this.keywords.has('in')) return left
    const { token, previous } = this
    const right = this.attempt(() => {
      this.advance()
      return this.#level(0)
    })
    if (right === undefined || !this.isKeyword('in')) {
      this.restore(token, previous)
      return left
    }
    const at = this.advance().at
    return operation('internal.member_3', [left, right, this.#level(0)], at)
  }

  #some(): Expression {
    this.advance()
    const terms: Term[] = [this.#level(0)]
    while (this.accept(',')) terms.push(this.#level(0))
    if (this.acceptKeyword('in')) {
      const [first, second] = terms as [Term, Term?]
      if (terms.length > 2) throw this.error('expected at most two terms before `in`')
      const collection = this.#level(0)
      return second === undefined
        ? { kind: 'some-in', value: first, collection }
        : { kind: 'some-in', key: first, value: second, collection }
    }
    const names = terms.filter((term) => term.kind === 'var')
    if (names.length < terms.length) {
      throw this.unexpected('variables, or `in` after the terms of `some`')
    }
    return { kind: 'some', names }
  }

  #every(): Expression {
    this.advance()
    const first = this.variable()
    const second = this.accept(',') ? this.variable() : undefined
    if (!this.acceptKeyword('in')) throw this.unexpected('`in` after `every`')
    const domain = this.term()
    this.expect('{', 'before the body of `every`')
    const body = this.body('}')
    return second === undefined
      ? { kind: 'every', value: first, domain, body }
      : { kind: 'every', key: first, value: second, domain, body }
  }

  protected variable(): VarTerm {
    const { kind, text, at } = this.token
    if (kind !== 'name' || this.isReserved(text)) throw this.unexpected('a variable')
    this.advance()
    return { kind: 'var', name: text, at }
  }

  /** A term with infix operators, `in` among them. */
  protected term(): Term {
    let left = this.#level(0)
    while (this.isKeyword('in')) {
      const at = this.advance().at
      left = operation('internal.member_2', [left, this.#level(0)], at)
    }
    return left
  }

  #level(level: number): Term {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#primary()
    let left = this.#level(level + 1)
    for (;;) {
      if (this.token.kind !== 'punctuation') return left
      const name = Object.hasOwn(operators, this.token.text)
        ? operators[this.token.text]
        : undefined
      if (name === undefined || (name === 'or' && this.#pipeEnds)) return left
      const at = this.advance().at
      left = operation(name, [left, this.#level(level + 1)], at)
    }
  }

  #primary(): Term {
    return this.nested(() => this.#postfix(this.#simple()))
  }

  #simple(): Term {
    const { token } = this
    switch (token.kind) {
      case 'number':
        this.advance()
        return { kind: 'scalar', value: token.number as RegoNumber, at: token.at }
      case 'string':
        this.advance()
        return { kind: 'scalar', value: token.text, at: token.at }
      case 'template':
        return this.#template()
      case 'name':
        return this.#name()
      case 'punctuation':
        return this.#bracketed()
      case 'end':
        throw this.unexpected('a term')
      default:
        return unreachable(token.kind)
    }
  }

  #name(): Term {
    const { text, at, dotAfter } = this.token
    if (dotAfter === true) {
      this.advance()
      return { kind: 'var', name: text, at }
    }
    if (text === 'true' || text === 'false') {
      this.advance()
      return { kind: 'scalar', value: text === 'true', at }
    }
    if (text === 'null') {
      this.advance()
      return { kind: 'scalar', value: null, at }
    }
    const next = this.peek()
    const isFunction = text === 'contains' && next.text === '(' && !next.spaceBefore
    if (this.isReserved(text) && !isFunction) throw this.unexpected('a term')
    this.advance()
    if (text === 'set' && this.isAdjacent('(') && this.peek().text === ')') {
      this.advance()
      this.advance()
      return { kind: 'set', items: [], at }
    }
    return { kind: 'var', name: text, at }
  }

  #bracketed(): Term {
    const { text, at } = this.token
    if (text === '[') return this.#array(at)
    if (text === '{') return this.#braces(at)
    if (text === '(') {
      this.advance()
      const inner = this.withPipes(() => this.#memberTerm())
      this.expect(')', 'to close the parenthesis')
      return inner
    }
    if (text === '-') {
      this.advance()
      if (this.token.kind !== 'number' || this.token.spaceBefore) {
        throw this.unexpected('a number after `-`')
      }
      return { kind: 'scalar', value: negate(this.advance().number as RegoNumber), at }
    }
    throw this.unexpected('a term')
  }

  /** References and calls that follow a term without white space. */
  #postfix(head: Term): Term {
    let term = head
    for (;;) {
      if (this.isAdjacent('.') || this.isAdjacent('[')) {
        term = { kind: 'ref', head: term, path: this.path(), at: head.at }
      } else if (this.isAdjacent('(')) {
        if (!isOperator(term)) throw this.unexpected('no call here')
        this.advance()
        const args = this.withPipes(() => this.terms(')'))
        term = { kind: 'call', operator: term, args, at: head.at }
      } else {
        return term
      }
    }
  }

  /** `.name` and `[term]`, as often as they follow. */
  protected path(): Term[] {
    const path: Term[] = []
    for (;;) {
      if (this.isAdjacent('.')) {
        this.advance()
        if (this.token.kind !== 'name') throw this.unexpected('a name after `.`')
        const { text, at } = this.advance()
        path.push({ kind: 'scalar', value: text, at })
      } else if (this.isAdjacent('[')) {
        this.advance()
        path.push(this.withPipes(() => this.term()))
        this.expect(']', 'after the key')
      } else {
        return path
      }
    }
  }

  /** Terms separated by commas, up to and with `close`; a comma may follow the last. */
  protected terms(close: string): Term[] {
    const terms: Term[] = []
    while (!this.accept(close)) {
      terms.push(this.term())
      if (!this.isPunctuation(close)) this.expect(',', `or \`${close}\` between terms`)
    }
    return terms
  }

  #array(at: Location): Term {
    this.advance()
    if (this.accept(']')) return { kind: 'array', items: [], at }
    const start = this.#mark()
    const first = this.#headTerm()
    const body = this.#comprehensionBody(']')
    if (body !== undefined) {
      return { kind: 'comprehension', of: 'array', head: first, body, at }
    }
    const items = this.#restOfList(first, start, ']')
    return { kind: 'array', items, at }
  }

  #braces(at: Location): Term {
    this.advance()
    if (this.accept('}')) return { kind: 'object', items: [], at }
    const start = this.#mark()
    const first = this.#headTerm()
    const isMember = this.accept(':')
    const second = isMember ? this.#headTerm() : undefined
    const body = this.#comprehensionBody('}')
    if (body !== undefined) {
      return second === undefined
        ? { kind: 'comprehension', of: 'set', head: first, body, at }
        : { kind: 'comprehension', of: 'object', key: first, head: second, body, at }
    }
    if (!this.isPunctuation('|')) {
      if (second !== undefined) return this.#object(first, second, at)
      if (!this.isPunctuation(':')) {
        return { kind: 'set', items: this.#restOfList(first, start, '}'), at }
      }
    }
    // A `|` that starts no body is the operator.
    this.restore(start.token, start.previous)
    return this.withPipes(() => {
      const head = this.term()
      if (this.accept(':')) return this.#object(head, this.term(), at)
      return { kind: 'set', items: [head, ...this.#moreOfList('}')], at }
    })
  }

  /** A first term, which a `|` behind it ends. */
  #headTerm(): Term {
    const before = this.#pipeEnds
    this.#pipeEnds = true
    try {
      return this.term()
    } finally {
      this.#pipeEnds = before
    }
  }

  #mark(): { token: Token; previous: Token } {
    return { token: this.token, previous: this.previous }
  }

  /** What follows `|`, where it can be read as a body: else nothing is consumed. */
  #comprehensionBody(close: string): Body | undefined {
    if (!this.isPunctuation('|')) return undefined
    return this.attempt(() => {
      this.advance()
      return this.withPipes(() => this.body(close))
    })
  }

  #restOfList(
    first: Term,
    start: { token: Token; previous: Token },
    close: string,
  ): Term[] {
    if (!this.isPunctuation('|')) return [first, ...this.#moreOfList(close)]
    this.restore(start.token, start.previous)
    return this.withPipes(() => this.terms(close))
  }

  #moreOfList(close: string): Term[] {
    if (this.accept(close)) return []
    this.expect(',', `or \`${close}\` between terms`)
    return this.withPipes(() => this.terms(close))
  }

  #object(firstKey: Term, firstValue: Term, at: Location): Term {
    const items: [Term, Term][] = [[firstKey, firstValue]]
    return this.withPipes(() => {
      while (!this.accept('}')) {
        this.expect(',', 'or `}` between the members of an object')
        if (this.accept('}')) break
        const key = this.term()
        this.expect(':', 'after an object key')
        items.push([key, this.term()])
      }
      return { kind: 'object', items, at }
    })
  }

  #template(): Term {
    const { text: quote, end, at } = this.token
    const parts: TemplatePart[] = []
    let offset = end
    for (;;) {
      const piece = this.lexer.templateText(offset, quote)
      if (piece.text !== '') parts.push({ kind: 'text', text: piece.text })
      this.jump(piece.end)
      if (!piece.open) return { kind: 'template', parts, at }
      parts.push({ kind: 'expression', literal: this.literal() })
      if (!this.isPunctuation('}')) throw this.unexpected('`}` after the expression')
      offset = this.token.end
    }
  }

  protected withPipes<T>(read: () => T): T {
    const before = this.#pipeEnds
    this.#pipeEnds = false
    try {
      return read()
    } finally {
      this.#pipeEnds = before
    }
  }
}

function operation(name: string, args: readonly Term[], at: Location): CallTerm {
  return { kind: 'call', operator: operatorNamed(name, at), args, at }
}

/** `internal.member_2` is a reference, as if it had been written. */
export function operatorNamed(name: string, at: Location): VarTerm | RefTerm {
  const [first = '', ...rest] = name.split('.')
  const head: VarTerm = { kind: 'var', name: first, at }
  if (rest.length === 0) return head
  return {
    kind: 'ref',
    head,
    path: rest.map((value) => ({ kind: 'scalar', value, at })),
    at,
  }
}

function isOperator(term: Term): term is VarTerm | RefTerm {
  if (term.kind === 'var') return true
  return (
    term.kind === 'ref' &&
    term.head.kind === 'var' &&
    term.path.every((part) => part.kind === 'scalar' && typeof part.value === 'string')
  )
}

function negate(number: RegoNumber): RegoNumber {
  if (typeof number === 'number') return 0 - number
  if (typeof number === 'bigint') return numberFromBigInt(-number)
  return numberFromText('-' + numberToText(number)) as RegoNumber
}
