/** How many exchanges or connections may be under way, in all and for one endpoint. */
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'

export class Admission {
  readonly #max: number
  readonly #maxPerEndpoint: number
  readonly #byEndpoint = new Map<string, number>()
  #all = 0

  constructor(max: number, maxPerEndpoint: number) {
    this.#max = max
    this.#maxPerEndpoint = maxPerEndpoint
  }

  get underWay(): number {
    return this.#all
  }

  at(endpoint: string): number {
    return this.#byEndpoint.get(endpoint) ?? 0
  }

  /** Takes a place; a code when there is none. Whoever got in calls `leave` once. */
  enter(endpoint: string): ErrorCode | undefined {
    const here = this.#byEndpoint.get(endpoint) ?? 0
    if (this.#all >= this.#max || here >= this.#maxPerEndpoint)
      return 'YORI_TOO_MANY_REQUESTS'
    this.#all += 1
    this.#byEndpoint.set(endpoint, here + 1)
    return undefined
  }

  leave(endpoint: string): void {
    const here = this.#byEndpoint.get(endpoint) ?? 0
    this.#all -= 1
    if (here > 1) this.#byEndpoint.set(endpoint, here - 1)
    else this.#byEndpoint.delete(endpoint)
  }
}

/** Takes a place for as long as a socket is open; false: there was none. */
export function takePlace(places: Admission, endpoint: string, socket: Socket): boolean {
  if (places.enter(endpoint) !== undefined) return false
  socket.once('close', () => places.leave(endpoint))
  return true
}
