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
    const said = new Map<CompiledForm, number>()
    this.#hits.each(start, end, (word) => {
      for (const form of node.speakingOf(word) ?? [])
        if (!said.has(form) && (form.rule.said ?? 0) >= this.#least) said.set(form, word)
    })
    const sure = isAlone || this.#least === 0 ? node.forms : node.sure
    if (said.size === 0 && sure.length === 0) return
    let written: ReturnType<typeof writtenIn> | undefined
    for (const form of new Set([...sure, ...said.keys()])) {
      const { rule, check } = form
      const word = said.get(form)
      const alone = isAlone ? (rule.alone ?? 0) : 0
      const most = Math.max(rule.confidence, alone, word === undefined ? 0 : 1)
      if (most < this.#least || isFull(rule.kind)) continue
      written ??= writtenIn(this.#text.slice(start, end))
      if (!isSeparated(form, written.separators)) continue
      if (!(check?.(written.compact) ?? true)) continue
      tell(this.#finding(form, place, alone, word))
    }
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
