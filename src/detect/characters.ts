/** What a character is, by its UTF-16 code. Pure. */

const DIGIT = 1
const LETTER = 2
const OTHER_WORD = 4
const KINDS = new Uint8Array(128)
for (let code = 0x30; code <= 0x39; code++) KINDS[code] = DIGIT
for (let code = 0x41; code <= 0x5a; code++) KINDS[code] = LETTER
for (let code = 0x61; code <= 0x7a; code++) KINDS[code] = LETTER
KINDS[0x5f] = OTHER_WORD

/** 1 a digit, 2 a letter of ASCII, 4 `_`, 0 else; NaN behind the end is 0. */
export function kindOf(code: number): number {
  return code < 128 ? (KINDS[code] as number) : 0
}

export function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function isAlnumCode(code: number): boolean {
  return (kindOf(code) & 3) !== 0
}

export function isWordCode(code: number): boolean {
  return kindOf(code) !== 0
}

/** A letter of any script: what stands beyond ASCII and is neither sign nor blank. */
export function isLetterCode(code: number): boolean {
  if (code < 128) return KINDS[code] === LETTER
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba
  if (code >= 0x2000 && code <= 0x2e7f) return false
  if (code >= 0x3000 && code <= 0x3004) return false
  if (code >= 0x3008 && code <= 0x3020) return false
  return code < 0xff00 || (code > 0xff20 && code < 0xfff0)
}
