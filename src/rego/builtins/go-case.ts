/**
 * Case as Go maps it: character by character, one character for one. JavaScript's mapping is
 * the full one (`ß` becomes `SS`) and looks at neighbours.
 */

/**
 * Of all characters, these alone have another small letter in JavaScript: `İ` two, and the
 * sigma at the end of a word its own. The others are mapped in one go, which is far faster than
 * one by one.
 */
export function lowerCase(text: string): string {
  return text.replaceAll('İ', 'i').replaceAll('Σ', 'σ').toLowerCase()
}

/** Only of these may the full mapping be more than one letter, or another one. */
const FULL =
  /[\u00df\u0149\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1f50-\u1fff\u1f80-\u1faf\ufb00-\ufb17]+/g

export function upperCase(text: string): string {
  let upper = ''
  let at = 0
  for (const { 0: run, index } of text.matchAll(FULL)) {
    upper += text.slice(at, index).toUpperCase() + mapEach(run, simpleUpper)
    at = index + run.length
  }
  return upper + text.slice(at).toUpperCase()
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
