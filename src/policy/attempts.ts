/**
 * How often passwords may be tried: 3 times with one token, 5 times in 15 minutes from one
 * device, 30 times an hour in all. Every try counts before it is checked; a right one clears
 * its device. Who sits at the command line is not counted, so an adult is never locked out.
 */
const PER_TOKEN = 3
const PER_DEVICE = 5
const DEVICE_MS = 15 * 60 * 1000
const IN_ALL = 30
const ALL_MS = 60 * 60 * 1000

/** For whoever counts attempts at several gateways by the same rules. */
export const ATTEMPT_LIMITS = {
  PER_TOKEN,
  PER_DEVICE,
  DEVICE_MS,
  IN_ALL,
  ALL_MS,
} as const

interface Attempt {
  readonly at: number
  readonly device: string
  readonly token: string | undefined
}

export class Attempts {
  /** The last hour's, so never more than `IN_ALL`. */
  #list: Attempt[] = []
  readonly #cleared = new Map<string, number>()

  /** False: over a limit, do not even check. */
  allow(device: string, token: string | undefined, nowMs: number): boolean {
    this.#list = this.#list.filter(({ at }) => nowMs - at < ALL_MS)
    const since = Math.max(nowMs - DEVICE_MS, this.#cleared.get(device) ?? 0)
    const here = this.#list.filter((tried) => tried.device === device && tried.at > since)
    const same = this.#list.filter(
      (tried) => token !== undefined && tried.token === token,
    )
    if (same.length >= PER_TOKEN || here.length >= PER_DEVICE) return false
    if (this.#list.length >= IN_ALL) return false
    this.#list.push({ at: nowMs, device, token })
    return true
  }

  succeeded(device: string, nowMs: number): void {
    for (const [name, at] of this.#cleared) {
      if (nowMs - at > ALL_MS) this.#cleared.delete(name)
    }
    this.#cleared.set(device, nowMs)
  }
}
