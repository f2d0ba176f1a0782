/**
 * Literals by their first characters: each is found in one walk over what stands there. Pure.
 * A step is a look into a table; it is made when the first is asked for.
 */

const CODES = 0x10000
const ASCII = 128

export class Trie<T> {
  /** By node and character; of ASCII only until the table is made. */
  readonly #next = new Map<number, number>()
  readonly #values: (T[] | undefined)[] = [undefined]
  readonly #roots = new Uint8Array(ASCII)
  /** Column of each character of ASCII that any literal has; 0: none. */
  readonly #columns = new Uint8Array(ASCII)
  #width = 1
  #table: Uint16Array | undefined

  add(text: string, value: T): void {
    this.#table = undefined
    let node = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < ASCII && this.#columns[code] === 0) this.#columns[code] = this.#width++
      const key = node * CODES + code
      let next = this.#next.get(key)
      if (next === undefined) {
        next = this.#values.push(undefined) - 1
        this.#next.set(key, next)
      }
      node = next
    }
    ;(this.#values[node] ??= []).push(value)
    const first = text.charCodeAt(0)
    if (first < ASCII) this.#roots[first] = 1
  }

  /** Does any begin with it? */
  begins(code: number): boolean {
    return code < ASCII ? this.#roots[code] === 1 : this.#next.has(code)
  }

  /** Node behind `code`; 0: none goes on so. */
  step(node: number, code: number): number {
    if (!(code < ASCII)) return this.#next.get(node * CODES + code) ?? 0
    const table = this.#table ?? this.#made()
    const column = this.#columns[code] as number
    return column === 0 ? 0 : (table[node * this.#width + column] as number)
  }

  valuesAt(node: number): readonly T[] | undefined {
    return this.#values[node]
  }

  /** @throws RangeError for more nodes than a file of rules can have */
  #made(): Uint16Array {
    if (this.#values.length > 0xffff) throw new RangeError('too many literals')
    const table = new Uint16Array(this.#values.length * this.#width)
    for (const [key, next] of this.#next) {
      const code = key % CODES
      if (code >= ASCII) continue
      const node = (key - code) / CODES
      table[node * this.#width + (this.#columns[code] as number)] = next
    }
    this.#table = table
    return table
  }
}
