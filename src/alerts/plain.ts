/**
 * What others named (devices, hosts, models, policies' words) as text of one line: nothing that
 * ends a line, moves a cursor or turns the direction of writing. Pure.
 */

/** C0, DEL, C1, line and paragraph separators, marks and overrides of direction, BOM. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g

const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** At most `most` UTF-16 units, never half a character. */
export function plain(text: string, most = 500): string {
  const clean = text.replace(HALF, '\ufffd').replace(UNSEEN, ' ').trim()
  if (clean.length <= most) return clean
  const cut = clean.slice(0, Math.max(0, most - 1))
  return `${cut.replace(/[\ud800-\udbff]$/, '')}…`
}
