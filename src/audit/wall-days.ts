/**
 * Days of the record as the clock on the wall of a zone has them: an expression of SQL, since
 * rows are counted there. Pure but for the tables of zones that Intl has.
 */
import { offsetOnWall } from '../core/moment-text.js'
import { timestampText } from './rows.js'

const MINUTE_MS = 60_000
/** Two changes of a zone are further apart than that (the tz database since 1972). */
const STEP_MS = 7 * 24 * 60 * MINUTE_MS
/** How far back its changes are looked up; before, the oldest offset that was found counts. */
const MOST_STEPS = 53 * 10

/**
 * The day of a `timestamp` in UTC, as `2026-03-04`. Undefined is the system's zone.
 * @throws RangeError for a zone that Intl does not know
 */
export function wallDay(column: string, nowMs: number, zone: string | undefined): string {
  if (zone === 'UTC') return `date(${column})`
  const whens: string[] = []
  // From the newest: a moment of the future is of the offset that follows the next change.
  let later = nowMs + STEP_MS
  let offset = minutesAt(later, zone)
  for (let step = 0; step < MOST_STEPS; step++) {
    const earlier = later - STEP_MS
    const before = minutesAt(earlier, zone)
    if (before !== offset) {
      const since = timestampText(changeIn(earlier, later, zone))
      whens.push(`WHEN ${column} >= '${since}' THEN '${offset} minutes'`)
    }
    later = earlier
    offset = before
  }
  const modifier =
    whens.length === 0
      ? `'${offset} minutes'`
      : `CASE ${whens.join(' ')} ELSE '${offset} minutes' END`
  return `date(${column}, ${modifier})`
}

/** The first minute of the later offset. */
function changeIn(fromMs: number, toMs: number, zone: string | undefined): number {
  const offset = minutesAt(toMs, zone)
  let [before, after] = [fromMs, toMs].map((ms) => Math.ceil(ms / MINUTE_MS)) as [
    number,
    number,
  ]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (minutesAt(middle * MINUTE_MS, zone) === offset) after = middle
    else before = middle
  }
  return after * MINUTE_MS
}

function minutesAt(atMs: number, zone: string | undefined): number {
  return Math.round(offsetOnWall(atMs, zone) / MINUTE_MS)
}
