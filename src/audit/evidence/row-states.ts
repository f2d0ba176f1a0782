/**
 * What the rows of one table should be, by their number: 16 bytes and a mark each, in pages, so
 * that a million rows take 17 MB. Pure.
 */
import { DIGEST_BYTES } from './chain-format.js'

const PAGE_ROWS = 4096
const [NONE, THERE, FOUND] = [0, 1, 2] as const

interface Page {
  readonly digests: Buffer
  readonly marks: Uint8Array
}

export class RowStates {
  readonly #pages = new Map<number, Page>()

  /** Its digest stands in `bytes` from `at` on. */
  is(id: number, bytes: Buffer, at: number): void {
    const page = this.#page(id)
    const place = id % PAGE_ROWS
    const { digests } = page
    const from = place * DIGEST_BYTES
    for (let i = 0; i < DIGEST_BYTES; i++) digests[from + i] = bytes[at + i] as number
    page.marks[place] = THERE
  }

  gone(id: number): void {
    const page = this.#pages.get(Math.floor(id / PAGE_ROWS))
    if (page !== undefined) page.marks[id % PAGE_ROWS] = NONE
  }

  /** Is there such a row? It counts as found from now on. */
  found(id: number): boolean {
    const page = this.#pages.get(Math.floor(id / PAGE_ROWS))
    const place = id % PAGE_ROWS
    if (page === undefined || page.marks[place] === NONE) return false
    page.marks[place] = FOUND
    return true
  }

  /** Of a row that was found: is this latin-1 text its digest? */
  matches(id: number, digest: string): boolean {
    const { digests } = this.#page(id)
    const from = (id % PAGE_ROWS) * DIGEST_BYTES
    for (let i = 0; i < DIGEST_BYTES; i++)
      if (digests[from + i] !== digest.charCodeAt(i)) return false
    return true
  }

  /** Of a row that was found, as latin-1 text. */
  digest(id: number): string {
    const from = (id % PAGE_ROWS) * DIGEST_BYTES
    return this.#page(id).digests.toString('latin1', from, from + DIGEST_BYTES)
  }

  /** Those that were not found, in order. */
  *missing(): Generator<number> {
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const marks = this.#pages.get(number)?.marks ?? []
      for (let place = 0; place < marks.length; place++)
        if (marks[place] === THERE) yield number * PAGE_ROWS + place
    }
  }

  #page(id: number): Page {
    const number = Math.floor(id / PAGE_ROWS)
    const known = this.#pages.get(number)
    if (known !== undefined) return known
    const page = {
      digests: Buffer.alloc(PAGE_ROWS * DIGEST_BYTES),
      marks: new Uint8Array(PAGE_ROWS),
    }
    this.#pages.set(number, page)
    return page
  }
}
