/**
 * Words that say what stands beside them: `Steuernummer`, `passport`. A word counts in any
 * case, with more behind it when it is long (`passports`, and words of scripts that join what
 * belongs to it). Pure; each character is looked at a few times at the most.
 */
import { isLetterCode } from './characters.js'
import { Trie } from './trie.js'

/** A shorter word must be all of it. */
const LONG_WORD = 5
/** Characters before and behind something in which a word speaks of it. */
export const BEFORE_CHARS = 80
export const AFTER_CHARS = 48
/** Words of one text that are kept. */
const MAX_HITS = 4096

export class WordIndex {
  readonly #trie = new Trie<number>()
  readonly #ids = new Map<string, number>()

  add(word: string): number {
    const known = this.#ids.get(word)
    if (known !== undefined) return known
    const id = this.#ids.size
    this.#ids.set(word, id)
    this.#trie.add(word, id)
    return id
  }

  wordOf(id: number): string {
    for (const [word, known] of this.#ids) if (known === id) return word
    return ''
  }

  hits(text: string): WordHits {
    const at: number[] = []
    const ids: number[] = []
    for (let i = 0; i < text.length && at.length < MAX_HITS;) {
      const code = text.charCodeAt(i)
      if (!isLetterCode(code)) {
        i++
        continue
      }
      const end = wordEnd(text, i)
      const id = this.#idAt(text, i, end)
      if (id !== undefined) {
        at.push(i)
        ids.push(id)
      }
      // Without blanks between words, each character may begin one.
      i = code >= 0x2e80 ? i + 1 : end
    }
    return new WordHits(at, ids)
  }

  #idAt(text: string, from: number, end: number): number | undefined {
    let node = 0
    let found: number | undefined
    for (let i = from; i < end; i++) {
      node = this.#trie.step(node, lowered(text.charCodeAt(i)))
      if (node === 0) break
      const ids = this.#trie.valuesAt(node)
      const length = i + 1 - from
      const isWide = text.charCodeAt(from) > 0x7f
      if (ids !== undefined && (i + 1 === end || length >= LONG_WORD || isWide))
        found = ids[0]
    }
    return found
  }
}

/** `taxId` and `TAX_ID` are two words. */
function wordEnd(text: string, from: number): number {
  let end = from + 1
  let before = text.charCodeAt(from)
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    const isSmall = code >= 0x61 && code <= 0x7a
    if (!isSmall && !isLetterCode(code)) break
    const isUpper = code >= 0x41 && code <= 0x5a
    if (isUpper && before >= 0x61 && before <= 0x7a) break
    before = code
  }
  return end
}

/** Of the scripts that have cases, as far as rules have words in them. */
export function lowered(code: number): number {
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 32 : code
  if (code >= 0xc0 && code <= 0xde) return code + 32
  if (code >= 0x391 && code <= 0x3a9) return code + 32
  if (code >= 0x410 && code <= 0x42f) return code + 32
  return code
}

export class WordHits {
  readonly #at: readonly number[]
  readonly #ids: readonly number[]
  #last = 0

  constructor(at: readonly number[], ids: readonly number[]) {
    this.#at = at
    this.#ids = ids
  }

  /** One of `wanted` beside the span, the nearest before it first. */
  beside(start: number, end: number, wanted: ReadonlySet<number>): number | undefined {
    let found: number | undefined
    this.each(start, end, (word) => {
      if (wanted.has(word)) found ??= word
    })
    return found
  }

  /** Is any word beside the span? */
  isNear(start: number, end: number): boolean {
    const low = this.#from(start)
    if (low > 0 && (this.#at[low - 1] as number) >= start - BEFORE_CHARS) return true
    return low < this.#at.length && (this.#at[low] as number) <= end + AFTER_CHARS
  }

  /** The first that is not before a place; those that are asked for mostly go on from the last. */
  #from(start: number): number {
    const at = this.#at
    let low = this.#last
    while (low > 0 && (at[low - 1] as number) >= start) low--
    while (low < at.length && (at[low] as number) < start) low++
    return (this.#last = low)
  }

  /** Words beside the span, the nearest before it first. */
  each(start: number, end: number, use: (word: number) => void): void {
    const low = this.#from(start)
    for (let i = low - 1; i >= 0 && i >= low - MAX_BESIDE; i--) {
      if ((this.#at[i] as number) < start - BEFORE_CHARS) break
      use(this.#ids[i] as number)
    }
    for (let i = low; i < this.#at.length && i < low + MAX_BESIDE; i++) {
      if ((this.#at[i] as number) > end + AFTER_CHARS) break
      use(this.#ids[i] as number)
    }
  }
}

/** Words of a rule that are looked at on one side. */
const MAX_BESIDE = 12
