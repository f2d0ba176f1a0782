/** Bytes of bodies that may be held at once, in all and for one client. */
export class ByteBudget {
  readonly #max: number
  readonly #maxPerClient: number
  readonly #byClient = new Map<string, number>()
  #all = 0

  constructor(max: number, maxPerClient: number) {
    this.#max = max
    this.#maxPerClient = maxPerClient
  }

  get held(): number {
    return this.#all
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
  }
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

  take(bytes: number): boolean {
    if (!this.#budget.take(this.#client, bytes)) return false
    this.#bytes += bytes
    return true
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
