/**
 * What a rule of the catalogue is, and what is found by one. Rules are data
 * (`config/detect/*.yaml`, and the household's own file): this module says their shape, and what
 * a pattern may be so that looking for it takes no longer than its length. Pure.
 */
export const DETECT_CLASSES = ['secret', 'pii', 'injection'] as const
export type DetectClass = (typeof DETECT_CLASSES)[number]

/** Policies act on what is at least as sure. */
export const SURE = 0.5

/** UTF-16 offsets in the text that was searched; the end is not included. */
export interface Finding {
  readonly class: DetectClass
  /** `CREDIT_CARD`, `DE_TAX_ID`, `GITHUB_TOKEN`, `OVERRIDE`. */
  readonly kind: string
  readonly start: number
  readonly end: number
  /** 0 to 1. */
  readonly confidence: number
  /** The rule's `id`. */
  readonly rule: string
  /** What made it as sure as it is. */
  readonly why: string
}

interface RuleBase {
  readonly id: string
  readonly class: DetectClass
  readonly kind: string
  readonly confidence: number
  readonly source: string
  /** `{alnum*36}` stands for characters that are made up anew; see `example.ts`. */
  readonly example: string
  /** Looks like it and is none. */
  readonly near: string
  /** Words beside it that make it surer, to `said`; in small letters. */
  readonly context?: readonly string[]
  readonly said?: number
  /** How sure where it is all of its text. */
  readonly alone?: number
  /** A checker's name: see `checkers.ts`. */
  readonly check?: string
}

/** `body` behind one of the literal beginnings, which stand at the beginning of a word. */
export interface PrefixRule extends RuleBase {
  readonly by: 'prefix'
  readonly prefixes: readonly string[]
  readonly body: string
  /** Bits a character of the body at the least: `XXXX` is a placeholder. */
  readonly entropy?: number
}

/** `body` around a literal: `back` characters of it stand before that. */
export interface AnchorRule extends RuleBase {
  readonly by: 'anchor'
  readonly anchor: string
  readonly back: number
  readonly body: string
  readonly entropy?: number
}

/** The value of a name with one of these words in it: `meraki_key = ...`. */
export interface NamedRule extends RuleBase {
  readonly by: 'named'
  readonly names: readonly string[]
  readonly body: string
  readonly entropy?: number
}

/**
 * Groups as people write them: `d` a digit, `A` a letter, `x` either, and a blank where one of
 * `between` may stand, the same at each place.
 */
export interface FormRule extends RuleBase {
  readonly by: 'form'
  readonly forms: readonly string[]
  readonly between?: string
}

/** Words that follow one another: see `phrases.ts`. */
export interface PhraseRule extends RuleBase {
  readonly by: 'phrase'
  /** Words of each, a blank between; `*` at the end of one: however it goes on. */
  readonly steps: readonly string[]
  /** Words that may stand between two steps. */
  readonly gap?: number
  /** Words of which none may follow. */
  readonly unless?: string
  /** How sure in what a tool gave. */
  readonly tool?: number
}

export type Rule = PrefixRule | AnchorRule | NamedRule | FormRule | PhraseRule

/** Longest span that a pattern may have. */
export const MAX_PATTERN_CHARS = 8192

const ITEM =
  /(\\[.\-/+*?()[\]{}|^$\\=:_~@#%&!,;'"` ]|\\d|\\w|\[(?:\\.|[^\]\\^])(?:\\.|[^\]\\])*\]|\(\?:[\w.:/=@+-]{0,24}(?:\|[\w.:/=@+-]{0,24}){0,24}\)|[A-Za-z0-9_=:;,/@#%&!~'"` <>-])(\?|\{\d{1,4}(?:,\d{1,4})?\})?/y

/**
 * Why this is no pattern that is searched in linear time; undefined when it is one: characters,
 * classes and choices of literals, each with a bounded number.
 */
export function patternProblem(source: string): string | undefined {
  let chars = 0
  for (let at = 0; at < source.length; at = ITEM.lastIndex) {
    ITEM.lastIndex = at
    const found = ITEM.exec(source)
    if (found === null)
      return `has ${JSON.stringify(source.slice(at, at + 12))}, which no pattern may have`
    const most = /\{(?:\d+,)?(\d+)\}/.exec(found[2] ?? '')
    chars += most === null ? 1 : Number(most[1])
  }
  if (source === '') return 'is empty'
  return chars > MAX_PATTERN_CHARS
    ? `may span more than ${MAX_PATTERN_CHARS} characters`
    : undefined
}

/** Fewest characters that it matches. */
export function leastChars(source: string): number {
  let chars = 0
  for (let at = 0; at < source.length; at = ITEM.lastIndex) {
    ITEM.lastIndex = at
    const found = ITEM.exec(source)
    if (found === null) return chars
    const [, item = '', count = ''] = found
    const alternatives = item.startsWith('(?:') ? item.slice(3, -1).split('|') : ['x']
    const one = Math.min(...alternatives.map((each) => each.length))
    if (count === '?') continue
    chars += one * (count === '' ? 1 : Number(/\d+/.exec(count)?.[0]))
  }
  return chars
}
