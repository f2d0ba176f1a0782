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
  const abbreviationAt = (seconds: number): string => {
    const offset = offsetAt(seconds)
    const names = exceptionalNames.get(name)
    if (names === undefined) return englishName(timeZone, seconds) ?? numericName(offset)
    const summer = names.length > 1 && offset > leastOffset(offsetAt, seconds)
    return names[summer ? 1 : 0] ?? numericName(offset)
  }
  return { name, offsetAt, abbreviationAt }
}

/** Each region's English knows the names that are in use there. */
const regions = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'] as const

/**
 * Where English and the IANA data differ: the name, or the names of standard and summer time;
 * none where the data has a number only.
 */
const exceptions: readonly (readonly [names: string, zones: string])[] = [
  ['JST', 'Asia/Tokyo Japan'],
  ['KST', 'Asia/Seoul Asia/Pyongyang ROK'],
  [
    'CST',
    'Asia/Shanghai Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macau Asia/Macao ' +
      'Asia/Taipei PRC ROC',
  ],
  ['HKT', 'Asia/Hong_Kong Hongkong'],
  ['WIB', 'Asia/Jakarta Asia/Pontianak'],
  ['WITA', 'Asia/Makassar Asia/Ujung_Pandang'],
  ['WIT', 'Asia/Jayapura'],
  ['PKT', 'Asia/Karachi'],
  ['PST', 'Asia/Manila'],
  ['IST IDT', 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['MSK', 'Europe/Moscow Europe/Kirov Europe/Simferopol Europe/Volgograd W-SU'],
  ['ChST', 'Pacific/Guam Pacific/Saipan'],
  ['SST', 'Pacific/Pago_Pago Pacific/Midway Pacific/Samoa US/Samoa'],
  ['NST NDT', 'America/St_Johns Canada/Newfoundland'],
  ['MST', 'America/Hermosillo America/Dawson America/Whitehorse Canada/Yukon'],
  ['MST MDT', 'America/Mazatlan Mexico/BajaSur'],
  ['CST CDT', 'America/Havana Cuba'],
  ['HST HDT', 'America/Adak America/Atka US/Aleutian'],
  ['MET MEST', 'MET'],
  ['GMT', 'GMT GMT0 GMT+0 GMT-0'],
  ['GMT BST', 'Europe/Guernsey Europe/Jersey Europe/Isle_of_Man'],
  ['GMT IST', 'Europe/Dublin Eire'],
  [
    '',
    'Asia/Dubai Asia/Muscat Asia/Colombo Antarctica/Casey Antarctica/Troll Australia/Eucla ' +
      'Australia/LHI Australia/Lord_Howe NZ-CHAT Pacific/Chatham ' +
      'Africa/Casablanca Africa/El_Aaiun',
  ],
]

const exceptionalNames: ReadonlyMap<string, readonly string[]> = new Map(
  exceptions.flatMap(([names, zones]) =>
    zones.split(' ').map((zone) => [zone, names === '' ? [] : names.split(' ')]),
  ),
)

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

const quarter = 7_889_238

/** Standard time: the least offset within half a year either way. */
function leastOffset(offsetAt: (seconds: number) => number, seconds: number): number {
  return Math.min(...[-2, -1, 1, 2].map((step) => offsetAt(seconds + step * quarter)))
}

function numericName(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60)
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0')
  const rest = minutes % 60
  return (
    (offset < 0 ? '-' : '+') + hours + (rest === 0 ? '' : String(rest).padStart(2, '0'))
  )
}
