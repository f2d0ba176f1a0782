/** A value as a message shows it: one short line, nothing that a terminal would obey. Pure. */

const LONGEST = 60

export function shown(value: unknown): string {
  return words(value).replaceAll(/[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]/g, '\ufffd')
}

function words(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') {
    const cut = value.length > LONGEST
    return JSON.stringify(cut ? `${value.slice(0, LONGEST)}...` : value)
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return 'a section'
}
