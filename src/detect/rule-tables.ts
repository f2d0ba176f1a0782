/**
 * Rules of the catalogue, as what one scan looks up: literal beginnings in a trie, groups of
 * digits and letters in another, literals within tokens, words of names. Pure.
 */
import { CHECKERS } from './checkers.js'
import type { Check } from './check-europe.js'
import { WordIndex } from './context.js'
import { folded } from './fold.js'
import { leastChars, SURE } from './rule.js'
import type {
  AnchorRule,
  FormRule,
  NamedRule,
  PhraseRule,
  PrefixRule,
  Rule,
} from './rule.js'
import { Trie } from './trie.js'

export interface Compiled<R extends Rule> {
  readonly rule: R
  /** Sticky: matches at `lastIndex`. */
  readonly body: RegExp
  readonly least: number
  readonly check: Check | undefined
  readonly context: ReadonlySet<number> | undefined
}

export interface CompiledForm {
  readonly rule: FormRule
  /** Characters that may stand behind each group but the last; '' for any of `between`. */
  readonly separators: readonly string[]
  readonly between: string
  readonly check: Check | undefined
  readonly context: ReadonlySet<number> | undefined
}

/** Characters of all groups of a form. */
const MAX_FORM_CHARS = 20

/** Keys of groups of up to five characters are smaller. */
const SHORT = 64

export class FormNode {
  readonly #next = new Map<number, FormNode>()
  /** The same of short groups, which are asked for most. */
  readonly #short: (FormNode | undefined)[] = Array.from<undefined>({ length: SHORT })
  #isLast = true
  readonly forms: CompiledForm[] = []
  /** Those that are acted on whatever stands beside them. */
  readonly sure: CompiledForm[] = []
  #byWord: ReadonlyMap<number, readonly CompiledForm[]> | undefined

  /** Do any go on? */
  get isLast(): boolean {
    return this.#isLast
  }

  /** Behind a group; see `stepped` for its key. */
  step(key: number): FormNode | undefined {
    return key < SHORT ? this.#short[key] : this.#next.get(key)
  }

  add(key: number): FormNode {
    const known = this.step(key)
    if (known !== undefined) return known
    const made = new FormNode()
    this.#isLast = false
    this.#next.set(key, made)
    if (key < SHORT) this.#short[key] = made
    return made
  }

  /** Those of which a word speaks. */
  speakingOf(word: number): readonly CompiledForm[] | undefined {
    this.#byWord ??= byWord(this.forms)
    return this.#byWord.get(word)
  }
}

function byWord(forms: readonly CompiledForm[]): Map<number, CompiledForm[]> {
  const all = new Map<number, CompiledForm[]>()
  for (const form of forms)
    for (const word of form.context ?? []) {
      const known = all.get(word)
      if (known === undefined) all.set(word, [form])
      else known.push(form)
    }
  return all
}

export class RuleTables {
  readonly prefixes = new Trie<Compiled<PrefixRule>>()
  readonly anchors: Compiled<AnchorRule>[] = []
  readonly named: Compiled<NamedRule>[] = []
  readonly forms = new FormNode()
  readonly phrases: PhraseRule[] = []
  readonly words = new WordIndex()

  /** @throws Error for a rule that cannot be: `config/` says where and what before. */
  constructor(rules: readonly Rule[]) {
    for (const rule of rules) this.#add(rule)
  }

  #add(rule: Rule): void {
    switch (rule.by) {
      case 'prefix': {
        const one = this.#compiled(rule)
        for (const prefix of rule.prefixes) this.prefixes.add(prefix, one)
        return
      }
      case 'anchor':
        this.anchors.push(this.#compiled(rule))
        return
      case 'named':
        this.named.push(this.#compiled(rule))
        return
      case 'form':
        this.#addForms(rule)
        return
      case 'phrase':
        this.phrases.push(rule)
    }
  }

  #compiled<R extends PrefixRule | AnchorRule | NamedRule>(rule: R): Compiled<R> {
    return {
      rule,
      body: new RegExp(rule.body, 'y'),
      least: leastChars(rule.body),
      check: checkOf(rule),
      context: this.#contextOf(rule),
    }
  }

  #contextOf({ context }: Rule): ReadonlySet<number> | undefined {
    return context === undefined
      ? undefined
      : new Set(
          // As it stands in a text, and as it does in one that was folded.
          context.flatMap((word) => [this.words.add(word), this.words.add(folded(word))]),
        )
  }

  #addForms(rule: FormRule): void {
    const context = this.#contextOf(rule)
    const check = checkOf(rule)
    const between = rule.between ?? ' -'
    for (const form of rule.forms) {
      const groups = form.split(/[^dAx]/)
      const separators = Array.from(form.replace(/[dAx]/g, ''), (char) =>
        char === ' ' ? '' : char,
      )
      let nodes = [this.forms]
      for (const group of groups) nodes = nodes.flatMap((node) => stepped(node, group))
      const compiled = { rule, separators, between, check, context }
      for (const node of nodes) {
        node.forms.push(compiled)
        if (rule.confidence >= SURE) node.sure.push(compiled)
      }
    }
  }
}

function checkOf(rule: Rule): Check | undefined {
  if (rule.check === undefined) return undefined
  const check = CHECKERS.get(rule.check)
  if (check === undefined) throw new Error(`${rule.id}: no checker ${rule.check}`)
  return check
}

/** One bit a character, 1 for a letter, and a 1 before all of them. */
function stepped(from: FormNode, group: string): FormNode[] {
  let keys = [1]
  for (const char of group.slice(0, MAX_FORM_CHARS))
    keys = keys.flatMap((key) =>
      char === 'x' ? [key * 2, key * 2 + 1] : [key * 2 + (char === 'A' ? 1 : 0)],
    )
  return keys.map((key) => from.add(key))
}
