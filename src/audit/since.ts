/** Reads how people say since when: `90s`, `15m`, `24h`, `7d`, `2w`, or a date. Pure. */

const UNIT_MS = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
} as const

/** Milliseconds since the epoch, or undefined when the text says no time. A bare date is UTC. */
export function parseSince(text: string, nowMs: number): number | undefined {
  const span = /^(\d{1,6})([smhdw])$/.exec(text)
  if (span !== null) {
    const [, count, unit] = span
    return nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  }
  if (!/^\d{4}-\d\d-\d\d/.test(text) || text.length > 35) return undefined
  const moment = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d{1,3})?)?$/.test(text)
    ? `${text.replace(' ', 'T')}Z`
    : text
  const ms = Date.parse(moment)
  return Number.isNaN(ms) ? undefined : ms
}
