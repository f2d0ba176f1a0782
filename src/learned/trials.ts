/**
 * Self-tests under way: a device has said that it will ask for a name now, and what became of
 * that connection is kept for it until it asks. Bounded, and forgotten within a minute.
 */
import type { Clock } from '../core/clock.js'
import type { Coverage, Device } from '../core/record.js'
import { deviceId } from '../core/device-id.js'
import { Recent } from '../core/recent.js'

const MAX_TRIALS = 256
const TRIAL_MS = 60_000
/** Other programs of the device may ask for the same name: they see the staged root this often. */
const MAX_NEXT_CHAINS = 3

export type Seen =
  /** No connection for that name came from the device. */
  | { readonly kind: 'nothing' }
  /** It came, and went on untouched. */
  | { readonly kind: 'passed'; readonly coverage: Coverage }
  /** The device would not have our certificate. */
  | { readonly kind: 'refused'; readonly cause: string }
  | { readonly kind: 'answered' }

/** The root that is on trial: the one in force, or the staged one. */
export type RootOnTrial = 'present' | 'next'

export interface Trial {
  readonly name: string
  readonly root: RootOnTrial
  /** Wall clock. */
  readonly since: number
}

interface Kept extends Trial {
  readonly until: number
  seen: Seen
  chains: number
}

export class Trials {
  readonly #clock: Clock
  readonly #trials = new Recent<string, Kept>({ max: MAX_TRIALS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(device: Device, name: string, root: RootOnTrial): void {
    this.#trials.set(deviceId(device), {
      name,
      root,
      since: this.#clock.now(),
      until: this.#clock.monotonic() + TRIAL_MS,
      seen: { kind: 'nothing' },
      chains: 0,
    })
  }

  /** The trial of this device, when it is for this name and still goes on. */
  of(device: Device, name: string): Trial | undefined {
    const trial = this.#current(device)
    return trial?.name === name ? trial : undefined
  }

  /** Is this connection to see the chain of the staged root? Says so only a few times. */
  takesNext(device: Device, name: string): boolean {
    const trial = this.#current(device)
    if (trial?.name !== name || trial.root !== 'next') return false
    if (trial.seen.kind === 'answered' || trial.chains >= MAX_NEXT_CHAINS) return false
    trial.chains += 1
    return true
  }

  /** An answer is never taken back by what another connection of the device does. */
  saw(device: Device, name: string, seen: Seen): void {
    const trial = this.#current(device)
    if (trial?.name === name && trial.seen.kind !== 'answered') trial.seen = seen
  }

  seen(device: Device): Seen | undefined {
    return this.#current(device)?.seen
  }

  #current(device: Device): Kept | undefined {
    const trial = this.#trials.get(deviceId(device))
    return trial !== undefined && trial.until > this.#clock.monotonic()
      ? trial
      : undefined
  }
}
