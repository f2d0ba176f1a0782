/** One request that waits until a target of its pool has room, for as long as it may. */
import type { Place, WaitingLine } from '../../pools/waiting-line.js'

export interface PoolWaiting {
  /** So many wait at a pool. */
  readonly most: number
  readonly waitMs: number
  /** True: it has what it waits for. */
  readonly serve: () => boolean
}

export class PoolWait {
  readonly #place: Place
  readonly #timer: NodeJS.Timeout

  private constructor(place: Place, timer: NodeJS.Timeout) {
    this.#place = place
    this.#timer = timer
  }

  /** `late` is called once, unless it was served or left. Undefined: there is no place to wait. */
  static begin(
    line: WaitingLine,
    { most, waitMs, serve }: PoolWaiting,
    late: () => void,
  ): PoolWait | undefined {
    const place = line.join(most, () => {
      if (!serve()) return false
      clearTimeout(timer)
      return true
    })
    if (place === undefined) return undefined
    const timer = setTimeout(() => {
      place.leave('late')
      late()
    }, waitMs)
    return new PoolWait(place, timer)
  }

  /** Nobody waits for it any more. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#place.leave('left')
  }
}
