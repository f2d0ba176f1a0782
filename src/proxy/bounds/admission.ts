/** How many exchanges or connections may be under way: in all, for one endpoint, of one device. */
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'
import { Shares } from './shares.js'

export interface AdmissionLimits {
  readonly max: number
  readonly maxPerEndpoint: number
  readonly maxPerDevice: number
}

export class Admission {
  readonly #max: number
  readonly #maxPerEndpoint: number
  readonly #byEndpoint = new Map<string, number>()
  readonly #devices: Shares
  #all = 0

  constructor({ max, maxPerEndpoint, maxPerDevice }: AdmissionLimits) {
    this.#max = max
    this.#maxPerEndpoint = maxPerEndpoint
    this.#devices = new Shares(maxPerDevice)
  }

  get underWay(): number {
    return this.#all
  }

  at(endpoint: string): number {
    return this.#byEndpoint.get(endpoint) ?? 0
  }

  /**
   * Takes a place; a code when there is none. Whoever got in calls `leave` once. `device`: by
   * `shareOf`.
   */
  enter(endpoint: string, device: string): ErrorCode | undefined {
    const here = this.#byEndpoint.get(endpoint) ?? 0
    if (this.#all >= this.#max || here >= this.#maxPerEndpoint)
      return 'YORI_TOO_MANY_REQUESTS'
    if (!this.#devices.enter(device)) return 'YORI_TOO_MANY_REQUESTS'
    this.#all += 1
    this.#byEndpoint.set(endpoint, here + 1)
    return undefined
  }

  leave(endpoint: string, device: string): void {
    this.#devices.leave(device)
    const here = this.#byEndpoint.get(endpoint) ?? 0
    this.#all -= 1
    if (here > 1) this.#byEndpoint.set(endpoint, here - 1)
    else this.#byEndpoint.delete(endpoint)
  }
}

/** Takes a place for as long as a socket is open; false: there was none. */
export function takePlace(
  places: Admission,
  { endpoint, device }: { readonly endpoint: string; readonly device: string },
  socket: Socket,
): boolean {
  if (places.enter(endpoint, device) !== undefined) return false
  socket.once('close', () => places.leave(endpoint, device))
  return true
}
