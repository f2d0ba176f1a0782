/**
 * Connections whose first bytes are awaited, bounded for one client and in all. When there are
 * too many, the one that has waited longest is decided as if its deadline had come.
 */
export interface Place {
  /** Aborted when another needs the place. */
  readonly signal: AbortSignal
  leave(): void
}

export class Undecided {
  readonly #max: number
  readonly #maxPerClient: number
  /** In the order of arrival. */
  readonly #all = new Set<AbortController>()
  readonly #byClient = new Map<string, Set<AbortController>>()

  constructor(max: number, maxPerClient: number) {
    this.#max = max
    this.#maxPerClient = maxPerClient
  }

  get waiting(): number {
    return this.#all.size
  }

  /** `leave` once the connection is decided, however that came. */
  enter(client: string): Place {
    const own = this.#byClient.get(client) ?? new Set<AbortController>()
    this.#byClient.set(client, own)
    const place = new AbortController()
    if (own.size >= this.#maxPerClient) oldest(own)?.abort()
    else if (this.#all.size >= this.#max) oldest(this.#all)?.abort()
    this.#all.add(place)
    own.add(place)
    const leave = (): void => {
      this.#all.delete(place)
      own.delete(place)
      if (own.size === 0 && this.#byClient.get(client) === own)
        this.#byClient.delete(client)
    }
    // At once, so that the count holds: the connection itself goes on a turn later.
    place.signal.addEventListener('abort', leave, { once: true })
    return { signal: place.signal, leave }
  }
}

function oldest(places: ReadonlySet<AbortController>): AbortController | undefined {
  const [first] = places
  return first
}
