/**
 * Phrases of several steps in the words of a text, in one pass: a word that is a step follows
 * the one before it within so many words. Digits and letters of other alphabets that stand for
 * those of ASCII within a word are read as such. Pure; a word is looked up in one trie walk,
 * and counts for no more steps than rules name it.
 */
import { isAlnumCode, isLetterCode } from './characters.js'
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

interface Reached {
  readonly word: number
  readonly start: number
}

const DEFAULT_GAP = 4
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
      steps.forEach((words, step) => {
        for (const word of words.split(' ')) {
          const isBeginning = word.endsWith('*')
          this.#words.add(word.replace('*', ''), { rule, step, isBeginning })
        }
      })
    })
  }

  find(text: string): PhraseHit[] {
    const hits: PhraseHit[] = []
    const state: State = { hits, reached: this.#rules.map(() => []) }
    let word = 0
    for (let i = 0; i < text.length && hits.length < MAX_PHRASES;) {
      const code = text.charCodeAt(i)
      if (!isAlnumCode(code) && !isLetterCode(code)) {
        i++
        continue
      }
      // Scripts that write without blanks: each character may begin a word.
      const isWide = isUnspaced(code)
      const end = isWide ? Math.min(text.length, i + 12) : wordEnd(text, i)
      word++
      if (end - i <= MAX_WORD) this.#wordAt(text, { from: i, end, word, isWide }, state)
      i = isWide ? i + 1 : end
    }
    return hits
  }

  #wordAt(text: string, { from, end, word, isWide }: Word, state: State): void {
    this.#walk(text, { from, end, word, isWide }, state)
    // `textIgnore`: what is not seen stood between the two.
    for (let i = from + 1; !isWide && i < end; i++)
      if (isUpper(text.charCodeAt(i)) && isLower(text.charCodeAt(i - 1)))
        this.#walk(text, { from: i, end, word, isWide }, state)
    if (!isWide && isMixedWord(text, from, end))
      this.#walk(text, { from, end, word, isWide, isMixed: true }, state)
  }

  #walk(
    text: string,
    { from, end, word, isWide, isMixed = false }: Word,
    state: State,
  ): void {
    let node = 0
    for (let i = from; i < end; i++) {
      const code = lowered(text.charCodeAt(i))
      node = this.#words.step(node, isMixed ? (STANDS_FOR.get(code) ?? code) : code)
      if (node === 0) return
      const steps = this.#words.valuesAt(node)
      if (steps === undefined) continue
      const isWhole = i + 1 === end || isWide
      for (const step of steps)
        if (isWhole || step.isBeginning) {
          const wordEnds = isWide ? i + 1 : end
          this.#step(text, step, { word, from, end: wordEnds }, state)
        }
    }
  }

  #step(
    text: string,
    { rule, step }: Step,
    { word, from, end }: { word: number; from: number; end: number },
    state: State,
  ): void {
    const states = state.reached[rule] as (Reached | undefined)[]
    const { steps, gap = DEFAULT_GAP } = this.#rules[rule] as PhraseRule
    let start = from
    if (step > 0) {
      const before = states[step - 1]
      if (before === undefined || before.word >= word || word - before.word > gap + 1)
        return
      ;({ start } = before)
    }
    if (step < steps.length - 1) {
      states[step] = { word, start }
      return
    }
    if ((this.#unless[rule] as ReadonlySet<string>).has(nextWord(text, end))) return
    states.length = 0
    state.hits.push({ rule: this.#rules[rule] as PhraseRule, start, end })
  }
}

interface Word {
  readonly from: number
  readonly end: number
  readonly word: number
  readonly isWide: boolean
  /** Its digits and look-alikes are read as letters. */
  readonly isMixed?: boolean
}

interface State {
  /** By rule and step. */
  readonly reached: (Reached | undefined)[][]
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

function wordEnd(text: string, from: number): number {
  let end = from + 1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (!isAlnumCode(code) && (!isLetterCode(code) || isUnspaced(code)) && !isMark(code))
      break
  }
  return end
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

/** Letters of ASCII among others or digits: written so as not to be read by programs. */
function isMixedWord(text: string, from: number, end: number): boolean {
  let ascii = false
  let other = false
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i)
    if ((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)) ascii = true
    else other = true
  }
  return ascii && other
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
