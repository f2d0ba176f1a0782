/**
 * A change that an assistant asks for is told back first, with a word that goes with exactly that
 * change for a few minutes; asked again with the word, it is done. So nothing is changed by one
 * call that an assistant was talked into, and whoever looks on sees what will be. Keeps nothing:
 * the word says by itself what it is good for.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const CONFIRM_WITHIN_MS = 300_000

export class Confirmation {
  readonly #key: Buffer
  readonly #now: () => number

  /** `key`: of this process alone. `now`: milliseconds since 1970. */
  constructor(key: Buffer, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** For a change by name, with what it is given. */
  word(name: string, given: unknown): string {
    return this.#wordAt(this.#slot(), name, given)
  }

  fits(word: string, name: string, given: unknown): boolean {
    const slot = this.#slot()
    return [slot, slot - 1].some((at) => {
      const right = Buffer.from(this.#wordAt(at, name, given))
      const said = Buffer.from(word)
      return said.length === right.length && timingSafeEqual(said, right)
    })
  }

  #slot(): number {
    return Math.floor(this.#now() / CONFIRM_WITHIN_MS)
  }

  #wordAt(slot: number, name: string, given: unknown): string {
    const said = JSON.stringify([slot, name, sorted(given)])
    return createHmac('sha256', this.#key).update(said).digest('base64url').slice(0, 16)
  }
}

/** Its members in one order, whatever theirs was. */
function sorted(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  if (Array.isArray(given)) return given.map(sorted)
  const entries = Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]) => [key, sorted(value)])
}
