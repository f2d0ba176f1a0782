/**
 * Text to tokens, one at a time and from any offset: the parser asks, and goes back where
 * Rego needs it. Knows the shapes of tokens; keywords and meaning are the parser's.
 */
import { LoadError } from './errors.js'
import { numberFromText } from './number.js'
import type { RegoNumber } from './number.js'
import type { Comment, Location } from './ast.js'

export type TokenKind = 'name' | 'number' | 'string' | 'template' | 'punctuation' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** The name, the punctuation, the string's value; for a template its opening quote. */
  readonly text: string
  readonly number?: RegoNumber
  readonly start: number
  readonly end: number
  readonly at: Location
  readonly spaceBefore: boolean
  readonly newlineBefore: boolean
  /** A dot follows at once: even a keyword is then a name (`if.x`). */
  readonly dotAfter?: boolean
}

/** Longest first. */
const PUNCTUATION = [
  ':=',
  '==',
  '!=',
  '<=',
  '>=',
  ...['{', '}', '[', ']', '(', ')', ',', ';', ':', '.', '|', '&'],
  ...['+', '-', '*', '/', '%', '=', '<', '>'],
]

const NUMBER = /(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y

export class Lexer {
  readonly #text: string
  readonly #lineStarts: number[] = [0]
  readonly comments = new Map<number, Comment>()

  constructor(text: string) {
    this.#text = text
    for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) {
      this.#lineStarts.push(i + 1)
    }
  }

  /** The token at or after `offset`. */
  next(offset: number): Token {
    const start = this.#skip(offset)
    const spaceBefore = start > offset
    const shared = {
      start,
      at: this.locate(start),
      spaceBefore,
      newlineBefore: spaceBefore && this.#text.slice(offset, start).includes('\n'),
    }
    const text = this.#text
    if (start >= text.length) return { kind: 'end', text: '', end: start, ...shared }
    const name = match(NAME, text, start)
    if (name !== undefined) {
      const end = start + name.length
      return { kind: 'name', text: name, end, dotAfter: text[end] === '.', ...shared }
    }
    const char = text[start] as string
    if (char >= '0' && char <= '9') return { ...this.#number(start), ...shared }
    if (char === '"') {
      const end = this.#stringEnd(start)
      return { kind: 'string', text: this.#unquote(start, end), end, ...shared }
    }
    if (char === '`') {
      const end = text.indexOf('`', start + 1)
      if (end === -1) throw this.error('non-terminated string', start)
      return { kind: 'string', text: text.slice(start + 1, end), end: end + 1, ...shared }
    }
    const second = text[start + 1]
    if (char === '$' && (second === '"' || second === '`')) {
      return { kind: 'template', text: second, end: start + 2, ...shared }
    }
    const punctuation = PUNCTUATION.find((p) => text.startsWith(p, start))
    if (punctuation === undefined) {
      throw this.error(`illegal token: illegal character '${char}'`, start)
    }
    return {
      kind: 'punctuation',
      text: punctuation,
      end: start + punctuation.length,
      ...shared,
    }
  }

  /**
   * Text of a template from `offset` to the next `{` or to its closing `quote`; `end` is the
   * offset behind that character.
   */
  templateText(
    offset: number,
    quote: string,
  ): { text: string; open: boolean; end: number } {
    let text = ''
    let from = offset
    for (let i = offset; i < this.#text.length; i++) {
      const char = this.#text[i]
      if (char === quote || char === '{') {
        text += this.#templatePiece(from, i, quote)
        return { text, open: char === '{', end: i + 1 }
      }
      if (char === '\n' && quote === '"') break
      if (char !== '\\') continue
      const second = this.#text[i + 1]
      if (second === '{') {
        text += this.#templatePiece(from, i, quote) + second
        from = i + 2
        i++
      } else if (quote === '"') {
        i++
      }
    }
    throw this.error('non-terminated string', offset)
  }

  #templatePiece(from: number, to: number, quote: string): string {
    const raw = this.#text.slice(from, to)
    return quote === '`' ? raw : this.#unescape(`"${raw}"`, from)
  }

  locate(offset: number): Location {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] as number) + 1 }
  }

  error(message: string, offset: number): LoadError {
    return new LoadError('rego_parse_error', message, this.locate(offset))
  }

  /** Behind white space and comments. */
  #skip(offset: number): number {
    let at = offset
    for (;;) {
      const code = this.#text.charCodeAt(at)
      if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) {
        at++
      } else if (code === 0x23) {
        const end = this.#text.indexOf('\n', at)
        const stop = end === -1 ? this.#text.length : end
        if (!this.comments.has(at)) {
          const text = this.#text.slice(at + 1, stop)
          this.comments.set(at, { text, at: this.locate(at) })
        }
        at = stop
      } else {
        return at
      }
    }
  }

  #number(start: number): {
    kind: 'number'
    text: string
    number: RegoNumber
    end: number
  } {
    const text = match(NUMBER, this.#text, start) as string
    const end = start + text.length
    const after = this.#text[end]
    if (after !== undefined && /[A-Za-z0-9_]/.test(after)) {
      throw this.error('illegal number format', start)
    }
    const number = numberFromText(text)
    if (number === undefined) throw this.error('illegal number format', start)
    return { kind: 'number', text, number, end }
  }

  #stringEnd(start: number): number {
    for (let i = start + 1; i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i)
      if (code === 0x22) return i + 1
      if (code === 0x0a) break
      if (code === 0x5c) i++
    }
    throw this.error('non-terminated string', start)
  }

  #unquote(start: number, end: number): string {
    return this.#unescape(this.#text.slice(start, end), start)
  }

  #unescape(quoted: string, offset: number): string {
    if (!quoted.includes('\\') && !hasControl(quoted)) return quoted.slice(1, -1)
    try {
      return JSON.parse(quoted.replaceAll('\t', '\\t')) as string
    } catch {
      throw this.error('illegal string: invalid escape sequence', offset)
    }
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true
  return false
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
