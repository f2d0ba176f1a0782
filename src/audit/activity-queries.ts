/** Who was active when: calls by device and hour, for a picture of the day. */
import type { Database } from 'better-sqlite3'
import { timestampText } from './rows.js'
import { OTHERS } from './session-queries.js'

const HOUR_MS = 3_600_000
/** Of one picture; the rest is one line together. */
export const MOST_ACTIVE = 5

export interface ActiveLine {
  readonly name: string
  /** Calls to a model, an hour each, the oldest first. */
  readonly calls: readonly number[]
  readonly blocks: readonly number[]
}

export interface Activity {
  /** When each hour begins, in milliseconds since 1970. */
  readonly hours: readonly number[]
  /** The most active first. */
  readonly devices: readonly ActiveLine[]
}

interface Raw {
  readonly name: string
  readonly hour: string
  readonly calls: number
  readonly blocks: number
}

/** The `count` hours that end with the one of `nowMs`. Devices are named as in `readUsage`. */
export function readActivity(db: Database, nowMs: number, count = 24): Activity {
  const first = Math.floor(nowMs / HOUR_MS) * HOUR_MS - (count - 1) * HOUR_MS
  const hours = Array.from({ length: count }, (_, index) => first + index * HOUR_MS)
  const index = new Map(hours.map((ms, at) => [timestampText(ms).slice(0, 13), at]))
  const lines = new Map<string, { calls: number[]; blocks: number[]; all: number }>()
  const rows = db
    .prepare<[string], Raw>(
      `SELECT coalesce(device_hostname, device_ip) AS name, substr(timestamp, 1, 13) AS hour,
         coalesce(sum(is_call), 0) AS calls, sum(event_type = 'block') AS blocks
       FROM exchanges WHERE timestamp >= ? GROUP BY 1, 2`,
    )
    .iterate(timestampText(first))
  for (const { name, hour, calls, blocks } of rows) {
    const at = index.get(hour)
    if (at === undefined) continue
    const line = lines.get(name) ?? { calls: zeros(count), blocks: zeros(count), all: 0 }
    line.calls[at] = calls
    line.blocks[at] = blocks
    line.all += calls + blocks
    lines.set(name, line)
  }
  const sorted = [...lines].sort(([a, x], [b, y]) => y.all - x.all || (a < b ? -1 : 1))
  const shown = sorted.slice(0, MOST_ACTIVE)
  const rest = sorted.slice(MOST_ACTIVE).map(([, line]) => line)
  const devices = shown.map(([name, { calls, blocks }]) => ({ name, calls, blocks }))
  if (rest.length > 0)
    devices.push({
      name: OTHERS,
      calls: hours.map((_, at) => sumAt(rest, 'calls', at)),
      blocks: hours.map((_, at) => sumAt(rest, 'blocks', at)),
    })
  return { hours, devices }
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)

function sumAt(
  lines: readonly { readonly calls: number[]; readonly blocks: number[] }[],
  of: 'calls' | 'blocks',
  at: number,
): number {
  return lines.reduce((sum, line) => sum + (line[of][at] ?? 0), 0)
}
