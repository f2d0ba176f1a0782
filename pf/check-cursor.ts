/** Goes through the words of one statement of a pf text. Pure. */
import { isReservedWord } from './rules-names.js'
import type { Token } from './check-lexer.js'

/** What is wrong with a statement, and where. */
export class PfFault extends Error {
  readonly line: number

  constructor(line: number, wrong: string) {
    super(wrong)
    this.line = line
  }
}

export class Cursor {
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0

  /** `tokens` end with a newline. */
  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens
    this.#end = { kind: 'newline', text: 'the end of the line', line }
  }

  get line(): number {
    return this.peek().line
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#end
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  atEnd(): boolean {
    return this.peek().kind === 'newline'
  }

  /** Is the next one this keyword or sign? A quoted text is neither. */
  sees(...texts: readonly string[]): boolean {
    const { kind, text } = this.peek()
    return kind !== 'quoted' && kind !== 'newline' && texts.includes(text)
  }

  /** Takes it when it is next. */
  takes(...texts: readonly string[]): boolean {
    if (!this.sees(...texts)) return false
    this.#at++
    return true
  }

  needs(text: string): void {
    if (!this.takes(text)) this.unexpected(`'${text}'`)
  }

  /** A string: quoted, or a word that is no keyword. */
  string(what: string): string {
    const { kind, text } = this.peek()
    const plain = kind === 'word' && (text === 'self' || !isReservedWord(text))
    if (kind !== 'quoted' && !plain) this.unexpected(what)
    this.#at++
    return text
  }

  number(what: string, most: number): number {
    const { kind, text } = this.peek()
    if (kind !== 'number') this.unexpected(what)
    const value = Number(text)
    if (!(value >= 0 && value <= most))
      throw new PfFault(
        this.line,
        `${what} ${text.slice(0, 32)} is not within 0 to ${most}`,
      )
    this.#at++
    return value
  }

  /** One item, or several in braces with or without commas between them. */
  list<T>(item: () => T, mayBeEmpty = false): T[] {
    if (!this.takes('{')) return [item()]
    if (mayBeEmpty && this.takes('}')) return []
    const items: T[] = []
    do {
      items.push(item())
      // A comma asks for one more.
    } while (this.takes(',') || !this.takes('}'))
    return items
  }

  unexpected(wanted: string): never {
    const { kind, text, line } = this.peek()
    const found = kind === 'newline' ? 'the end of the line' : `'${text.slice(0, 64)}'`
    throw new PfFault(line, `syntax error: ${found} where ${wanted} must stand`)
  }

  fault(wrong: string): never {
    throw new PfFault(this.line, wrong)
  }
}
