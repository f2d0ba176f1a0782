/**
 * Puts other bytes in the place of some, in bytes that pass in pieces of any size. Bytes are
 * compared and never decoded, so that a text of several bytes a character may be cut anywhere.
 * Of what has come it holds back only an end that what is looked for may still begin with.
 */

/** What is looked for, and what stands in its place. */
export interface Replacement {
  /** Not empty. */
  readonly from: Buffer
  readonly to: Buffer
}

const NOTHING = Buffer.alloc(0)

/** Holds fewer bytes than the longest `from` has. */
export class ByteReplacer {
  readonly #replacements: readonly Replacement[]
  #held = NOTHING

  /** Where several begin at one place, the first of the list counts. */
  constructor(replacements: readonly Replacement[]) {
    this.#replacements = replacements.filter(({ from }) => from.length > 0)
  }

  /** What may go on. */
  write(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const parts: Buffer[] = []
    let at = 0
    for (let next = this.#next(bytes, at); next !== undefined;) {
      parts.push(bytes.subarray(at, next.at), next.found.to)
      at = next.at + next.found.from.length
      next = this.#next(bytes, at)
    }
    const keepFrom = this.#openFrom(bytes, at)
    parts.push(bytes.subarray(at, keepFrom))
    // A copy: the chunk is its giver's.
    this.#held = Buffer.from(bytes.subarray(keepFrom))
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** What was held back. */
  end(): Buffer {
    const rest = this.#held
    this.#held = NOTHING
    return rest
  }

  #next(bytes: Buffer, start: number): { at: number; found: Replacement } | undefined {
    let first: { at: number; found: Replacement } | undefined
    for (const found of this.#replacements) {
      const at = bytes.indexOf(found.from, start)
      if (at >= 0 && (first === undefined || at < first.at)) first = { at, found }
    }
    return first
  }

  /** Where the end begins that may go on to be one of them. */
  #openFrom(bytes: Buffer, start: number): number {
    let open = bytes.length
    for (const { from } of this.#replacements) {
      let at = Math.max(start, bytes.length - from.length + 1)
      for (; at < open; at++) {
        if (from.compare(bytes, at, bytes.length, 0, bytes.length - at) === 0) break
      }
      open = Math.min(open, at)
    }
    return open
  }
}
