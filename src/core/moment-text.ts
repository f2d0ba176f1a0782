/** Moments as the people of a household read them: on the wall of their zone. */

/** A household has one zone, an office a few. */
const MAX_ZONES = 64
const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * `2026-03-04 21:30 GMT+1`. Undefined is the system's zone.
 * @throws RangeError for a zone that Intl does not know
 */
export function momentText(atMs: number, zone: string | undefined): string {
  const { date, clock, name } = partsOf(atMs, zone)
  return `${date} ${clock} ${name}`
}

/** `21:30` of the same day, else with its date. */
export function untilText(atMs: number, nowMs: number, zone: string | undefined): string {
  const { date, clock } = partsOf(atMs, zone)
  return date === partsOf(nowMs, zone).date ? clock : `${date} ${clock}`
}

/** `2026-03-04 21:30:05`, where the zone stands beside it, as in the head of a column. */
export function secondText(atMs: number, zone: string | undefined): string {
  const { date, clock, second } = partsOf(atMs, zone)
  return `${date} ${clock}:${second}`
}

/** `21:30:05`. */
export function clockText(atMs: number, zone: string | undefined): string {
  const { clock, second } = partsOf(atMs, zone)
  return `${clock}:${second}`
}

/** `2026-03-04` on the wall of the zone. */
export function dateText(atMs: number, zone: string | undefined): string {
  return partsOf(atMs, zone).date
}

/** `Europe/Berlin`: the zone, or the system's. */
export function zoneText(zone: string | undefined): string {
  return formatOf(zone).resolvedOptions().timeZone
}

/** The moment that a text of the record tells, `2026-03-04 20:30:05.000` in UTC; else NaN. */
export function recordedMs(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}

/** No zone is further from UTC, and none shifts its clocks twice within as much. */
const MOST_OFFSET_MS = 26 * 3_600_000

/**
 * The moment at which the wall of the zone shows what a clock in UTC shows at `wallMs`. Where
 * the clocks go back and it is shown twice, the first; where they go forward and it is never
 * shown, as if they had not yet gone: `02:30` is then `03:30`.
 * @throws RangeError for a zone that Intl does not know
 */
export function momentOnWall(wallMs: number, zone: string | undefined): number {
  const before = wallMs - offsetOnWall(wallMs - MOST_OFFSET_MS, zone)
  const after = wallMs - offsetOnWall(wallMs + MOST_OFFSET_MS, zone)
  const shown = [before, after].filter((atMs) => wallOf(atMs, zone) === wallMs)
  return shown.length === 0 ? before : Math.min(...shown)
}

/**
 * How far the wall is ahead of UTC, in milliseconds.
 * @throws RangeError for a zone that Intl does not know
 */
export function offsetOnWall(atMs: number, zone: string | undefined): number {
  return wallOf(atMs, zone) - atMs
}

/** What the wall shows, as a clock in UTC would show it: milliseconds of that. */
function wallOf(atMs: number, zone: string | undefined): number {
  const { date, clock, second } = partsOf(atMs, zone)
  const passed = ((atMs % 1000) + 1000) % 1000
  return Date.parse(`${date}T${clock}:${second}Z`) + passed
}

function partsOf(
  atMs: number,
  zone: string | undefined,
): {
  readonly date: string
  readonly clock: string
  readonly second: string
  readonly name: string
} {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  return {
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    clock: `${part('hour')}:${part('minute')}`,
    second: part('second'),
    name: part('timeZoneName'),
  }
}

function formatOf(zone = ''): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    ...(zone === '' ? {} : { timeZone: zone }),
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })
  if (formats.size >= MAX_ZONES) formats.clear()
  formats.set(zone, format)
  return format
}
