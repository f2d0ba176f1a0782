/** Which bytes may stand where in HTTP/1.1, as tables of 256. RFC 9110 §5.5, §5.6.2. Pure. */

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const QUOTE = 0x22
export const HASH = 0x23
export const ASTERISK = 0x2a
export const SLASH = 0x2f
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d
export const BACKSLASH = 0x5c

function tableOf(isIn: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isIn(byte) ? 1 : 0))
}

const TOKEN_MARKS = "!#$%&'*+-.^_`|~"

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isAlpha(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}

/** `tchar`: names of methods, fields and chunk extensions. */
export const TOKEN = tableOf(
  (byte) =>
    isDigit(byte) || isAlpha(byte) || TOKEN_MARKS.includes(String.fromCharCode(byte)),
)

/** Field values and reason phrases: visible bytes, obs-text, and blanks between. */
export const VALUE = tableOf(
  (byte) => byte === TAB || (byte >= SP && byte !== 0x7f && byte <= 0xff),
)

/** A request target: visible ASCII; what else is meant comes percent-encoded. */
export const TARGET = tableOf((byte) => byte > SP && byte < 0x7f)

/** `authority` without userinfo, which RFC 9110 §4.2.4 makes an error. RFC 3986 §3.2. */
export const AUTHORITY = tableOf(
  (byte) =>
    isDigit(byte) ||
    isAlpha(byte) ||
    "-._~!$&'()*+,;=:[]%".includes(String.fromCharCode(byte)),
)

/** The value of a hexadecimal digit; 255: it is none. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (isDigit(byte)) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 255
})

/** `lower`: only letters in lower case and `-`. */
export function isName(
  bytes: Uint8Array,
  from: number,
  to: number,
  lower: string,
): boolean {
  if (to - from !== lower.length) return false
  for (let i = 0; i < lower.length; i++) {
    if (((bytes[from + i] as number) | 0x20) !== lower.charCodeAt(i)) return false
  }
  return true
}
