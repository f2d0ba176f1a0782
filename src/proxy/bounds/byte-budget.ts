/**
 * Bytes of bodies that may be held at once, in all and for one client. Who waits for room is
 * served in line, those of another client beside.
 */
export class ByteBudget {
  readonly #max: number
  readonly #maxPerClient: number
  readonly #byClient = new Map<string, number>()
  readonly #line = new Set<Waiting>()
  #all = 0

  constructor(max: number, maxPerClient: number) {
    this.#max = max
    this.#maxPerClient = maxPerClient
  }

  get held(): number {
    return this.#all
  }

  /** So much may be held for one client, at the most. */
  get most(): number {
    return Math.min(this.#max, this.#maxPerClient)
  }

  /** True when there was room; the same number is given back by `give`. */
  take(client: string, bytes: number): boolean {
    const here = (this.#byClient.get(client) ?? 0) + bytes
    if (this.#all + bytes > this.#max || here > this.#maxPerClient) return false
    this.#all += bytes
    this.#byClient.set(client, here)
    return true
  }

  give(client: string, bytes: number): void {
    const here = (this.#byClient.get(client) ?? 0) - bytes
    this.#all -= bytes
    if (here > 0) this.#byClient.set(client, here)
    else this.#byClient.delete(client)
    if (this.#line.size > 0) this.#serve()
  }

  /**
   * Calls `taken` as soon as there is room, within the call where there is and nobody of that
   * client waits; gives what ends the wait. Undefined: there is never room for so much.
   */
  wait(client: string, bytes: number, taken: () => void): (() => void) | undefined {
    if (bytes > this.most) return undefined
    const waiting: Waiting = { client, bytes, taken }
    this.#line.add(waiting)
    this.#serve()
    return () => void this.#line.delete(waiting)
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.size
  }

  #serve(): void {
    const passed = new Set<string>()
    for (const waiting of [...this.#line]) {
      const { client, bytes, taken } = waiting
      if (passed.has(client)) continue
      if (!this.take(client, bytes)) {
        passed.add(client)
        continue
      }
      this.#line.delete(waiting)
      taken()
    }
  }
}

interface Waiting {
  readonly client: string
  readonly bytes: number
  readonly taken: () => void
}

/** What one exchange holds of a budget; `release` gives everything back, once or often. */
export class Hold {
  readonly #budget: ByteBudget
  readonly #client: string
  #bytes = 0

  constructor(budget: ByteBudget, client: string) {
    this.#budget = budget
    this.#client = client
  }

  /** See `ByteBudget.most`. */
  get most(): number {
    return this.#budget.most
  }

  take(bytes: number): boolean {
    if (!this.#budget.take(this.#client, bytes)) return false
    this.#bytes += bytes
    return true
  }

  /** See `ByteBudget.wait`. */
  wait(bytes: number, taken: () => void): (() => void) | undefined {
    return this.#budget.wait(this.#client, bytes, () => {
      this.#bytes += bytes
      taken()
    })
  }

  /** A part of what was taken. */
  give(bytes: number): void {
    const given = Math.min(bytes, this.#bytes)
    this.#bytes -= given
    if (given > 0) this.#budget.give(this.#client, given)
  }

  release(): void {
    if (this.#bytes > 0) this.#budget.give(this.#client, this.#bytes)
    this.#bytes = 0
  }
}
