/**
 * What is known of things that come and go all the time, by their ids, such as exchanges. A
 * `Map` makes its table anew every few times that something is taken out of it and put in; each
 * table that is left behind points at what was in it, and as long as it lies among what is
 * long-lived, all of that is taken for long-lived, too: most of what collecting garbage cost.
 * Here the table stays.
 */

/** Places in the table at first; there are never fewer, or fewer than there were things at once. */
const LEAST_PLACES = 64
/** So many characters tell ids apart, the last: those of time stand before them. */
const TELLING = 6

interface Entry<Value> {
  readonly key: string
  value: Value
  /** In the same place of the table. */
  next: Entry<Value> | undefined
}

/** Keys are ids that nobody outside can choose. Bounded by whoever puts things in. */
export class PassingMap<Value extends NonNullable<unknown>> {
  #places = new Array<Entry<Value> | undefined>(LEAST_PLACES).fill(undefined)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): Value | undefined {
    let entry = this.#places[this.#placeOf(key)]
    while (entry !== undefined && entry.key !== key) entry = entry.next
    return entry?.value
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: Value): void {
    const place = this.#placeOf(key)
    const first = this.#places[place]
    for (let entry = first; entry !== undefined; entry = entry.next)
      if (entry.key === key) {
        entry.value = value
        return
      }
    this.#places[place] = { key, value, next: first }
    this.#size++
    if (this.#size > this.#places.length) this.#grow()
  }

  /** Gives what was there. */
  take(key: string): Value | undefined {
    const place = this.#placeOf(key)
    let before: Entry<Value> | undefined
    let entry = this.#places[place]
    while (entry !== undefined && entry.key !== key) {
      before = entry
      entry = entry.next
    }
    if (entry === undefined) return undefined
    if (before === undefined) this.#places[place] = entry.next
    else before.next = entry.next
    entry.next = undefined
    this.#size--
    return entry.value
  }

  /** The key of one of them, whichever; undefined: there is none. */
  any(): string | undefined {
    for (const entry of this.#places) if (entry !== undefined) return entry.key
    return undefined
  }

  #placeOf(key: string): number {
    let hash = 0
    for (let i = Math.max(0, key.length - TELLING); i < key.length; i++)
      hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
    return hash & (this.#places.length - 1)
  }

  #grow(): void {
    const before = this.#places
    this.#places = new Array<Entry<Value> | undefined>(2 * before.length).fill(undefined)
    for (let entry of before)
      while (entry !== undefined) {
        const { next } = entry
        const place = this.#placeOf(entry.key)
        entry.next = this.#places[place]
        this.#places[place] = entry
        entry = next
      }
    before.fill(undefined)
  }
}
