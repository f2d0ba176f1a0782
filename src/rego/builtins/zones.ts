/**
 * Time zones by their IANA name, from the runtime's own tables (ECMA-402). Offsets are seconds
 * east of UTC. Zones are looked up once: making a formatter is what costs.
 */

export interface Zone {
  readonly name: string
  /** Seconds east of UTC at a moment, in seconds since the Unix epoch. */
  offsetAt(seconds: number): number
  /** What the zone is called then: `CET`, `EST`, or `+03` where it has no name. */
  abbreviationAt(seconds: number): string
}

export const utc: Zone = {
  name: 'UTC',
  offsetAt: () => 0,
  abbreviationAt: () => 'UTC',
}

/** Zones that are remembered; the tables have about 600 names in all. */
const maxZones = 64

const known = new Map<string, Zone>()

/** Undefined when there is no zone of that name. */
export function zoneNamed(name: string): Zone | undefined {
  if (name === '' || name === 'UTC') return utc
  const zone = known.get(name) ?? readZone(name)
  if (zone === undefined || known.has(name)) return zone
  if (known.size >= maxZones) known.clear()
  known.set(name, zone)
  return zone
}

function readZone(name: string): Zone | undefined {
  if (name.startsWith('+') || name.startsWith('-')) return undefined
  const timeZone = name === 'Local' ? undefined : name
  try {
    return intlZone(name, timeZone)
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

function intlZone(name: string, timeZone: string | undefined): Zone {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const offsetAt = (seconds: number): number => {
    const parts = new Map<string, string>()
    for (const { type, value } of clock.formatToParts(seconds * 1000))
      parts.set(type, value)
    const number = (type: string): number => Number(parts.get(type))
    const local = Date.UTC(
      number('year'),
      number('month') - 1,
      number('day'),
      number('hour'),
      number('minute'),
      number('second'),
    )
    return local / 1000 - seconds
  }
  const abbreviationAt = (seconds: number): string =>
    englishName(timeZone, seconds) ?? numericName(offsetAt(seconds))
  return { name, offsetAt, abbreviationAt }
}

/** Each region's English knows the names that are in use there. */
const regions = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'] as const

function englishName(timeZone: string | undefined, seconds: number): string | undefined {
  for (const region of regions) {
    const format = new Intl.DateTimeFormat(region, { timeZone, timeZoneName: 'short' })
    const part = format
      .formatToParts(seconds * 1000)
      .find(({ type }) => type === 'timeZoneName')
    if (part !== undefined && /^[A-Z]{3,5}$/.test(part.value)) return part.value
  }
  return undefined
}

function numericName(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60)
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0')
  const rest = minutes % 60
  return (
    (offset < 0 ? '-' : '+') + hours + (rest === 0 ? '' : String(rest).padStart(2, '0'))
  )
}
