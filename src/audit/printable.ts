/**
 * Text that clients chose, made safe to look at: a path or a model name may hold escape
 * sequences that move a terminal's cursor or spreadsheet formulas that run. Pure.
 */

/** C0, DEL and C1 (ECMA-48), line separators, and the bidirectional overrides of Unicode. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Every character that a terminal would act on, shown as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSEEN, escaped)
}

/** One line of JSON; what JSON itself leaves raw (DEL, C1, overrides) is escaped as well. */
export function jsonLine(value: unknown): string {
  return printable(JSON.stringify(value))
}

/** A CSV field (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvField(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
