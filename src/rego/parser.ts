/**
 * Modules and rules. One syntax error ends the reading of a module: it is thrown as a
 * LoadError with line, column, what was found and what was expected.
 */
import { LoadError } from './errors.js'
import { TermParser } from './term-parser.js'
import { FUTURE_KEYWORDS } from './token-reader.js'
import type {
  Body,
  ElseBranch,
  Head,
  Import,
  Module,
  RegoVersion,
  Rule,
  Term,
  VarTerm,
} from './ast.js'

/** A text that is longer is refused: bytes do not matter here, UTF-16 units do. */
const MAX_MODULE_LENGTH = 4 * 1024 * 1024

export function parseModule(file: string, text: string, version: RegoVersion): Module {
  if (text.length > MAX_MODULE_LENGTH) {
    throw new LoadError('rego_parse_error', 'the module is longer than 4 MiB', {
      line: 1,
      column: 1,
    })
  }
  return new ModuleParser(text, version).module(file)
}

/** A query: the literals of a body, with all keywords. */
export function parseQuery(text: string, version: RegoVersion = 'v1'): Body {
  return new ModuleParser(text, version).wholeQuery()
}

class ModuleParser extends TermParser {
  #version: RegoVersion

  constructor(text: string, version: RegoVersion) {
    super(text, version === 'v1' ? FUTURE_KEYWORDS : [])
    this.#version = version
  }

  wholeQuery(): Body {
    return this.query()
  }

  module(file: string): Module {
    const packageAt = this.token.at
    if (!this.#statement('package')) throw this.unexpected('`package`')
    const path = this.#packagePath()
    const imports: Import[] = []
    const rules: Rule[] = []
    while (!this.atEnd()) {
      if (!this.token.newlineBefore && !this.isPunctuation(';')) {
        throw this.unexpected('a new line')
      }
      while (this.accept(';'));
      if (this.atEnd()) break
      if (this.#statement('import')) imports.push(this.#import())
      else rules.push(...this.#rules())
    }
    const version = this.#version
    const comments = [...this.lexer.comments.values()]
    return { file, version, package: path, packageAt, imports, rules, comments }
  }

  /** The keyword that starts a statement, unless it is the name of a rule (`import.x := 1`). */
  #statement(word: string): boolean {
    if (!this.isKeyword(word)) return false
    const next = this.peek()
    if (!next.spaceBefore && (next.text === '.' || next.text === '[')) return false
    this.advance()
    return true
  }

  #packagePath(): string[] {
    if (this.token.kind !== 'name') throw this.unexpected('a name after `package`')
    const first = this.advance().text
    return [first, ...this.#strings()]
  }

  #strings(): string[] {
    const at = this.token.at
    return this.path().map((part) => {
      if (part.kind !== 'scalar' || typeof part.value !== 'string') {
        throw new LoadError(
          'rego_parse_error',
          'expected names or strings in the path',
          at,
        )
      }
      return part.value
    })
  }

  #import(): Import {
    const at = this.token.at
    if (this.token.kind !== 'name') throw this.unexpected('a path after `import`')
    const path = [this.advance().text, ...this.#strings()]
    const alias = this.acceptKeyword('as') ? this.variable().name : undefined
    this.#applyImport(path)
    return alias === undefined ? { path, at } : { path, alias, at }
  }

  #applyImport(path: readonly string[]): void {
    const [root, second] = path
    if (root === 'rego') {
      if (path.length !== 2 || second !== 'v1') throw this.error('invalid import of rego')
      this.#version = 'v1'
      for (const word of FUTURE_KEYWORDS) this.keywords.add(word)
    } else if (root === 'future') {
      const words = path.length === 2 ? FUTURE_KEYWORDS : path.slice(2)
      if (second !== 'keywords' || path.length > 3) throw this.error('invalid import')
      for (const word of words) {
        if (!FUTURE_KEYWORDS.includes(word)) {
          throw this.error(`unexpected keyword \`${word}\` in import`)
        }
        this.keywords.add(word)
      }
    } else if (root !== 'data' && root !== 'input') {
      throw this.error('an import must begin with `data`, `input`, `future` or `rego`')
    }
  }

  #rules(): Rule[] {
    const at = this.token.at
    const isDefault = this.#statement('default')
    const head = this.#head()
    if (isDefault) {
      if (head.value === undefined) throw this.unexpected('a value for the default rule')
      return [{ isDefault, head, body: [], elses: [], at }]
    }
    const hasIf = this.acceptKeyword('if')
    if (!hasIf && !this.isPunctuation('{')) return [this.#fact(head, at)]
    if (!hasIf && this.#version === 'v1') {
      throw this.unexpected('`if` before the body of a rule')
    }
    const body = this.#ruleBody(hasIf)
    const finished = this.#version === 'v0' && !hasIf ? asSetRule(head) : head
    const rules: Rule[] = [
      { isDefault, head: finished, body, elses: this.#elses(finished), at },
    ]
    while (!hasIf && rules[0]?.elses.length === 0 && this.isPunctuation('{')) {
      const next = this.token.at
      rules.push({
        isDefault,
        head: finished,
        body: this.#ruleBody(false),
        elses: [],
        at: next,
      })
    }
    return rules
  }

  /** A rule without a body. */
  #fact(head: Head, at: Rule['at']): Rule {
    const finished = this.#version === 'v0' ? asSetRule(head) : head
    if (finished.value === undefined && finished.member === undefined) {
      throw this.unexpected('`:=`, `contains`, `if` or a body after the head of a rule')
    }
    const elses = this.isKeyword('else') ? this.#elses(finished) : []
    return { isDefault: false, head: finished, body: [], elses, at }
  }

  #head(): Head {
    const at = this.token.at
    const name = this.#ruleName()
    const path = this.path()
    let head: Head = { name, path, at }
    if (this.isAdjacent('(')) {
      this.advance()
      head = { ...head, args: this.terms(')') }
    }
    if (this.isKeyword('contains')) {
      this.advance()
      if (head.args !== undefined) throw this.error('a function cannot use `contains`')
      return { ...head, member: this.term() }
    }
    if (this.accept(':=') || this.accept('=')) return { ...head, value: this.term() }
    return head
  }

  #ruleName(): VarTerm {
    const { kind, text, at } = this.token
    if (kind !== 'name') throw this.unexpected('a rule')
    const next = this.peek()
    const continues = !next.spaceBefore && (next.text === '.' || next.text === '[')
    if (this.isReserved(text) && !continues) throw this.unexpected('the name of a rule')
    this.advance()
    return { kind: 'var', name: text, at }
  }

  #ruleBody(hasIf: boolean): Body {
    if (!this.isPunctuation('{')) return [this.literal()]
    if (!hasIf) {
      this.advance()
      return this.body('}')
    }
    const { token, previous } = this
    try {
      this.advance()
      const body = this.body('}')
      // `if {"a", "b"} == input.x` starts like a body and is a literal.
      if (!this.#continuesTerm()) return body
    } catch (cause) {
      if (!(cause instanceof LoadError)) throw cause
      this.restore(token, previous)
      const literal = this.attempt(() => this.literal())
      if (literal === undefined) throw cause
      return [literal]
    }
    this.restore(token, previous)
    return [this.literal()]
  }

  #continuesTerm(): boolean {
    if (this.token.newlineBefore || this.token.kind !== 'punctuation') return false
    return !['}', ';'].includes(this.token.text)
  }

  #elses(head: Head): ElseBranch[] {
    const branches: ElseBranch[] = []
    while (this.isKeyword('else')) {
      if (head.member !== undefined || head.path.some((part) => part.kind === 'var')) {
        throw this.error('`else` needs a rule with one value')
      }
      const at = this.advance().at
      const value = this.accept(':=') || this.accept('=') ? this.term() : undefined
      const hasIf = this.acceptKeyword('if')
      const hasBody = hasIf || this.isPunctuation('{')
      if (hasBody && !hasIf && this.#version === 'v1') {
        throw this.unexpected('`if` before the body of `else`')
      }
      if (!hasBody && value === undefined)
        throw this.unexpected('a value or body of `else`')
      const body = hasBody ? this.#ruleBody(hasIf) : []
      branches.push(value === undefined ? { body, at } : { value, body, at })
    }
    return branches
  }
}

/** In v0 `p[x]` without a value is a set. */
function asSetRule(head: Head): Head {
  if (head.path.length !== 1 || head.value !== undefined || head.member !== undefined) {
    return head
  }
  if (head.args !== undefined) return head
  return { name: head.name, path: [], member: head.path[0] as Term, at: head.at }
}
