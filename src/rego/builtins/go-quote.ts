/** Go's quoted strings and runes (`strconv.Quote`, `QuoteToASCII`, `QuoteRune`). */

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
])

/** One character that Go prints as it is: letters, marks, numbers, punctuation, symbols. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function quoteString(text: string, ascii: boolean): string {
  return quoteWith(text, '"', ascii)
}

export function quoteRune(rune: string, ascii: boolean): string {
  return quoteWith(rune, "'", ascii)
}

function quoteWith(text: string, mark: string, ascii: boolean): string {
  let out = mark
  for (const char of text) {
    if (char === mark) out += '\\' + mark
    else out += escapes.get(char) ?? (shows(char, ascii) ? char : escape(char))
  }
  return out + mark
}

function shows(char: string, ascii: boolean): boolean {
  return (!ascii || (char.codePointAt(0) ?? 0) < 0x80) && printable.test(char)
}

function escape(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x20 || code === 0x7f) return '\\x' + code.toString(16).padStart(2, '0')
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  if (code < 0x10000) return '\\u' + code.toString(16).padStart(4, '0')
  return '\\U' + code.toString(16).padStart(8, '0')
}
