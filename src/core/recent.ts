/**
 * The most recently used of many, at most so many: a cache whose room grows with what is in it.
 * (`lru-cache` takes the room of all its places when it is made: 2 MB and 17 ms of a start for
 * the tables that a household never fills.)
 */
export interface RecentOptions<K, V> {
  /** Places; at least 1. */
  readonly max: number
  /** The least recently used one had to make room. */
  readonly pushedOut?: (value: V, key: K) => void
}

export class Recent<K, V extends NonNullable<unknown>> {
  readonly #options: RecentOptions<K, V>
  /** The least recently used one stands first. */
  readonly #places = new Map<K, V>()

  constructor(options: RecentOptions<K, V>) {
    this.#options = options
  }

  get size(): number {
    return this.#places.size
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    const value = this.#places.get(key)
    if (value === undefined) return undefined
    this.#places.delete(key)
    this.#places.set(key, value)
    return value
  }

  /** Does not count as a use; nor does `has`. */
  peek(key: K): V | undefined {
    return this.#places.get(key)
  }

  /** Keys, the most recently used first; asking is no use. */
  newest(): K[] {
    return [...this.#places.keys()].reverse()
  }

  has(key: K): boolean {
    return this.#places.has(key)
  }

  set(key: K, value: V): void {
    this.#places.delete(key)
    this.#places.set(key, value)
    if (this.#places.size <= this.#options.max) return
    const [first] = this.#places
    if (first === undefined) return
    this.#places.delete(first[0])
    this.#options.pushedOut?.(first[1], first[0])
  }

  delete(key: K): void {
    this.#places.delete(key)
  }

  clear(): void {
    this.#places.clear()
  }

  /** Takes the least recently used one out. */
  pop(): V | undefined {
    const [first] = this.#places
    if (first !== undefined) this.#places.delete(first[0])
    return first?.[1]
  }

  /** Live: what is deleted meanwhile is not met. */
  oldestFirst(): Iterable<V> {
    return this.#places.values()
  }

  /** As it is now. */
  newestFirst(): [K, V][] {
    return [...this.#places].reverse()
  }
}
