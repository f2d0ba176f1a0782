/** Finds several texts at once in longer ones, with bounded work in all, and marks them. */

/** Characters that are looked through, each text for itself, over a whole body. */
const MAX_SEARCHED = 8 * 1024 * 1024
/** Shorter than this, a text stands everywhere. */
const MIN_LENGTH = 2
const MAX_LABEL = 64

/** What stands in place of `text`. */
export type Mark = (label: string, text: string) => string

/** What stands in place of what was taken out for good: fit for any text, JSON inside of texts too. */
export function redactionMark(label: string): string {
  return `[redacted:${label.replaceAll(/[^\w .-]/g, '_').slice(0, MAX_LABEL)}]`
}

/**
 * The texts that are to go from one body. Lengths are in UTF-16 units: `MIN_LENGTH` (2)
 * of a text that is searched, `MAX_SEARCHED` (8 Mi) looked through in all. Throws
 * nothing: `allGone` and `exhausted` tell whether what it gave can be relied upon.
 */
export class Texts {
  /** Places at which a text was found. */
  found = 0
  readonly #labels = new Map<string, string>()
  readonly #missing = new Set<string>()
  #searched = 0
  #tooShort = false
  readonly #mark: Mark

  constructor(mark: Mark = redactionMark) {
    this.#mark = mark
  }

  /** For the mark the label that came first with a text counts. */
  add(text: string, label: string): void {
    if (text.length < MIN_LENGTH) this.#tooShort = true
    else if (!this.#labels.has(text)) {
      this.#labels.set(text, label)
      this.#missing.add(text)
    }
  }

  /** Each was found, or taken out with something else. */
  get allGone(): boolean {
    return this.#missing.size === 0 && !this.#tooShort
  }

  /** More work than is done for one body: what it gives cannot be relied upon. */
  get exhausted(): boolean {
    return this.#searched > MAX_SEARCHED
  }

  /** Of a text that is just one of those to go. */
  labelOf(text: string): string | undefined {
    return this.#labels.get(text)
  }

  /** This has been taken out, with what it holds. */
  gone(taken: string): void {
    this.#searched += this.#missing.size * taken.length
    for (const text of this.#missing) if (taken.includes(text)) this.#missing.delete(text)
  }

  /**
   * `text` with marks in place of those that stand in it; where several begin at one
   * place, the longest counts. As it was from where `exhausted` is met.
   */
  cut(text: string): string {
    const next: Next[] = []
    for (const wanted of this.#labels.keys()) {
      if (this.exhausted) return text
      this.#searched += text.length
      const at = text.indexOf(wanted)
      if (at >= 0) next.push({ wanted, at })
    }
    if (next.length === 0) return text
    let cut = ''
    let from = 0
    for (;;) {
      const first = earliest(next)
      if (first === undefined || this.exhausted) return cut + text.slice(from)
      const { wanted, at } = first
      const mark = this.#mark(this.#labels.get(wanted) ?? '', wanted)
      cut += `${text.slice(from, at)}${mark}`
      from = at + wanted.length
      this.found++
      this.gone(wanted)
      for (const other of next) {
        this.#searched++
        if (other.at < from) this.#moveOn(text, other, from)
      }
    }
  }

  #moveOn(text: string, next: Next, from: number): void {
    const at = text.indexOf(next.wanted, from)
    next.at = at < 0 ? Number.POSITIVE_INFINITY : at
  }
}

interface Next {
  readonly wanted: string
  at: number
}

function earliest(next: readonly Next[]): Next | undefined {
  let best: Next | undefined
  for (const one of next) {
    if (one.at === Number.POSITIVE_INFINITY) continue
    const sooner = best === undefined || one.at < best.at
    if (sooner || (one.at === best?.at && one.wanted.length > best.wanted.length))
      best = one
  }
  return best
}
