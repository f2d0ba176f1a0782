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

function partsOf(
  atMs: number,
  zone: string | undefined,
): { readonly date: string; readonly clock: string; readonly name: string } {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  return {
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    clock: `${part('hour')}:${part('minute')}`,
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
    timeZoneName: 'short',
  })
  if (formats.size >= MAX_ZONES) formats.clear()
  formats.set(zone, format)
  return format
}
