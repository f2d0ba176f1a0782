/**
 * The most recently used of many, at most so many: a cache whose room grows with what is in it.
 * (`lru-cache` takes the room of all its places when it is made: 2 MB and 17 ms of a start for
 * the tables that a household never fills.) The order of use is a chain: to take an entry out of
 * a `Map` and put it in again, as each use would, makes the Map's table anew every few times.
 */
export interface RecentOptions<K, V> {
  /** Places; at least 1. */
  readonly max: number
  /** The least recently used one had to make room. */
  readonly pushedOut?: (value: V, key: K) => void
}

interface Place<K, V> {
  readonly key: K
  value: V
  /** Used before it, and after. */
  older: Place<K, V> | undefined
  newer: Place<K, V> | undefined
}

export class Recent<K, V extends NonNullable<unknown>> {
  readonly #options: RecentOptions<K, V>
  readonly #places = new Map<K, Place<K, V>>()
  #oldest: Place<K, V> | undefined
  #newest: Place<K, V> | undefined

  constructor(options: RecentOptions<K, V>) {
    this.#options = options
  }

  get size(): number {
    return this.#places.size
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    const place = this.#places.get(key)
    if (place === undefined) return undefined
    this.#use(place)
    return place.value
  }

  /** Does not count as a use; nor does `has`. */
  peek(key: K): V | undefined {
    return this.#places.get(key)?.value
  }

  /** Keys, the most recently used first; asking is no use. */
  newest(): K[] {
    return this.newestFirst().map(([key]) => key)
  }

  has(key: K): boolean {
    return this.#places.has(key)
  }

  set(key: K, value: V): void {
    const known = this.#places.get(key)
    if (known !== undefined) {
      known.value = value
      this.#use(known)
      return
    }
    const place: Place<K, V> = { key, value, older: undefined, newer: undefined }
    this.#places.set(key, place)
    this.#append(place)
    const first = this.#oldest
    if (this.#places.size <= this.#options.max || first === undefined) return
    this.#remove(first)
    this.#options.pushedOut?.(first.value, first.key)
  }

  delete(key: K): void {
    const place = this.#places.get(key)
    if (place !== undefined) this.#remove(place)
  }

  clear(): void {
    this.#places.clear()
    this.#oldest = undefined
    this.#newest = undefined
  }

  /** Takes the least recently used one out. */
  pop(): V | undefined {
    const first = this.#oldest
    if (first !== undefined) this.#remove(first)
    return first?.value
  }

  /** Nothing may be taken out or used meanwhile. */
  *oldestFirst(): Generator<V> {
    for (let place = this.#oldest; place !== undefined; place = place.newer)
      yield place.value
  }

  /** As it is now. */
  newestFirst(): [K, V][] {
    const all: [K, V][] = []
    for (let place = this.#newest; place !== undefined; place = place.older)
      all.push([place.key, place.value])
    return all
  }

  #use(place: Place<K, V>): void {
    if (place === this.#newest) return
    this.#unlink(place)
    this.#append(place)
  }

  #append(place: Place<K, V>): void {
    place.older = this.#newest
    if (this.#newest === undefined) this.#oldest = place
    else this.#newest.newer = place
    this.#newest = place
  }

  #remove(place: Place<K, V>): void {
    this.#places.delete(place.key)
    this.#unlink(place)
  }

  /** It points at nothing any more: one that is long-lived would keep what it points at alive. */
  #unlink(place: Place<K, V>): void {
    const { older, newer } = place
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    place.older = undefined
    place.newer = undefined
  }
}
