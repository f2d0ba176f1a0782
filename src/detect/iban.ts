/** Accounts by ISO 13616 in a text. Pure; bounded by the length of one. */
import { isWordCode } from './characters.js'
import { ibanLength, isIbanIn } from './checksums.js'
import { isDigit } from './number-groups.js'

/** The end of an IBAN: groups that follow it may belong to the next word. */
export function ibanAt(text: string, i: number): number | undefined {
  if (!isDigit(text.charCodeAt(i + 2)) || !isDigit(text.charCodeAt(i + 3)))
    return undefined
  const length = ibanLength(text.slice(i, i + 2).toUpperCase())
  if (length === undefined) return undefined
  let chars = 0
  let end = i
  for (; end < i + MAX_IBAN && chars < length; end++) {
    const code = text.charCodeAt(end)
    if (isWordCode(code)) chars++
    else if (!IBAN_BETWEEN.has(code)) return undefined
  }
  if (chars < length || isWordCode(text.charCodeAt(end))) return undefined
  return isIbanIn(text, i, end) ? end : undefined
}

/** With what stands between its groups. */
const MAX_IBAN = 80
const IBAN_BETWEEN: ReadonlySet<number> = new Set([0x20, 0x2d, 0x2e, 0x09, 0x0d, 0x0a])
