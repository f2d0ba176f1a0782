/**
 * Requests that wait until a target of their pool has room: in the order in which they came, and
 * as many as the pool says. For how long is seen to by whoever waits. Pure.
 */

/** How waiting ended, ever. */
export interface WaitCounts {
  /** There was room. */
  served: number
  /** There was none in time. */
  late: number
  /** Whoever asked has gone. */
  left: number
}

export function noWaits(): WaitCounts {
  return { served: 0, late: 0, left: 0 }
}

export interface Place {
  /** Once; later calls, and those after it was served, do nothing. */
  leave(how: 'late' | 'left'): void
}

export class WaitingLine {
  readonly counts = noWaits()
  readonly #waiting = new Set<() => boolean>()

  get length(): number {
    return this.#waiting.size
  }

  /**
   * `serve`: true, and it is out of the line: it has what it waits for. Undefined: `most` wait
   * already.
   */
  join(most: number, serve: () => boolean): Place | undefined {
    if (this.#waiting.size >= most) return undefined
    const one = (): boolean => serve()
    this.#waiting.add(one)
    return {
      leave: (how) => {
        if (this.#waiting.delete(one)) this.counts[how]++
      },
    }
  }

  /** There is room for one: the first who can use it has it. */
  next(): void {
    for (const one of this.#waiting)
      if (one()) {
        if (this.#waiting.delete(one)) this.counts.served++
        return
      }
  }
}
