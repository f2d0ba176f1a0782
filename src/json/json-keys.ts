/**
 * The keys of one JSON object, compared as they come so that one that stands twice is seen.
 * An escaped key is the same as the plain one that it means (RFC 8259 §7).
 */

/** Keys are compared by their bytes up to here, by a set beyond. */
const FEW_KEYS = 24

/**
 * The keys of one object; `clear` makes it ready for the next. How many they may be is
 * the scanner's concern.
 */
export class Keys {
  /** Start and end of each, while there are few and none is escaped. */
  readonly #places: number[] = []
  #used = 0
  #texts: Set<string> | undefined

  clear(): void {
    this.#used = 0
    this.#texts = undefined
  }

  /**
   * The key without escapes that lies in `bytes[start..end)`, quotes not included; true
   * when it is there already. All keys of an object lie in the same `bytes`.
   */
  add(bytes: Buffer, start: number, end: number): boolean {
    if (this.#texts !== undefined || this.#used >= FEW_KEYS * 2)
      return this.addText(bytes, bytes.toString('utf8', start, end))
    const places = this.#places
    for (let i = 0; i < this.#used; i += 2) {
      const other = places[i] ?? 0
      if ((places[i + 1] ?? 0) - other === end - start && same(bytes, other, start, end))
        return true
    }
    places[this.#used++] = start
    places[this.#used++] = end
    return false
  }

  /** As `add`, of a key that was escaped, by what it means. */
  addText(bytes: Buffer, key: string): boolean {
    if (this.#texts === undefined) {
      this.#texts = new Set()
      for (let i = 0; i < this.#used; i += 2)
        this.#texts.add(bytes.toString('utf8', this.#places[i], this.#places[i + 1]))
    }
    if (this.#texts.has(key)) return true
    this.#texts.add(key)
    return false
  }
}

function same(bytes: Buffer, other: number, start: number, end: number): boolean {
  for (let i = start; i < end; i++)
    if (bytes[i] !== bytes[other + i - start]) return false
  return true
}
