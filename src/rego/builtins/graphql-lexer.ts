/** Tokens of GraphQL documents (GraphQL specification, October 2021, §2.1). */
import { refuse } from './define.js'

export type TokenKind =
  'punctuator' | 'name' | 'int' | 'float' | 'string' | 'block-string' | 'end'

export type Token = {
  readonly kind: TokenKind
  /** Strings are without quotes and escapes. */
  readonly text: string
  readonly offset: number
}

const pattern =
  /([\s,\ufeff]+|#[^\n\r]*)|(\.\.\.|[!$&():=@[\]{|}])|([_A-Za-z][_0-9A-Za-z]*)|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![_0-9A-Za-z.])/y

/** All tokens, and one for the end. */
export function tokenizeGraphql(text: string): Token[] {
  const tokens: Token[] = []
  let offset = 0
  while (offset < text.length) {
    if (text[offset] === '"') {
      const { token, end } = readString(text, offset)
      tokens.push(token)
      offset = end
      continue
    }
    pattern.lastIndex = offset
    const match = pattern.exec(text)
    if (match === null)
      return failAt(
        text,
        offset,
        `Cannot parse the unexpected character ${quoted(text, offset)}`,
      )
    const [whole, blank, punctuator, name] = match
    if (blank === undefined) {
      const number: TokenKind = /[.eE]/.test(whole) ? 'float' : 'int'
      const kind =
        punctuator !== undefined ? 'punctuator' : name !== undefined ? 'name' : number
      tokens.push({ kind, text: whole, offset })
    }
    offset += whole.length
  }
  tokens.push({ kind: 'end', text: '', offset: text.length })
  return tokens
}

function quoted(text: string, offset: number): string {
  return JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0))
}

/** Refuses with line and column, both from 1. */
export function failAt(text: string, offset: number, message: string): never {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  return refuse(`${message} in GraphQL string at location ${line}:${column}`)
}

function readString(text: string, offset: number): { token: Token; end: number } {
  if (text.startsWith('"""', offset)) return readBlockString(text, offset)
  let value = ''
  let at = offset + 1
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"')
      return { token: { kind: 'string', text: value, offset }, end: at + 1 }
    if (char === '\n' || char === '\r') break
    if (char !== '\\') {
      value += char
      continue
    }
    const escape = readEscape(text, at)
    value += escape.text
    at = escape.end - 1
  }
  return failAt(text, at, 'Unterminated string')
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

function readEscape(text: string, at: number): { text: string; end: number } {
  const char = text.charAt(at + 1)
  const simple = escapes.get(char)
  if (simple !== undefined) return { text: simple, end: at + 2 }
  const code = text.slice(at + 2, at + 6)
  if (char === 'u' && /^[0-9a-fA-F]{4}$/.test(code))
    return { text: String.fromCharCode(parseInt(code, 16)), end: at + 6 }
  return failAt(text, at, 'Invalid character escape sequence')
}

function readBlockString(text: string, offset: number): { token: Token; end: number } {
  let end = text.indexOf('"""', offset + 3)
  while (end > 0 && text[end - 1] === '\\') end = text.indexOf('"""', end + 3)
  if (end < 0) return failAt(text, text.length, 'Unterminated string')
  const raw = text.slice(offset + 3, end).replaceAll('\\"""', '"""')
  return { token: { kind: 'block-string', text: unindent(raw), offset }, end: end + 3 }
}

/** Common indentation and blank lines at both ends are left out (§2.9.4). */
function unindent(raw: string): string {
  const lines = raw.split(/\r\n|\n|\r/)
  const indents = lines.slice(1).flatMap((line) => {
    const width = line.length - line.trimStart().length
    return width < line.length ? [width] : []
  })
  const indent = indents.length === 0 ? 0 : Math.min(...indents)
  const cut = lines.map((line, index) => (index === 0 ? line : line.slice(indent)))
  const isBlank = (line: string | undefined): boolean => line?.trim() === ''
  while (isBlank(cut[0])) cut.shift()
  while (isBlank(cut.at(-1))) cut.pop()
  return cut.join('\n')
}
