/**
 * All that is found in a text, by the rules of one catalogue: personal data, secrets, orders to
 * a model that its reader did not give. Linear; what is tried at a place is bounded, and a long
 * text is gone through in pieces. Pure.
 */
import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'
import { AssignedScan } from './assigned.js'
import type { NamedRules } from './assigned.js'
import { isAlnumCode, isWordCode } from './characters.js'
import type { WordHits } from './context.js'
import { formsAt } from './form-scan.js'
import type { FormPlace } from './form-scan.js'
import { FormWords } from './form-words.js'
import { InjectionScan } from './injection.js'
import type { SaidBy } from './injection.js'
import { eachPersonalFinding } from './personal-kinds.js'
import { RuleTables } from './rule-tables.js'
import { SURE } from './rule.js'
import type { Finding, Rule } from './rule.js'
import { structuresIn } from './structures.js'
import { TokenScan } from './token-scan.js'
import type { TokenHit } from './token-scan.js'

export interface DetectOptions {
  /** Whose words they are: orders in what a tool gives weigh more. */
  readonly said?: SaidBy
  /** Findings that nobody acts on, too. */
  readonly unsure?: boolean
}

/** Characters that are searched in one go, and those behind that are seen again. */
export const SEARCHED_CHARS = 32 * 1024
export const SEARCHED_AGAIN = 4 * 1024
/** Of these, so many in one turn. */
const REST_CHARS = 8 * 1024

/** What is found more often of one kind in a text is not told. */
export const MAX_OF_KIND = 1024
/** Places in one piece at which groups stand as some form has them. */
const MAX_PLACES = 8192

/** How often each kind was found in one text. */
class Tally {
  readonly #counts = new Map<string, number>()

  /** One more; false: there were enough of it. */
  has(kind: string): boolean {
    const count = this.#counts.get(kind) ?? 0
    if (count >= MAX_OF_KIND) return false
    this.#counts.set(kind, count + 1)
    return true
  }

  isFull(kind: string): boolean {
    return (this.#counts.get(kind) ?? 0) >= MAX_OF_KIND
  }
}

export class Detector {
  readonly #tables: RuleTables
  readonly #injection: InjectionScan
  readonly #names: NamedRules

  /** @throws Error for a rule that names no checker, or whose pattern is none */
  constructor(rules: readonly Rule[]) {
    this.#tables = new RuleTables(rules)
    this.#injection = new InjectionScan(this.#tables.phrases)
    this.#names = { rules: this.#tables.named, known: new Map() }
  }

  /** Of a text of at most `SEARCHED_CHARS` and `SEARCHED_AGAIN`; by where they begin. */
  find(text: string, options: DetectOptions = {}): Finding[] {
    return atOnce(this.#find(text, options, new Tally()))
  }

  /** Of a text of any length, in pieces. */
  *search(text: string, options: DetectOptions = {}): Resting<Finding[]> {
    if (text.length <= SEARCHED_CHARS + SEARCHED_AGAIN)
      return yield* this.#find(text, options, new Tally())
    const all: Finding[] = []
    const tally = new Tally()
    for (let at = 0; at < text.length;) {
      const piece = ofItsOwn(text.slice(at, at + SEARCHED_CHARS + SEARCHED_AGAIN))
      const isLast = at + piece.length >= text.length
      const next = isLast ? piece.length : cutIn(piece)
      for (const found of yield* this.#find(piece, options, tally))
        if (found.start < next)
          all.push({ ...found, start: found.start + at, end: found.end + at })
      at += next
      yield
    }
    return settled(all)
  }

  /** Rests between its parts, each of which looks through the whole piece. */
  *#find(text: string, options: DetectOptions, tally: Tally): Resting<Finding[]> {
    const least = options.unsure === true ? 0 : SURE
    const found = yield* this.#findEach(text, least, tally)
    yield
    const all = [...found, ...this.#injection.find(text, options.said)]
    return settled(all.filter(({ confidence }) => confidence >= least))
  }

  *#findEach(text: string, least: number, tally: Tally): Resting<Finding[]> {
    const found: Finding[] = []
    const add = (one: Finding): void => {
      if (tally.has(one.kind)) found.push(one)
    }
    const isFull = (kind: string): boolean => tally.isFull(kind)
    yield* eachPersonalFinding(text, isFull, add)
    yield
    let known: WordHits | undefined
    const hits = (): WordHits => (known ??= this.#tables.words.hits(text))
    const tokens = new TokenScan(text, this.#tables, (hit) => {
      if (!isFull(hit.compiled.rule.kind)) add(tokenFinding(text, hit, hits))
    })
    const places: FormPlace[] = []
    yield* this.#walk(text, { tokens, places, add, isFull })
    tokens.anchored()
    yield
    structuresIn(text, isFull, (hit) => {
      add({ ...hit, why: 'its form' })
    })
    if (places.length === 0) return found
    yield
    const words = new FormWords(text, hits(), this.#tables.words, least)
    for (const place of places) words.each(place, isFull, add)
    return found
  }

  /** Each place at which a word begins, and each sign behind which a value may stand. */
  *#walk(text: string, { tokens, places, add, isFull }: WalkTold): Resting<void> {
    const tell = (node: FormPlace['node'], start: number, end: number): void => {
      if (places.length < MAX_PLACES) places.push({ node, start, end })
    }
    const assigned = new AssignedScan(text, this.#names, isFull)
    const { forms: root, prefixes } = this.#tables
    const walk: Walk = { text, tokens, assigned, root, prefixes, tell, add }
    for (let i = 0; i < text.length;) {
      i = walked(walk, i, Math.min(text.length, i + REST_CHARS))
      if (i < text.length) yield
    }
  }
}

interface WalkTold {
  readonly tokens: TokenScan
  readonly places: FormPlace[]
  readonly add: (one: Finding) => void
  readonly isFull: (kind: string) => boolean
}

interface Walk {
  readonly text: string
  readonly tokens: TokenScan
  readonly assigned: AssignedScan
  readonly root: RuleTables['forms']
  readonly prefixes: RuleTables['prefixes']
  readonly tell: (node: FormPlace['node'], start: number, end: number) => void
  readonly add: (one: Finding) => void
}

/** From one place to another, and to the end of the word there. */
function walked(walk: Walk, from: number, until: number): number {
  const { text, tokens, assigned, root, prefixes, tell, add } = walk
  let i = from
  while (i < until) {
    const code = text.charCodeAt(i)
    if (!isAlnumCode(code)) {
      if (code === 0x3d || code === 0x3a) {
        const hit = assigned.at(i)
        if (hit !== undefined)
          add({ class: 'secret', ...hit, why: `the value of ${hit.name.slice(-40)}` })
      }
      i++
      continue
    }
    const isInside = isWordCode(text.charCodeAt(i - 1))
    if (!isInside && prefixes.begins(code) && !isAmid(text, i)) {
      const end = tokens.at(i)
      if (end > i) {
        i = end
        continue
      }
    }
    i = isInside ? wordEnd(text, i) : formsAt(text, i, root, tell)
  }
  return i
}

function tokenFinding(text: string, hit: TokenHit, hits: () => WordHits): Finding {
  const { compiled, start, end } = hit
  const { rule, context } = compiled
  let { confidence } = rule
  let why =
    rule.by === 'prefix' ? `begins with ${text.slice(start, start + 4)}` : 'its form'
  const word = context === undefined ? undefined : hits().beside(start, end, context)
  if (word !== undefined && (rule.said ?? 0) > confidence) {
    confidence = rule.said as number
    why += ', beside a word for it'
  }
  return {
    class: rule.class,
    kind: rule.kind,
    start,
    end,
    confidence,
    rule: rule.id,
    why,
  }
}

const WIDE = /[^\0-\xff]/

/** A copy: to look at a character of a part of a longer text takes a step more. */
function ofItsOwn(piece: string): string {
  const encoding = WIDE.test(piece) ? 'utf16le' : 'latin1'
  return Buffer.from(piece, encoding).toString(encoding)
}

function wordEnd(text: string, from: number): number {
  let end = from + 1
  while (end < text.length && isWordCode(text.charCodeAt(end))) end++
  return end
}

/** Within base64, a file's name, a number: no key begins there. */
function isAmid(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  if (before === 0x2b || before === 0x25) return isAlnumCode(text.charCodeAt(at - 2))
  if (before !== 0x2e && before !== 0x2d) return false
  return isAlnumCode(text.charCodeAt(at - 2))
}

/** Behind a blank, so that nothing begins in the middle of a word. */
function cutIn(piece: string): number {
  for (let at = SEARCHED_CHARS; at > SEARCHED_CHARS - 1024; at--)
    if (/\s/.test(piece[at - 1] ?? '')) return at
  return SEARCHED_CHARS
}

/**
 * By where they begin; of two of one class the one that holds the other, or is as long and
 * surer. A number may be an id in several countries: then each is told.
 */
function settled(all: readonly Finding[]): Finding[] {
  const sorted = all.toSorted(
    (a, b) => a.start - b.start || b.end - a.end || b.confidence - a.confidence,
  )
  const kept: Finding[] = []
  for (const one of sorted) {
    if (kept.slice(-LOOKED_BACK).some((other) => isOver(other, one))) continue
    kept.push(one)
  }
  return kept
}

const LOOKED_BACK = 16

function isOver(other: Finding, one: Finding): boolean {
  if (one.end > other.end) return false
  const isSame = one.start === other.start && one.end === other.end
  if (one.class !== other.class)
    return other.class === 'secret' && one.class === 'pii' && !isUrl(other)
  if (isSame) return one.kind === other.kind
  return (
    other.class !== 'injection' &&
    other.kind !== 'URL' &&
    one.confidence <= other.confidence + 0.1
  )
}

function isUrl({ kind }: Finding): boolean {
  return kind === 'URL_CREDENTIALS'
}
