/** Reads how people say since when: `90s`, `15m`, `24h`, `7d`, `2w`, or a date. Pure. */
import { momentOnWall } from '../core/moment-text.js'

const UNIT_MS = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
} as const

const DATE = /^\d{4}-\d\d-\d\d/
/** Without an offset: what a clock on a wall shows. */
const ON_WALL = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?$/

/**
 * Milliseconds since the epoch, or undefined when the text says no time. A date without an
 * offset is one of the zone, as times are printed; undefined is the system's.
 * @throws RangeError for a zone that Intl does not know
 */
export function parseSince(
  text: string,
  nowMs: number,
  zone: string | undefined,
): number | undefined {
  const span = /^(\d{1,6})([smhdw])$/.exec(text)
  if (span !== null) {
    const [, count, unit] = span
    return nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  }
  return parseMoment(text, zone)
}

/**
 * `2026-03-01`, `2026-03-01 21:30`, or with an offset; undefined when the text is no date.
 * @throws RangeError for a zone that Intl does not know
 */
export function parseMoment(text: string, zone: string | undefined): number | undefined {
  if (!DATE.test(text) || text.length > 35) return undefined
  const wall = ON_WALL.exec(text)
  if (wall === null) return known(Date.parse(text))
  const [, date = '', clock = '00:00'] = wall
  const wallMs = known(Date.parse(`${date}T${clock}Z`))
  return wallMs === undefined ? undefined : momentOnWall(wallMs, zone)
}

function known(ms: number): number | undefined {
  return Number.isNaN(ms) ? undefined : ms
}
