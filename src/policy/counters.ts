/**
 * How many requests a device has made today and in this hour, by the wall clock of a zone.
 * Devices that the household does not know share one count. In memory: a start begins anew.
 */
import type { LocalTime } from './local-time.js'

/** More devices than this are counted together, as one. */
const MAX_DEVICES = 4096
const OVERFLOW = 'others'

interface Count {
  date: string
  hour: number
  today: number
  thisHour: number
}

export interface RequestCounts {
  readonly today: number
  readonly thisHour: number
}

export class RequestCounters {
  readonly #counts = new Map<string, Count>()

  /** Counts this request and gives the counts with it. */
  count(device: string, time: LocalTime): RequestCounts {
    const count = this.#of(device)
    if (count.date !== time.date) {
      Object.assign(count, { date: time.date, hour: time.hour, today: 0, thisHour: 0 })
    } else if (count.hour !== time.hour) {
      Object.assign(count, { hour: time.hour, thisHour: 0 })
    }
    count.today += 1
    count.thisHour += 1
    return { today: count.today, thisHour: count.thisHour }
  }

  #of(device: string): Count {
    const key =
      this.#counts.has(device) || this.#counts.size < MAX_DEVICES ? device : OVERFLOW
    let count = this.#counts.get(key)
    if (count === undefined) {
      count = { date: '', hour: -1, today: 0, thisHour: 0 }
      this.#counts.set(key, count)
    }
    return count
  }
}
