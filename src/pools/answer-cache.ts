/**
 * Answers that are given again to the same request of the same client: bounded by entries, bytes
 * and age; the one that was used longest ago goes first. What a key is made of, and what may be
 * kept, is whoever asks's to know. Pure, with a monotonic clock in milliseconds.
 */

export interface AnswerCacheLimits {
  readonly entries: number
  /** Of all answers, kept and being kept. */
  readonly bytes: number
  /** Of one answer, with its head. */
  readonly answerBytes: number
  /** Of a request; longer ones are not looked at. */
  readonly requestBytes: number
  readonly ttlMs: number
}

/** A whole answer. */
export interface KeptAnswer {
  readonly message: string
  /** Flat, as they came. */
  readonly rawHeaders: readonly string[]
  /** Its body, and where each piece that came ends in it. */
  readonly body: Buffer
  readonly ends: readonly number[]
  /** When it was kept, by the cache's clock. */
  readonly keptAt: number
}

/** What became of requests that were looked up, ever. */
export interface AnswerCacheCounts {
  hits: number
  misses: number
  kept: number
  /** Had to go before they were too old. */
  evicted: number
  /** Answers for which there was no room, or that are longer than one may be. */
  tooLarge: number
}

export function noAnswerCounts(): AnswerCacheCounts {
  return { hits: 0, misses: 0, kept: 0, evicted: 0, tooLarge: 0 }
}

/** What an entry costs beside its bytes: its key, its place, and its pieces' ends. */
const ENTRY_BYTES = 256
const PIECE_BYTES = 16

interface Entry extends KeptAnswer {
  readonly cost: number
}

export class AnswerCache {
  readonly limits: AnswerCacheLimits
  readonly counts: AnswerCacheCounts
  readonly #now: () => number
  /** The one that was used last stands last. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(
    limits: AnswerCacheLimits,
    now: () => number,
    counts: AnswerCacheCounts = noAnswerCounts(),
  ) {
    this.limits = limits
    this.#now = now
    this.counts = counts
  }

  get size(): number {
    return this.#entries.size
  }

  /** Of what is kept, and of what is being kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Undefined, and counted: there is none, or it is too old. */
  find(key: string): KeptAnswer | undefined {
    const found = this.#entries.get(key)
    if (found === undefined || this.ageMs(found) >= this.limits.ttlMs) {
      if (found !== undefined) this.#drop(key, found)
      this.counts.misses++
      return undefined
    }
    this.#entries.delete(key)
    this.#entries.set(key, found)
    this.counts.hits++
    return found
  }

  ageMs({ keptAt }: Pick<KeptAnswer, 'keptAt'>): number {
    return this.#now() - keptAt
  }

  /** An answer that comes, piece by piece. */
  begin(key: string): Keeping {
    const { answerBytes } = this.limits
    const pieces: Buffer[] = []
    const ends: number[] = []
    let head: Pick<KeptAnswer, 'message' | 'rawHeaders'> | undefined
    let length = 0
    let taken = 0
    let isOver = false
    const end = (): void => {
      isOver = true
      this.#bytes -= taken
      taken = 0
      pieces.length = 0
    }
    const grow = (more: number): boolean => {
      if (isOver) return false
      if (taken + more <= answerBytes && this.#hasRoom(more)) {
        this.#bytes += more
        taken += more
        return true
      }
      this.counts.tooLarge++
      end()
      return false
    }
    return {
      head: (message, rawHeaders) => {
        const bytes = rawHeaders.reduce((sum, text) => sum + text.length, ENTRY_BYTES)
        if (grow(bytes)) head = { message, rawHeaders }
      },
      data: (piece) => {
        if (!grow(piece.length + PIECE_BYTES)) return
        // A copy: the piece may be a part of something much larger.
        pieces.push(copyOf(piece))
        ends.push((length += piece.length))
      },
      keep: () => {
        if (isOver || head === undefined) return
        const cost = taken
        const body = Buffer.allocUnsafeSlow(length)
        let at = 0
        for (const piece of pieces) at += piece.copy(body, at)
        end()
        this.#put(key, { ...head, body, ends, keptAt: this.#now(), cost })
      },
      drop: () => {
        if (!isOver) end()
      },
    }
  }

  #put(key: string, entry: Entry): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    this.#entries.set(key, entry)
    this.#bytes += entry.cost
    this.counts.kept++
    while (this.#entries.size > this.limits.entries) this.#dropOldest()
  }

  /** Makes room, by those that were used longest ago. False: there is none to be made. */
  #hasRoom(more: number): boolean {
    while (this.#bytes + more > this.limits.bytes) if (!this.#dropOldest()) return false
    return true
  }

  #dropOldest(): boolean {
    const oldest = this.#entries.entries().next()
    if (oldest.done === true) return false
    this.counts.evicted++
    this.#drop(...oldest.value)
    return true
  }

  #drop(key: string, { cost }: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= cost
  }
}

/** An answer on its way into the cache; once kept or dropped, all calls do nothing. */
export interface Keeping {
  head(message: string, rawHeaders: readonly string[]): void
  data(piece: Buffer): void
  /** It was whole, and good. */
  keep(): void
  drop(): void
}

function copyOf(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length)
  piece.copy(copy)
  return copy
}
