/** Accounts by ISO 13616 in a text. Pure; bounded by the length of one. */
import { isWordCode } from './characters.js'
import { isIbanIn } from './checksums.js'
import { accountForm } from './iban-registry.js'
import { isDigit } from './number-groups.js'

/**
 * The end of an IBAN: groups that follow it may belong to the next word. Its digits and letters
 * stand where its country has them, and its letters are all of one case: digests and keys have
 * a country's letters and a good sum by chance.
 */
export function ibanAt(text: string, i: number): number | undefined {
  if (!isDigit(text.charCodeAt(i + 2)) || !isDigit(text.charCodeAt(i + 3)))
    return undefined
  const form = accountForm(text.slice(i, i + 2).toUpperCase())
  if (form === undefined) return undefined
  let chars = 0
  let cases = 0
  let end = i
  for (; end < i + MAX_IBAN && chars < form.length; end++) {
    const code = text.charCodeAt(end)
    if (!isWordCode(code)) {
      if (IBAN_BETWEEN.has(code)) continue
      return undefined
    }
    const isNumber = isDigit(code)
    const wanted = form[chars++]
    if (wanted !== 'c' && isNumber !== (wanted === 'n')) return undefined
    if (!isNumber && chars > 2) cases |= code < 0x60 ? UPPER : LOWER
  }
  if (chars < form.length || isWordCode(text.charCodeAt(end))) return undefined
  if (cases === (UPPER | LOWER)) return undefined
  return isIbanIn(text, i, end) ? end : undefined
}

const UPPER = 1
const LOWER = 2
/** With what stands between its groups. */
const MAX_IBAN = 80
const IBAN_BETWEEN: ReadonlySet<number> = new Set([0x20, 0x2d, 0x2e, 0x09, 0x0d, 0x0a])
