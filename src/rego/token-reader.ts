/**
 * One token of look-ahead over the lexer, with going back, and the errors that say what was
 * found and what was expected. The parsers stand on it.
 */
import { LoadError } from './errors.js'
import { Lexer } from './lexer.js'
import type { Token } from './lexer.js'

/**
 * Tokens read for each character of the text: readings that went wrong are read again in
 * another way, and a text made for it could double that at every bracket.
 */
const MAX_READS_PER_CHARACTER = 16
const MIN_READS = 4_000

/** Nesting of terms and bodies beyond which a text is refused. */
const MAX_DEPTH = 200

const RESERVED: ReadonlySet<string> = new Set([
  ...['as', 'default', 'else', 'false', 'import', 'not', 'null', 'package'],
  ...['some', 'true', 'with'],
])

/** Reserved in v1; in v0 where a module imports them. */
export const FUTURE_KEYWORDS: readonly string[] = ['contains', 'every', 'if', 'in']

export class TokenReader {
  protected readonly lexer: Lexer
  protected token: Token
  /** Where the token before this one ended. */
  protected previous: Token
  protected readonly keywords: Set<string>
  #depth = 0
  #reads: number
  /** Readings under way whose errors only say to read in another way. */
  #attempts = 0
  #lost: LoadError | undefined

  constructor(text: string, futureKeywords: readonly string[]) {
    this.lexer = new Lexer(text)
    this.#reads = MIN_READS + MAX_READS_PER_CHARACTER * text.length
    this.keywords = new Set(futureKeywords)
    this.token = this.lexer.next(0)
    this.previous = this.token
  }

  protected advance(): Token {
    const token = this.token
    if (--this.#reads < 0) {
      throw this.#errorHere('too many readings of the text are possible')
    }
    this.previous = token
    this.token = this.lexer.next(token.end)
    return token
  }

  /** Continues behind `offset`, which the caller has read itself. */
  protected jump(offset: number): void {
    this.previous = { ...this.token, end: offset }
    this.token = this.lexer.next(offset)
  }

  /** The token after this one. */
  protected peek(): Token {
    return this.lexer.next(this.token.end)
  }

  /** `read`'s result, or undefined with nothing consumed when it finds a syntax error. */
  protected attempt<T>(read: () => T): T | undefined {
    const { token, previous } = this
    const depth = this.#depth
    this.#attempts++
    try {
      return read()
    } catch (cause) {
      if (!(cause instanceof LoadError) || this.#reads < 0) throw cause
      this.token = token
      this.previous = previous
      this.#depth = depth
      return undefined
    } finally {
      this.#attempts--
    }
  }

  /** Goes back to a token that was read before. */
  protected restore(token: Token, previous: Token): void {
    this.token = token
    this.previous = previous
  }

  protected nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw this.error('nested too deeply')
    const value = read()
    this.#depth--
    return value
  }

  protected atEnd(): boolean {
    return this.token.kind === 'end'
  }

  protected isPunctuation(text: string): boolean {
    return this.token.kind === 'punctuation' && this.token.text === text
  }

  /** Punctuation without white space before it, as references and calls need. */
  protected isAdjacent(text: string): boolean {
    return !this.token.spaceBefore && this.isPunctuation(text)
  }

  protected accept(text: string): boolean {
    if (!this.isPunctuation(text)) return false
    this.advance()
    return true
  }

  protected expect(text: string, context: string): void {
    if (!this.accept(text)) throw this.unexpected(`\`${text}\` ${context}`)
  }

  protected isKeyword(word: string): boolean {
    return (
      this.token.kind === 'name' &&
      this.token.text === word &&
      this.token.dotAfter !== true &&
      (RESERVED.has(word) || this.keywords.has(word))
    )
  }

  protected acceptKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false
    this.advance()
    return true
  }

  protected isReserved(name: string): boolean {
    return RESERVED.has(name) || this.keywords.has(name)
  }

  protected unexpected(expected: string): LoadError {
    const found =
      this.token.kind === 'end'
        ? 'end of text'
        : this.token.kind === 'string'
          ? 'a string'
          : `\`${this.token.text}\``
    return this.error(`unexpected ${found}: expected ${expected}`)
  }

  /** In an attempt one error stands for all: nobody reads it, and each costs a stack trace. */
  protected error(message: string): LoadError {
    if (this.#attempts === 0) return this.#errorHere(message)
    return (this.#lost ??= this.#errorHere(message))
  }

  #errorHere(message: string): LoadError {
    return new LoadError('rego_parse_error', message, this.token.at)
  }
}
