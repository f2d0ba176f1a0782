/**
 * Which forms hold where groups stand as some have them: first which of these somebody would
 * act on there (by themselves, alone in their text, or beside a word that speaks of them), and
 * of these only the check digits are made. Pure.
 */
import type { WordHits, WordIndex } from './context.js'
import { isSeparated, writtenIn } from './form-scan.js'
import type { FormPlace } from './form-scan.js'
import type { CompiledForm } from './rule-tables.js'
import type { Finding } from './rule.js'

const NONE_SAID: ReadonlyMap<CompiledForm, number> = new Map()

export class FormWords {
  readonly #text: string
  readonly #hits: WordHits
  readonly #words: WordIndex
  readonly #least: number
  readonly #start: number
  readonly #end: number

  /** `least`: as sure as whoever asks wants it. */
  constructor(text: string, hits: WordHits, words: WordIndex, least: number) {
    this.#text = text
    this.#hits = hits
    this.#words = words
    this.#least = least
    this.#start = text.length - text.trimStart().length
    this.#end = text.trimEnd().length
  }

  /** `isFull`: no more of that kind is wanted. */
  each(
    place: FormPlace,
    isFull: (kind: string) => boolean,
    tell: (finding: Finding) => void,
  ): void {
    const { node, start, end } = place
    const isAlone = start === this.#start && end === this.#end
    const sure = isAlone || this.#least === 0 ? node.forms : node.sure
    const said = this.#hits.isNear(start, end) ? this.#saidOf(place) : NONE_SAID
    if (said.size === 0 && sure.length === 0) return
    let written: ReturnType<typeof writtenIn> | undefined
    const all = said.size === 0 ? sure : new Set([...sure, ...said.keys()])
    for (const form of all) {
      const { rule, check } = form
      const word = said.get(form)
      const alone = isAlone ? (rule.alone ?? 0) : 0
      const isWanted =
        word !== undefined || rule.confidence >= this.#least || alone >= this.#least
      if (!isWanted || isFull(rule.kind)) continue
      written ??= writtenIn(this.#text, start, end)
      if (!isSeparated(form, written.separators)) continue
      if (check !== undefined && !check(written.compact)) continue
      tell(this.#finding(form, place, alone, word))
    }
  }

  /** Forms of which a word beside them speaks, each with the nearest. */
  #saidOf({ node, start, end }: FormPlace): ReadonlyMap<CompiledForm, number> {
    const said = new Map<CompiledForm, number>()
    this.#hits.each(start, end, (word) => {
      for (const form of node.speakingOf(word) ?? [])
        if (!said.has(form) && (form.rule.said ?? 0) >= this.#least) said.set(form, word)
    })
    return said
  }

  #finding(
    { rule }: CompiledForm,
    { start, end }: FormPlace,
    alone: number,
    word: number | undefined,
  ): Finding {
    let { confidence } = rule
    let why = rule.check === undefined ? 'its form' : 'its form and check digits'
    if (alone > confidence) {
      confidence = alone
      why += ', alone in its text'
    }
    if (word !== undefined && (rule.said ?? 0) > confidence) {
      confidence = rule.said as number
      why += `, beside "${this.#words.wordOf(word)}"`
    }
    const { kind, id } = rule
    return { class: rule.class, kind, start, end, confidence, rule: id, why }
  }
}
