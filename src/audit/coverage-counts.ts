/**
 * Coverage as it is written: how connections ended, counted by day of the household, device and
 * class of name, in the transaction that writes their rows, so that the two always agree. The counts stay
 * when the rows of the connections are pruned for their size, and hold no name that a device
 * visited. What a day may add is bounded: devices beyond that are counted together.
 */
import type { Database } from 'better-sqlite3'
import { dateText, recordedMs, zoneText } from '../core/moment-text.js'
import type { Row, Value } from './tables.js'
import { connectionColumns } from './tables.js'

/** Different counts of one day, some 100 bytes each; beyond it devices are not told apart. */
export const MOST_COUNTS_A_DAY = 5_000
export const OTHER_DEVICES = '(others)'

export interface CoverageCounts {
  /**
   * A row of `connections` that was written, its time already text. Undefined is the system's zone.
   * @throws RangeError for a zone that Intl does not know
   */
  add(row: Row, zone: string | undefined): void
}

interface Key {
  day: string
  zone: string
  device: string
  nameClass: string
  coverage: string
  code: string
}

type Day = Pick<Key, 'day' | 'zone'>

export function coverageCounts(db: Database, most = MOST_COUNTS_A_DAY): CoverageCounts {
  const known = db.prepare<[Key]>(
    `SELECT 1 FROM coverage WHERE day = @day AND zone = @zone AND device = @device
       AND name_class = @nameClass AND coverage = @coverage AND code = @code`,
  )
  const countOf = db
    .prepare<[string], number>('SELECT count(*) FROM coverage WHERE day = ?')
    .pluck()
  const upsert = db.prepare<[Key & Record<string, Value>]>(
    `INSERT INTO coverage VALUES (@day, @zone, @device, @hostname, @nameClass, @coverage,
       @code, 1, @exchanges, @fromClient, @toClient)
     ON CONFLICT DO UPDATE SET
       hostname = coalesce(excluded.hostname, hostname),
       connections = connections + 1,
       exchanges = exchanges + excluded.exchanges,
       bytes_from_client = bytes_from_client + excluded.bytes_from_client,
       bytes_to_client = bytes_to_client + excluded.bytes_to_client`,
  )
  // What is in the table of the day last met; a batch that is rolled back counts too much.
  const room = { day: '', counts: 0 }
  const isFull = (day: string): boolean => {
    if (room.day !== day) Object.assign(room, { day, counts: countOf.get(day) ?? 0 })
    if (room.counts >= most) return true
    room.counts++
    return false
  }
  const dayOf = dayReader()
  return {
    add(row, zone) {
      const key = { ...keyOf(row), ...dayOf(String(at(row, 'timestamp')), zone) }
      if (known.get(key) === undefined && isFull(key.day)) key.device = OTHER_DEVICES
      const isOther = key.device === OTHER_DEVICES
      upsert.run({
        ...key,
        hostname: isOther ? null : at(row, 'device_hostname'),
        exchanges: at(row, 'exchanges'),
        fromClient: at(row, 'bytes_from_client'),
        toClient: at(row, 'bytes_to_client'),
      })
    },
  }
}

/** Connections come by the minute, and Intl's answer is dear: every offset is of whole minutes. */
function dayReader(): (timestamp: string, zone: string | undefined) => Day {
  let known: { minute: string; zone: string | undefined; day: Day } | undefined
  return (timestamp, zone) => {
    const minute = timestamp.slice(0, MINUTE_LENGTH)
    if (known?.minute !== minute || known.zone !== zone) {
      const day = dateText(recordedMs(timestamp), zone)
      known = { minute, zone, day: { day, zone: zone ?? zoneText(zone) } }
    }
    return known.day
  }
}

function keyOf(row: Row): Omit<Key, keyof Day> {
  const coverage = String(at(row, 'coverage'))
  const explained = coverage === 'refused' || coverage === 'failed'
  return {
    device: String(at(row, 'device_mac') ?? at(row, 'device_ip')),
    nameClass: String(at(row, 'name_class')),
    coverage,
    code: explained ? String(at(row, 'code') ?? '') : '',
  }
}

/** Of `YYYY-MM-DD HH:MM`. */
const MINUTE_LENGTH = 16

const PLACES: ReadonlyMap<string, number> = new Map(
  connectionColumns.map(({ name }, place) => [name, place]),
)

function at(row: Row, column: string): Value {
  return row[PLACES.get(column) ?? -1] ?? null
}
