/** When a message may go out: now, or when the quiet hours end. Pure. */
import { isWithin, minutesOf } from '../policy/local-time.js'
import type { DailyWindow, LocalTimes } from '../policy/local-time.js'

const MINUTE_MS = 60_000
/** Windows of every day end within two days, even one after another. */
const MOST_MINUTES = 2 * 24 * 60

/** Of `22:00-07:00`, every day; 00:00-24:00 is the whole day. */
export function windowOf(span: string): DailyWindow {
  const [from = '', to = ''] = span.split('-')
  return { days: [], start: minutesOf(from) ?? 0, end: minutesOf(to) ?? 0 }
}

/**
 * The first moment from `nowMs` on that is in no window, to the minute. With no such moment in
 * two days it is `nowMs`: what is never told would be lost.
 */
export function afterQuiet(
  windows: readonly DailyWindow[],
  nowMs: number,
  { times, zone }: { readonly times: LocalTimes; readonly zone: string | undefined },
): number {
  if (windows.length === 0) return nowMs
  let at = nowMs
  for (let minutes = 0; minutes <= MOST_MINUTES; minutes++) {
    const local = times.at(at, zone)
    const inside = windows.filter((window) => isWithin(window, local))
    if (inside.length === 0) return at
    at = Math.floor(at / MINUTE_MS) * MINUTE_MS + MINUTE_MS
  }
  return nowMs
}
