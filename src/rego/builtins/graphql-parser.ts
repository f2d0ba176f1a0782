/**
 * What queries and schemas of GraphQL have in common: types, values, arguments, directives. The
 * trees have the member names of gqlparser's, without what is empty.
 */
import { objectOf } from '../value.js'
import type { RegoObject, Value } from '../value.js'
import { failAt, tokenizeGraphql } from './graphql-lexer.js'
import type { Token } from './graphql-lexer.js'

/** Nesting beyond which a document is refused. */
export const maxGraphqlDepth = 200

/** An object of the members that are there: lists without members are not. */
export function node(members: Readonly<Record<string, Value | undefined>>): RegoObject {
  const kept: [Value, Value][] = []
  for (const [name, value] of Object.entries(members))
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      kept.push([name, value])
  return objectOf(kept)
}

/** Numbers that gqlparser gives the kinds of values. */
const kinds = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const

export class GraphqlParser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokenizeGraphql(text)
  }

  get token(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', offset: this.#text.length }
  }

  /** Runs `work` one level deeper. */
  nested<T>(work: () => T): T {
    if (++this.#depth > maxGraphqlDepth)
      failAt(this.#text, this.token.offset, 'nested too deeply')
    const result = work()
    this.#depth--
    return result
  }

  is(text: string): boolean {
    return this.token.kind === 'punctuator' && this.token.text === text
  }

  isName(text?: string): boolean {
    return this.token.kind === 'name' && (text === undefined || this.token.text === text)
  }

  skip(text: string): boolean {
    if (!this.is(text)) return false
    this.#at++
    return true
  }

  skipName(text: string): boolean {
    if (!this.isName(text)) return false
    this.#at++
    return true
  }

  next(): Token {
    const token = this.token
    this.#at++
    return token
  }

  expect(text: string): void {
    if (!this.skip(text)) this.#fail(`Expected ${text}, found ${this.#found()}`)
  }

  expectName(text?: string): string {
    if (!this.isName(text))
      this.#fail(
        `Expected ${text === undefined ? 'Name' : `"${text}"`}, found ${this.#found()}`,
      )
    return this.next().text
  }

  /** Refuses the document at a token: by default the one that is next. */
  unexpected(at = this.token): never {
    const { kind, text } = at
    const label =
      kind === 'name'
        ? `Name ${JSON.stringify(text)}`
        : kind === 'string' || kind === 'block-string'
          ? `String ${JSON.stringify(text)}`
          : this.#found()
    return this.#fail(`Unexpected ${label}`, at)
  }

  #found(): string {
    return this.token.kind === 'end' ? '<EOF>' : this.token.text
  }

  #fail(message: string, at = this.token): never {
    const text = at.kind === 'string' ? 1 : 0
    return failAt(this.#text, at.offset + text, message)
  }

  /** At least one member between marks; none at all when the first mark is not there. */
  some<T>(open: string, close: string, read: () => T): T[] {
    if (!this.skip(open)) return []
    const members: T[] = []
    this.nested(() => {
      while (!this.skip(close)) {
        if (this.token.kind === 'end') this.#fail(`Expected ${close}, found <EOF>`)
        members.push(read())
      }
    })
    if (members.length === 0) {
      this.#at--
      this.#fail(`expected at least one definition, found ${close}`)
    }
    return members
  }

  type(): RegoObject {
    return this.nested(() => {
      let elem: RegoObject | undefined
      let name = ''
      if (this.skip('[')) {
        elem = this.type()
        this.expect(']')
      } else {
        name = this.expectName()
      }
      return node({ Elem: elem, NamedType: name, NonNull: this.skip('!') })
    })
  }

  directives(constant: boolean): Value[] {
    const directives: Value[] = []
    while (this.skip('@')) {
      const name = this.expectName()
      directives.push(
        node({ Arguments: this.arguments(constant), Location: '', Name: name }),
      )
    }
    return directives
  }

  arguments(constant: boolean): Value[] {
    return this.some('(', ')', () => this.#member(constant))
  }

  #member(constant: boolean): RegoObject {
    const name = this.expectName()
    this.expect(':')
    return node({ Name: name, Value: this.value(constant) })
  }

  value(constant: boolean): RegoObject {
    return this.nested(() => this.#value(constant))
  }

  #value(constant: boolean): RegoObject {
    const { kind, text } = this.token
    switch (kind) {
      case 'int':
      case 'float':
      case 'string':
        this.#at++
        return scalar(kinds[kind], text)
      case 'block-string':
        this.#at++
        return scalar(kinds.block, text)
      case 'name':
        this.#at++
        return scalar(nameKind(text), text)
      case 'punctuator':
        return this.#compound(text, constant)
      case 'end':
        return this.unexpected()
    }
  }

  #compound(mark: string, constant: boolean): RegoObject {
    if (mark === '$' && !constant) {
      this.#at++
      return scalar(kinds.variable, this.expectName())
    }
    if (mark !== '[' && mark !== '{') return this.unexpected()
    this.#at++
    const list = mark === '['
    const children: Value[] = []
    while (!this.skip(list ? ']' : '}'))
      children.push(
        list ? node({ Name: '', Value: this.value(constant) }) : this.#member(constant),
      )
    return node({
      Children: children,
      ExpectedTypeHasDefault: false,
      Kind: list ? kinds.list : kinds.object,
      Raw: '',
    })
  }

  /** `$name: Type = default @directive` */
  variables(): Value[] {
    return this.some('(', ')', () => {
      this.expect('$')
      const variable = this.expectName()
      this.expect(':')
      const type = this.type()
      return node({
        DefaultValue: this.skip('=') ? this.value(true) : undefined,
        Directives: this.directives(true),
        Type: type,
        Used: false,
        Variable: variable,
      })
    })
  }
}

function scalar(kind: number, raw: string): RegoObject {
  return node({ ExpectedTypeHasDefault: false, Kind: kind, Raw: raw })
}

function nameKind(name: string): number {
  if (name === 'true' || name === 'false') return kinds.boolean
  return name === 'null' ? kinds.null : kinds.enum
}
