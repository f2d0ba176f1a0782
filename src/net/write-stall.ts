/** Has the other side stopped taking what it is sent? Asked once a second; keeps no timer. */
import type { Socket } from 'node:net'

/** One connection's. `limitMs`: so long nothing may go while something waits. */
export class WriteStall {
  readonly #limitMs: number
  #taken = -1
  #since = 0

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /**
   * `now`: monotonic milliseconds. `taken` grows with every byte that has gone; while
   * none `waits` there is no stall.
   */
  overdue(now: number, waits: boolean, taken: number): boolean {
    if (!waits || taken !== this.#taken) {
      this.#taken = taken
      this.#since = now
      return false
    }
    return now - this.#since > this.#limitMs
  }
}

/**
 * What the system still holds for a TCP socket and what has gone, in bytes. Node counts a
 * write when it hands it over; what of it has not left the process only the handle knows,
 * undocumented.
 */
export function tcpProgress(raw: Socket): { queued: number; taken: number } {
  const { _handle: handle } = raw as unknown as {
    _handle?: { bytesWritten?: number; writeQueueSize?: number } | null
  }
  const queued = handle?.writeQueueSize ?? 0
  return { queued, taken: (handle?.bytesWritten ?? raw.bytesWritten) - queued }
}
