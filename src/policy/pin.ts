/**
 * A PIN that an adult gives away for one blocked request: it serves once, soon, and only the
 * device, policy and service of that request. What is kept of it is its hash.
 */
import { isBoundTo } from '../core/device-id.js'
import type { Device } from '../core/record.js'

export interface Pin {
  readonly id: string
  readonly requestId: string
  /** See `net/password.ts`. */
  readonly hash: string
  readonly policy: string
  readonly endpoint: string
  /** Of the device that was blocked: its MAC where it has one. */
  readonly ip?: string
  readonly mac?: string
  readonly expiresAt: number
}

export const MIN_PIN_DIGITS = 6
export const MAX_PIN_DIGITS = 12
export const DEFAULT_PIN_MINUTES = 5
export const MAX_PIN_MINUTES = 60
const DIGITS = new RegExp(`^\\d{${MIN_PIN_DIGITS},${MAX_PIN_DIGITS}}$`)

export interface PinAbout {
  readonly device: Device
  readonly policy: string
  readonly endpoint: string
  /** Undefined: the client asks anew, so that its request has another id. */
  readonly requestId: string | undefined
}

/** Those that may be meant; which of them it is the hash decides. */
export function pinsFor(
  pins: readonly Pin[],
  typed: string,
  about: PinAbout,
  nowMs: number,
): Pin[] {
  if (!DIGITS.test(typed)) return []
  const { device, policy, endpoint, requestId } = about
  return pins.filter(
    (pin) =>
      nowMs < pin.expiresAt &&
      pin.policy === policy &&
      pin.endpoint === endpoint &&
      (requestId === undefined || pin.requestId === requestId) &&
      isBoundTo(pin, device),
  )
}
