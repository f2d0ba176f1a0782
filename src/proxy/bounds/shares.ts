/** How many of a thing each device has, so that none can take what is there for the house. */
export class Shares {
  readonly #max: number
  readonly #byDevice = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  of(device: string): number {
    return this.#byDevice.get(device) ?? 0
  }

  /** False when it has its share already. Whoever got in calls `leave` once. */
  enter(device: string): boolean {
    const here = this.of(device)
    if (here >= this.#max) return false
    this.#byDevice.set(device, here + 1)
    return true
  }

  leave(device: string): void {
    const here = this.of(device)
    if (here > 1) this.#byDevice.set(device, here - 1)
    else this.#byDevice.delete(device)
  }
}
