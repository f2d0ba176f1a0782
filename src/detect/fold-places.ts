/**
 * A folded text that knows where it comes from: what was found there can be taken out of the
 * text as it stands. Pure; rests as it goes. What one character becomes is worked out once and
 * kept in a table, and so is what a character becomes with the marks behind it.
 */
import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'
import { foldWhole, isSeam, TO_FOLD } from './fold.js'

export interface FoldedPlaces {
  readonly text: string
  /** Where in the original the character at this place of `text` begins. UTF-16 offsets. */
  start(at: number): number
  /** Where in the original the character before this place of `text` ends. */
  end(at: number): number
}

/** In one go: for what is short. */
export function foldedWithPlaces(text: string): FoldedPlaces {
  return atOnce(foldingWithPlaces(text))
}

/** As `foldedWithPlaces`. */
export function* foldingWithPlaces(text: string): Resting<FoldedPlaces> {
  if (!TO_FOLD.test(text)) return { text, start: (at) => at, end: (at) => at }
  return yield* new Folding(text).run()
}

/** A character with what combines with it: the smallest that can be folded by itself. */
const CLUSTER = /(?:[^\p{M}]\p{M}*|\p{M}+)/uy
const MARK = /^\p{M}/u
const HIDDEN_END = /[\p{DI}\u20e3]$/u
/** A mark that is not seen, at the end of what it combines with. */
const REST_CHARS = 8 * 1024

/** What a code unit becomes: not looked at yet, itself a mark or a half, gone, more than one. */
const UNKNOWN = 0
const OTHER = 0xffff
const GONE = 0xfffe
/** By code unit; made when the first text needs it. */
let units: Uint16Array | undefined
const clusters = new Map<string, Folded>()
/** Clusters that are remembered. */
const MAX_CLUSTERS = 4096

interface Folded {
  readonly piece: string
  readonly isHidden: boolean
}

class Folding {
  readonly #text: string
  readonly #units = (units ??= new Uint16Array(0x10000))
  #plain: Uint16Array
  #size = 0
  /** Where runs begin in which each character is one: in `plain`, and in the original. */
  readonly #runs = new Places()
  readonly #from = new Places()
  /** End in the original of what became a run's one piece; -1: character by character. */
  readonly #until = new Places()
  #isHidden = false

  constructor(text: string) {
    this.#text = text
    this.#plain = new Uint16Array(text.length + 64)
  }

  *run(): Resting<FoldedPlaces> {
    const text = this.#text
    let rest = REST_CHARS
    for (let i = 0; i < text.length;) {
      if (i >= rest) {
        rest = i + REST_CHARS
        yield
      }
      const code = text.charCodeAt(i)
      if (isPlain(code)) {
        i = this.#plainFrom(i)
        continue
      }
      const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0x20
      const unit = this.#unit(code)
      // With nothing behind it that could combine.
      if (unit !== OTHER && (next < 0x300 || this.#unit(next) !== OTHER)) {
        if (unit === GONE) this.#isHidden = true
        else this.#one(unit, i)
        i++
      } else i = this.#cluster(i)
    }
    return this.#places()
  }

  /** What ASCII shows is as it is, but for the last, with which what follows may combine. */
  #plainFrom(from: number): number {
    const text = this.#text
    let end = from + 1
    const most = Math.min(text.length, from + REST_CHARS)
    while (end < most && isPlain(text.charCodeAt(end))) end++
    const isCombined = end < text.length && text.charCodeAt(end) >= 0x300
    if (isCombined && this.#unit(text.charCodeAt(end)) === OTHER) {
      if (--end === from) return this.#cluster(from)
    }
    this.#one(text.charCodeAt(from), from)
    for (let i = from + 1; i < end; i++) this.#put(text.charCodeAt(i))
    return end
  }

  /** What a code unit by itself becomes. */
  #unit(code: number): number {
    const known = this.#units[code] as number
    if (known !== UNKNOWN) return known
    const made = unitOf(code)
    this.#units[code] = made
    return made
  }

  #one(unit: number, from: number): void {
    this.#seam(unit, from)
    const last = this.#runs.length - 1
    const isSame =
      last >= 0 &&
      this.#until.at(last) === -1 &&
      from - this.#from.at(last) === this.#size - this.#runs.at(last)
    if (!isSame) this.#begin(from, -1)
    this.#put(unit)
  }

  /** Gives its end. */
  #cluster(from: number): number {
    const text = this.#text
    CLUSTER.lastIndex = from
    const end = CLUSTER.test(text) ? CLUSTER.lastIndex : from + 1
    const { piece, isHidden } = clusterOf(text.slice(from, end))
    if (piece === '') {
      this.#isHidden = true
      return end
    }
    this.#seam(piece.charCodeAt(0), from)
    this.#isHidden = isHidden
    this.#begin(from, end)
    for (let i = 0; i < piece.length; i++) this.#put(piece.charCodeAt(i))
    return end
  }

  /** Nothing within a word or a number; between the two, it is where one ends. */
  #seam(next: number, from: number): void {
    if (!this.#isHidden) return
    this.#isHidden = false
    if (this.#size === 0) return
    const before = String.fromCharCode(this.#plain[this.#size - 1] as number)
    if (!isSeam(before, String.fromCharCode(next))) return
    this.#begin(from, from)
    this.#put(0x20)
  }

  #begin(from: number, until: number): void {
    this.#runs.push(this.#size)
    this.#from.push(from)
    this.#until.push(until)
  }

  #put(unit: number): void {
    if (this.#size === this.#plain.length) {
      const more = new Uint16Array(this.#plain.length * 2)
      more.set(this.#plain)
      this.#plain = more
    }
    this.#plain[this.#size++] = unit
  }

  #places(): FoldedPlaces {
    const runs = this.#runs
    const from = this.#from
    const until = this.#until
    const { length } = this.#text
    const size = this.#size
    const runAt = (at: number): number => {
      let low = 0
      let high = runs.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (runs.at(middle) <= at) low = middle + 1
        else high = middle
      }
      return low - 1
    }
    const { buffer } = this.#plain
    return {
      text: Buffer.from(buffer, 0, size * 2).toString('utf16le'),
      start(at) {
        if (at >= size) return length
        const run = runAt(at)
        const first = from.at(run)
        return until.at(run) === -1 ? first + at - runs.at(run) : first
      },
      end(at) {
        if (at === 0) return 0
        if (at > size) return length
        const run = runAt(at - 1)
        const last = until.at(run)
        return last === -1 ? from.at(run) + at - runs.at(run) : last
      },
    }
  }
}

/** Numbers that only grow in number: an `Array` of half a million takes 10 ms to grow once more. */
class Places {
  length = 0
  #values = new Int32Array(256)

  push(value: number): void {
    if (this.length === this.#values.length) {
      const more = new Int32Array(this.length * 2)
      more.set(this.#values)
      this.#values = more
    }
    this.#values[this.length++] = value
  }

  at(index: number): number {
    return this.#values[index] as number
  }
}

function isPlain(code: number): boolean {
  return code >= 0x20 && code < 0x7f
}

/** One code unit, GONE, or OTHER where it combines, is half of a pair, or becomes several. */
function unitOf(code: number): number {
  if (code >= 0xd800 && code <= 0xdfff) return OTHER
  const char = String.fromCharCode(code)
  if (MARK.test(char)) return OTHER
  const piece = TO_FOLD.test(char) ? foldWhole(char) : char
  if (piece === '') return GONE
  return piece.length === 1 && piece.charCodeAt(0) < GONE ? piece.charCodeAt(0) : OTHER
}

function clusterOf(cluster: string): Folded {
  const known = clusters.get(cluster)
  if (known !== undefined) return known
  const piece = foldWhole(cluster)
  const made = { piece, isHidden: piece === '' || HIDDEN_END.test(cluster) }
  if (clusters.size >= MAX_CLUSTERS) clusters.clear()
  if (cluster.length <= MAX_KEPT) clusters.set(cluster, made)
  return made
}

/** Longer ones do not come again. */
const MAX_KEPT = 16
