/** A value as a message shows it: one short line, nothing that a terminal would obey. Pure. */

const LONGEST = 60

export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a section'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  const safe = text.replaceAll(/[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]/g, '\ufffd')
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}...` : safe
}
