/** The name of a street behind its number: `12 Long Oak Lane`. Pure; looks at four words. */
import { isDigit } from './number-groups.js'

const ENDS: ReadonlySet<string> = new Set([
  ...['Street', 'St', 'Avenue', 'Ave', 'Road', 'Rd', 'Lane', 'Ln', 'Drive', 'Dr'],
  ...['Boulevard', 'Blvd', 'Court', 'Way'],
])
const MAX_DIGITS = 5
const MAX_LETTERS = 20
/** Before the word for a street. */
const MAX_WORDS = 3

/** Its end; undefined where none begins at that digit. */
export function streetEnd(text: string, from: number): number | undefined {
  let at = from
  while (at < from + MAX_DIGITS && isDigit(text.charCodeAt(at))) at++
  if (at === from) return undefined
  for (let words = 0; text.charCodeAt(at) === 0x20; words++) {
    const start = at + 1
    at = wordEnd(text, start)
    const length = at - start
    if (length < 2 || length > MAX_LETTERS + 1) return undefined
    if (
      words > 0 &&
      length < 10 &&
      !isWordAt(text, at) &&
      ENDS.has(text.slice(start, at))
    )
      return at
    if (words === MAX_WORDS) return undefined
  }
  return undefined
}

/** A capital and small letters. */
function wordEnd(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (!(first >= 0x41 && first <= 0x5a)) return from
  let at = from + 1
  while (at <= from + MAX_LETTERS + 1) {
    const code = text.charCodeAt(at)
    if (!(code >= 0x61 && code <= 0x7a)) break
    at++
  }
  return at
}

function isWordAt(text: string, at: number): boolean {
  return /^\w/.test(text.slice(at, at + 1))
}
