/** Literals by their first characters: each is found in one walk over what stands there. Pure. */

const CODES = 0x10000

export class Trie<T> {
  /** By node and character. */
  readonly #next = new Map<number, number>()
  readonly #values: (T[] | undefined)[] = [undefined]
  readonly #roots = new Uint8Array(128)

  add(text: string, value: T): void {
    let node = 0
    for (let i = 0; i < text.length; i++) {
      const key = node * CODES + text.charCodeAt(i)
      let next = this.#next.get(key)
      if (next === undefined) {
        next = this.#values.push(undefined) - 1
        this.#next.set(key, next)
      }
      node = next
    }
    ;(this.#values[node] ??= []).push(value)
    const first = text.charCodeAt(0)
    if (first < 128) this.#roots[first] = 1
  }

  /** Does any begin with it? */
  begins(code: number): boolean {
    return code < 128 ? this.#roots[code] === 1 : this.#next.has(code)
  }

  /** Node behind `code`; 0: none goes on so. */
  step(node: number, code: number): number {
    return this.#next.get(node * CODES + code) ?? 0
  }

  valuesAt(node: number): readonly T[] | undefined {
    return this.#values[node]
  }
}
