/**
 * Case as Go maps it: character by character, one character for one. JavaScript's mapping is
 * the full one (`ß` becomes `SS`) and looks at neighbours.
 */

/** ASCII maps one for one in JavaScript too, and fast. */
const ASCII = /^[\0-\x7f]*$/

export function lowerCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  return mapEach(text, (char) =>
    char === 'İ' ? 'i' : oneForOne(char, char.toLowerCase()),
  )
}

export function upperCase(text: string): string {
  if (ASCII.test(text)) return text.toUpperCase()
  return mapEach(text, (char) => simpleUpper(char))
}

function simpleUpper(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x1f80 || code > 0x1fff) return oneForOne(char, char.toUpperCase())
  return iotaSubscript(code) ?? oneForOne(char, char.toUpperCase())
}

/** Greek with iota subscript: the full mapping is two letters, the simple one has its own. */
function iotaSubscript(code: number): string | undefined {
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3)
    return String.fromCodePoint(code + 9)
  const row = code >= 0x1f80 && code <= 0x1faf && (code & 8) === 0
  return row ? String.fromCodePoint(code + 8) : undefined
}

function oneForOne(char: string, mapped: string): string {
  const code = mapped.codePointAt(0) ?? 0
  return mapped.length === (code > 0xffff ? 2 : 1) ? mapped : char
}

function mapEach(text: string, change: (char: string) => string): string {
  let out = ''
  for (const char of text) out += change(char)
  return out
}
