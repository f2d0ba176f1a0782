/**
 * Base64 (RFC 4648) that refuses what is none: Node's decoder skips it. Line breaks are passed
 * over, padding must be complete, and unused bits may be anything, as in Go.
 */

export type Decoded =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Offset of the first byte that has no place there. */
  | { readonly kind: 'malformed'; readonly offset: number }

export function base64Bytes(text: string, alphabet: 'standard' | 'url'): Decoded {
  const isDigit = alphabet === 'url' ? isUrlDigit : isStandardDigit
  let digits = ''
  let at = 0
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x0a || code === 0x0d) continue
    if (!isDigit(code)) break
    digits += text.charAt(at)
  }
  const rest = digits.length % 4
  const paddingAt = at
  let padding = 0
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x0a || code === 0x0d) continue
    const wanted = rest === 2 ? 2 : rest === 3 ? 1 : 0
    if (code !== 0x3d || padding === wanted) return { kind: 'malformed', offset: at }
    padding++
  }
  if (rest !== 0 && rest + padding !== 4)
    return { kind: 'malformed', offset: padding > 0 ? text.length : paddingAt - rest }
  return { kind: 'bytes', bytes: Buffer.from(digits, 'base64') }
}

function isAlphanumeric(code: number): boolean {
  const letter = code | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39)
}

function isStandardDigit(code: number): boolean {
  return isAlphanumeric(code) || code === 0x2b || code === 0x2f
}

function isUrlDigit(code: number): boolean {
  return isAlphanumeric(code) || code === 0x2d || code === 0x5f
}
