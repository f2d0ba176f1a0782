/**
 * Values as text: JSON that keeps every digit of a number (`JSON.parse` does not), and Rego's
 * own notation as `print` and `%v` show it. No I/O.
 */
import { BigDecimal, numberFromText, numberToText } from './number.js'
import { ObjectBuilder, RegoObject, RegoSet } from './value.js'
import type { Value } from './value.js'

/** Nesting beyond which JSON text is refused. */
const MAX_DEPTH = 1000

/** Where and why JSON text is not JSON. */
export class JsonError extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.name = 'JsonError'
    this.offset = offset
  }
}

/** Reads one JSON text (RFC 8259). The last of duplicate keys wins. Throws JsonError. */
export function fromJsonText(text: string): Value {
  const reader = new JsonReader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw this.#error('exceeded max depth')
    this.#space()
    const char = this.#text[this.#at]
    if (char === undefined) throw this.#error('unexpected end of JSON input')
    if (char === '{') return this.#object(depth)
    if (char === '[') return this.#array(depth)
    if (char === '"') return this.#string()
    if (char === 't') return this.#word('true', true)
    if (char === 'f') return this.#word('false', false)
    if (char === 'n') return this.#word('null', null)
    return this.#number()
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value')
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #take(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #object(depth: number): Value {
    this.#at++
    const builder = new ObjectBuilder()
    if (this.#take('}')) return builder.build()
    do {
      this.#space()
      if (this.#text[this.#at] !== '"') {
        throw this.#unexpected('looking for beginning of object key string')
      }
      const key = this.#string()
      if (!this.#take(':')) throw this.#unexpected('after object key')
      builder.set(key, this.value(depth + 1))
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#unexpected('after object key:value pair')
    return builder.build()
  }

  #array(depth: number): Value {
    this.#at++
    const items: Value[] = []
    if (this.#take(']')) return items
    do items.push(this.value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#unexpected('after array element')
    return items
  }

  #string(): string {
    const start = this.#at
    let plain = true
    for (let i = start + 1; i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i)
      if (code === 0x22) {
        this.#at = i + 1
        if (plain) return this.#text.slice(start + 1, i)
        return this.#unescape(start, i + 1)
      }
      if (code < 0x20) {
        this.#at = i
        throw this.#unexpected('in string literal')
      }
      if (code === 0x5c) {
        plain = false
        i++
      }
    }
    this.#at = this.#text.length
    throw this.#error('unexpected end of JSON input')
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end)) as string
    } catch {
      this.#at = start
      throw this.#error('invalid character in string escape code')
    }
  }

  #word<T extends Value>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) {
      throw this.#unexpected(`in literal ${word}`)
    }
    this.#at += word.length
    return value
  }

  #number(): Value {
    const start = this.#at
    let end = start
    while (isNumberCode(this.#text.charCodeAt(end))) end++
    const number = numberFromText(this.#text.slice(start, end))
    if (number === undefined) throw this.#unexpected('looking for beginning of value')
    this.#at = end
    return number
  }

  #unexpected(where: string): JsonError {
    const char = this.#text[this.#at]
    if (char === undefined) return this.#error('unexpected end of JSON input')
    return this.#error(`invalid character '${char}' ${where}`)
  }

  #error(message: string): JsonError {
    return new JsonError(message, this.#at)
  }
}

function isNumberCode(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x45 ||
    code === 0x65
  )
}

/**
 * Compact JSON with every digit. Sets become arrays in order; keys that are no strings become
 * their JSON text.
 */
export function toJsonText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || value instanceof BigDecimal) return numberToText(value)
  if (value instanceof RegoSet) return `[${value.values().map(toJsonText).join(',')}]`
  if (value instanceof RegoObject) return objectText(value)
  return `[${value.map(toJsonText).join(',')}]`
}

function objectText(object: RegoObject): string {
  const parts: string[] = []
  for (const [key, value] of object.entries()) {
    const name = typeof key === 'string' ? key : toJsonText(key)
    parts.push(`${JSON.stringify(name)}:${toJsonText(value)}`)
  }
  return `{${parts.join(',')}}`
}

/** Rego's notation: `{"a": [1, 2]}`, `{1, 2}`, `set()`; strings quoted. */
export function regoToString(value: Value): string {
  if (typeof value === 'string') return quote(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || value instanceof BigDecimal) return numberToText(value)
  if (value instanceof RegoSet) {
    return value.size === 0 ? 'set()' : `{${value.values().map(regoToString).join(', ')}}`
  }
  if (value instanceof RegoObject) {
    const parts: string[] = []
    for (const [key, member] of value.entries()) {
      parts.push(`${regoToString(key)}: ${regoToString(member)}`)
    }
    return `{${parts.join(', ')}}`
  }
  return `[${value.map(regoToString).join(', ')}]`
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
])

/** A double-quoted string as Go's `%q` writes it: printable characters stay. */
export function quote(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`
  let out = '"'
  for (const char of text) {
    out +=
      ESCAPES.get(char) ??
      (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char) ? char : escaped(char))
  }
  return out + '"'
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x80) return '\\x' + code.toString(16).padStart(2, '0')
  if (code < 0x10000) return '\\u' + code.toString(16).padStart(4, '0')
  return '\\U' + code.toString(16).padStart(8, '0')
}
