/**
 * Phrases of several steps in the words of a text, in one pass: a word that is a step follows
 * the one before it within so many words. Digits and letters of other alphabets that stand for
 * those of ASCII within a word are read as such. Pure; a word is looked up in one trie walk,
 * and counts for no more steps than rules name it.
 */
import { isAlnumCode, isDigitCode, isLetterCode } from './characters.js'
import { lowered } from './context.js'
import type { PhraseRule } from './rule.js'
import { Trie } from './trie.js'

export interface PhraseHit {
  readonly rule: PhraseRule
  readonly start: number
  readonly end: number
}

interface Step {
  readonly rule: number
  readonly step: number
  readonly isBeginning: boolean
}

const DEFAULT_GAP = 4
/** Steps that a phrase may have. */
const MAX_STEPS = 16
/** Longer is no word. */
const MAX_WORD = 48
/** Phrases that are told of one text. */
const MAX_PHRASES = 64

export class PhraseScan {
  readonly #rules: readonly PhraseRule[]
  readonly #unless: readonly ReadonlySet<string>[]
  readonly #words = new Trie<Step>()

  constructor(rules: readonly PhraseRule[]) {
    this.#rules = rules
    this.#unless = rules.map(({ unless = '' }) => new Set(unless.split(' ')))
    rules.forEach(({ steps }, rule) => {
      if (steps.length > MAX_STEPS) throw new Error(`a phrase of ${steps.length} steps`)
      steps.forEach((words, step) => {
        for (const word of words.split(' ')) {
          const isBeginning = word.endsWith('*')
          this.#words.add(word.replace('*', ''), { rule, step, isBeginning })
        }
      })
    })
  }

  find(text: string): PhraseHit[] {
    const state: State = {
      hits: [],
      words: new Int32Array(this.#rules.length * MAX_STEPS),
      starts: new Int32Array(this.#rules.length * MAX_STEPS),
    }
    let word = 0
    for (let i = 0; i < text.length && state.hits.length < MAX_PHRASES;) {
      const code = text.charCodeAt(i)
      if (code < 128 ? !isAlnumCode(code) : !isLetterCode(code)) {
        i++
        continue
      }
      word++
      if (code <= 0x39 && !this.#words.begins(code)) {
        // A number by itself is no step, and needs no look at its letters.
        let end = i + 1
        while (isDigitCode(text.charCodeAt(end))) end++
        const next = text.charCodeAt(end)
        if (!(next < 128 ? (IN_WORD[next] as number) > 0 : inWord(next) > 0)) {
          i = end
          continue
        }
      }
      // Scripts that write without blanks: each character may begin a word.
      if (isUnspaced(code)) {
        const end = Math.min(text.length, i + MAX_WIDE)
        this.#walk(text, { from: i, end, word, how: WIDE }, state)
        i++
      } else i = this.#wordAt(text, i, word, state)
    }
    return state.hits
  }

  /** Gives the end of the word. */
  #wordAt(text: string, from: number, word: number, state: State): number {
    let kinds = 0
    let end = from
    let isCamel = false
    for (let before = 0; end < text.length; end++) {
      const code = text.charCodeAt(end)
      const kind = code < 128 ? (IN_WORD[code] as number) : inWord(code)
      if (kind === 0) break
      isCamel ||= kind === UPPER && before === LOWER
      kinds |= kind
      before = kind
    }
    if (end - from > MAX_WORD) return end
    this.#walk(text, { from, end, word, how: PLAIN }, state)
    // `textIgnore`: what is not seen stood between the two.
    if (isCamel)
      for (let i = from + 1; i < end; i++)
        if (isUpper(text.charCodeAt(i)) && isLower(text.charCodeAt(i - 1)))
          this.#walk(text, { from: i, end, word, how: PLAIN }, state)
    if (kinds > OTHER && (kinds & OTHER) !== 0)
      this.#walk(text, { from, end, word, how: MIXED }, state)
    return end
  }

  #walk(text: string, { from, end, word, how }: Word, state: State): void {
    let node = 0
    for (let i = from; i < end; i++) {
      const code = lowered(text.charCodeAt(i))
      node = this.#words.step(node, how === MIXED ? (STANDS_FOR.get(code) ?? code) : code)
      if (node === 0) return
      const steps = this.#words.valuesAt(node)
      if (steps === undefined) continue
      const isWhole = i + 1 === end || how === WIDE
      for (const step of steps)
        if (isWhole || step.isBeginning)
          this.#step(text, step, { word, from, end: how === WIDE ? i + 1 : end }, state)
    }
  }

  #step(
    text: string,
    { rule, step }: Step,
    { word, from, end }: { word: number; from: number; end: number },
    { words, starts, hits }: State,
  ): void {
    const { steps, gap = DEFAULT_GAP } = this.#rules[rule] as PhraseRule
    const at = rule * MAX_STEPS + step
    let start = from
    if (step > 0) {
      const before = words[at - 1] as number
      if (before === 0 || before >= word || word - before > gap + 1) return
      start = starts[at - 1] as number
    }
    if (step < steps.length - 1) {
      words[at] = word
      starts[at] = start
      return
    }
    if ((this.#unless[rule] as ReadonlySet<string>).has(nextWord(text, end))) return
    words.fill(0, rule * MAX_STEPS, (rule + 1) * MAX_STEPS)
    hits.push({ rule: this.#rules[rule] as PhraseRule, start, end })
  }
}

const PLAIN = 0
/** Of a script without blanks. */
const WIDE = 1
/** Its digits and look-alikes are read as letters. */
const MIXED = 2
/** Characters of a script without blanks that are walked from one place. */
const MAX_WIDE = 12

interface Word {
  readonly from: number
  readonly end: number
  /** Its number. */
  readonly word: number
  readonly how: typeof PLAIN | typeof WIDE | typeof MIXED
}

interface State {
  /** By rule and step: the number of the word that was the last to be it; 0: none. */
  readonly words: Int32Array
  readonly starts: Int32Array
  readonly hits: PhraseHit[]
}

function nextWord(text: string, from: number): string {
  return (
    /^[^\w.?!\n]{0,3}(\w{1,20})/.exec(text.slice(from, from + 24))?.[1] ?? '-'
  ).toLowerCase()
}

/** Thai, Lao, Khmer, and what East Asia writes. */
function isUnspaced(code: number): boolean {
  if (code < 0x0e00) return false
  return code < 0x0f00 || (code >= 0x1780 && code < 0x1800) || code >= 0x3000
}

/** A digit, a letter of another script, a sign that stands for a letter. */
const OTHER = 1
const LOWER = 2
const UPPER = 4

const IN_WORD = Uint8Array.from({ length: 128 }, (_none, code) => inWord(code))

/** What it is within a word; 0: it is none of it. */
function inWord(code: number): number {
  if (isLower(code)) return LOWER
  if (isUpper(code)) return UPPER
  if (code < 128) return isAlnumCode(code) || isMark(code) ? OTHER : 0
  return isLetterCode(code) && !isUnspaced(code) ? OTHER : 0
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

/** `@` and `$` within a word are letters of it. */
function isMark(code: number): boolean {
  return code === 0x40 || code === 0x24
}

const STANDS_FOR: ReadonlyMap<number, number> = new Map(
  (
    [
      ['013457@$', 'oieastas'],
      [
        '\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u043a\u043c\u043d\u0442',
        'aeopcyxisjkmht',
      ],
      ['\u03b1\u03b5\u03bf\u03c1\u03c5\u03b9\u03ba\u03bd', 'aeopuikv'],
    ] as const
  ).flatMap(([from, to]) =>
    Array.from(from, (char, i): [number, number] => [
      char.charCodeAt(0),
      to.charCodeAt(i),
    ]),
  ),
)
