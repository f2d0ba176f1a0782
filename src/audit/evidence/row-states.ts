/**
 * What the rows of one table should be, by their number: 16 bytes and a mark each, in pages, so
 * that a million rows take 17 MB. Pure.
 */
import { DIGEST_BYTES } from './row-digest.js'

const PAGE_ROWS = 4096
const [NONE, THERE, FOUND] = [0, 1, 2] as const

interface Page {
  readonly digests: Buffer
  readonly marks: Uint8Array
}

export class RowStates {
  readonly #pages = new Map<number, Page>()

  /** `digest` is latin-1 text. */
  is(id: number, digest: string): void {
    const page = this.#page(id)
    const place = id % PAGE_ROWS
    page.digests.write(digest, place * DIGEST_BYTES, DIGEST_BYTES, 'latin1')
    page.marks[place] = THERE
  }

  gone(id: number): void {
    const page = this.#pages.get(Math.floor(id / PAGE_ROWS))
    if (page !== undefined) page.marks[id % PAGE_ROWS] = NONE
  }

  /** Its digest; undefined: nothing is known of it. It counts as found from now on. */
  found(id: number): string | undefined {
    const page = this.#pages.get(Math.floor(id / PAGE_ROWS))
    const place = id % PAGE_ROWS
    if (page === undefined || page.marks[place] === NONE) return undefined
    page.marks[place] = FOUND
    return page.digests.toString(
      'latin1',
      place * DIGEST_BYTES,
      (place + 1) * DIGEST_BYTES,
    )
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
