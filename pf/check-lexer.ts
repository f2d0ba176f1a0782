/**
 * Words of a pf text as pf's own lexer cuts them: strings, numbers, signs, ends of lines;
 * comments and continued lines are gone, macros stand for their text. Pure.
 */

export type TokenKind = 'word' | 'quoted' | 'number' | 'sign' | 'newline' | 'end'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** From 1. */
  readonly line: number
}

export interface LexFault {
  readonly line: number
  readonly wrong: string
}

/** Longest text, and most words after macros are put in. */
export const MAX_TEXT_BYTES = 256 * 1024
const MAX_TOKENS = 100_000

const TWO_SIGNS = ['->', '<=', '>=', '!=', '<>', '><']
const ONE_SIGN = '(){}<>!=/,-+*|&'

export class Lexer {
  readonly macros = new Map<string, string>()
  readonly faults: LexFault[] = []
  #text: string
  #at = 0
  #line = 1
  /** Up to here the text is a macro's own: pf replaces nothing in it. */
  #replacedTo = 0

  /** `$name` is replaced by what `macros` says at the time it is met. */
  constructor(text: string) {
    this.#text = text
  }

  *tokens(): Generator<Token, void> {
    for (let made = 0; this.#at < this.#text.length; made++) {
      if (made > MAX_TOKENS) {
        this.#fault('is too long to be looked at')
        break
      }
      const token = this.#next()
      if (token !== undefined) yield token
    }
    yield { kind: 'end', text: 'the end', line: this.#line }
  }

  /** Undefined where nothing is read: white space, a comment, a macro. */
  #next(): Token | undefined {
    const text = this.#text
    const c = text[this.#at] as string
    if (c === '\n') {
      this.#at++
      return { kind: 'newline', text: 'the end of the line', line: this.#line++ }
    }
    if (c === ' ' || c === '\t') this.#at++
    else if (c === '\\' && text[this.#at + 1] === '\n') {
      this.#line++
      this.#at += 2
    } else if (c === '#') this.#at = lineEnd(text, this.#at)
    else if (c === '"' || c === "'") return this.#quoted()
    else if (c === '$') this.#replace()
    else return this.#plain()
    return undefined
  }

  #quoted(): Token | undefined {
    const start = this.#at + 1
    const end = closing(this.#text, this.#at)
    this.#at = end === undefined ? lineEnd(this.#text, start) : end + 1
    if (end !== undefined)
      return { kind: 'quoted', text: this.#text.slice(start, end), line: this.#line }
    this.#fault('a quote is not closed')
    return undefined
  }

  #plain(): Token {
    const token = plain(this.#text, this.#at, this.#line)
    this.#at += token?.text.length ?? 1
    if (token !== undefined) return token
    const text = this.#text[this.#at - 1] as string
    this.#fault(`${JSON.stringify(text)} has no meaning here`)
    return { kind: 'sign', text, line: this.#line }
  }

  /** What follows directly joins the macro's text: `$if:network` is `em1:network`. */
  #replace(): void {
    const end = wordEnd(this.#text, this.#at + 1, (c) => /\w/.test(c))
    const name = this.#text.slice(this.#at + 1, end).slice(0, 64)
    const value = this.macros.get(name)
    const nested = this.#at < this.#replacedTo
    if (nested) this.#fault(`$${name} inside quotes is not replaced`)
    else if (value === undefined) this.#fault(`macro '${name}' is not defined`)
    if (nested || value === undefined) {
      this.#at = end
      return
    }
    this.#text = value + this.#text.slice(end)
    this.#at = 0
    this.#replacedTo = value.length
  }

  #fault(wrong: string): void {
    this.faults.push({ line: this.#line, wrong })
  }
}

function lineEnd(text: string, from: number): number {
  const next = text.indexOf('\n', from)
  return next < 0 ? text.length : next
}

function closing(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === text[open]) return at
    if (text[at] === '\n') return undefined
  }
  return undefined
}

function plain(text: string, at: number, line: number): Token | undefined {
  const two = text.slice(at, at + 2)
  if (TWO_SIGNS.includes(two)) return { kind: 'sign', text: two, line }
  const c = text[at] as string
  const negative = c === '-' && /\d/.test(text[at + 1] ?? '')
  if (!negative && ONE_SIGN.includes(c)) return { kind: 'sign', text: c, line }
  if (!negative && !/[\w:]/.test(c)) return undefined
  const end = wordEnd(text, negative ? at + 1 : at, inWord)
  const word = text.slice(at, end)
  const number = /^-?\d+$/.test(word)
  return { kind: number ? 'number' : 'word', text: word, line }
}

function wordEnd(text: string, from: number, takes: (c: string) => boolean): number {
  let at = from
  while (at < text.length && takes(text[at] as string)) at++
  return at
}

/** Letters, digits and every sign that is not one of pf's own. */
function inWord(c: string): boolean {
  return /[\w.:;@%^&*+?[\]|~`'"$\\-]/.test(c)
}
