/**
 * Reads the fields of a TLS message: big-endian numbers and vectors behind their lengths
 * (RFC 8446 §3.3, §3.4). Pure; never throws.
 */

/** What is kept of any list; several times the longest that real clients send. */
export const MAX_LIST_ITEMS = 1024

/**
 * Reads within `bytes`; a read beyond its end gives zero or nothing and sets `overran` for
 * good, so that a parser checks once at the end of each structure.
 */
export class Fields {
  readonly #bytes: Uint8Array
  readonly #end: number
  offset: number
  overran = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.offset = start
    this.#end = end
  }

  get left(): number {
    return this.overran ? 0 : this.#end - this.offset
  }

  u8(): number {
    return this.#uint(1)
  }

  u16(): number {
    return this.#uint(2)
  }

  /** The next `length` bytes as fields of their own. */
  sub(length: number): Fields {
    const start = this.offset
    if (!this.#claim(length)) return new Fields(this.#bytes, start, start)
    return new Fields(this.#bytes, start, start + length)
  }

  /** The rest, one character a byte. */
  text(): string {
    const start = this.offset
    this.offset = this.#end
    return Buffer.from(this.#bytes.subarray(start, this.#end)).toString('latin1')
  }

  /** The rest as big-endian numbers of `size` bytes, at most MAX_LIST_ITEMS. */
  numbers(size: 1 | 2): number[] {
    const numbers: number[] = []
    while (this.left >= size && numbers.length < MAX_LIST_ITEMS)
      numbers.push(this.#uint(size))
    return numbers
  }

  #uint(size: number): number {
    const start = this.offset
    if (!this.#claim(size)) return 0
    let value = 0
    for (let i = start; i < this.offset; i++) value = value * 256 + (this.#bytes[i] ?? 0)
    return value
  }

  #claim(length: number): boolean {
    if (this.overran || length > this.#end - this.offset) {
      this.overran = true
      return false
    }
    this.offset += length
    return true
  }
}
