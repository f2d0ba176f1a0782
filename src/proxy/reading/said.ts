/**
 * What a request says, made ready for policies: its texts folded, in pieces that one look can
 * take, with the personal data that is in them. Knows nothing of JSON or of providers; rests
 * as it goes.
 */
import type { Resting } from '../../core/resting.js'
import { WHO } from '../../core/who.js'
import type { Who } from '../../core/who.js'
import { folded } from '../../detect/fold.js'
import { findPersonal, PERSONAL_KINDS } from '../../detect/personal.js'
import type { TextPiece } from '../../policy/input.js'
import type { FindingInput } from '../../policy/policy.js'
import type { Piece, Unit } from '../../providers/body-text.js'
import type { EditText, SaidContent } from '../words/content.js'

/** What of it was heard before in its conversation. */
export interface SaidBefore {
  hasPassed(unit: Unit): Resting<boolean>
  hasSaid(line: string): boolean
}

export interface Said extends SaidContent {
  /** At least one. */
  readonly pieces: readonly TextPiece[]
  readonly chars: Readonly<Record<Who, number>>
  readonly findings: readonly FindingInput[]
  /** What was looked at, and in which personal data was found. */
  readonly looked: readonly { readonly unit: Unit; readonly found: boolean }[]
}

export interface SaidLimits {
  /** Characters that a policy sees at once, and of those before that it sees again. */
  readonly pieceChars: number
  readonly overlapChars: number
}

export const SAID_LIMITS: SaidLimits = { pieceChars: 32 * 1024, overlapChars: 512 }

/** Characters that are searched in one go: the dearest text takes some 5 ms a 16 KiB. */
const SEARCHED_CHARS = 8 * 1024
/** Longer than anything that is found. */
const SEARCHED_AGAIN = 256

/** What has passed before is not looked at again. */
export function* saidOf(
  units: readonly Unit[],
  before?: SaidBefore,
  limits: SaidLimits = SAID_LIMITS,
  edit?: EditText,
): Resting<Said> {
  const pieces = new Pieces(limits)
  const findings = new Findings()
  const looked: { unit: Unit; found: boolean }[] = []
  for (const unit of units) {
    yield
    if (before !== undefined && (yield* before.hasPassed(unit))) continue
    const already = findings.total
    for (const piece of unit.pieces)
      for (const { who, text } of yield* claimed(piece, before)) {
        // Many short ones take as long as one that is long.
        yield
        const as = yield* foldedOf(text)
        const plain = edit === undefined ? as : edit(as, who)
        pieces.add(who, plain)
        yield* findings.search(plain, who)
      }
    // Looked at again, and counted where nothing of the kind was found in one part.
    for (const piece of unit.joined)
      for (const { who, text } of yield* claimed(piece, before)) {
        const as = yield* foldedOf(text)
        const whole = edit === undefined ? as : edit(as, who)
        pieces.addJoined(who, whole)
        yield* findings.searchJoined(whole, who, unit.pieces)
      }
    looked.push({ unit, found: findings.total > already })
  }
  const again = (use: EditText): Resting<Said> => saidOf(units, before, limits, use)
  return { ...pieces.end(), findings: findings.list(), looked, again }
}

/** What is said to be the model's is a person's where nobody heard the model say it. */
function* claimed(
  piece: Piece,
  before: SaidBefore | undefined,
): Resting<readonly Piece[]> {
  if (piece.who !== 'model') return [piece]
  if (before === undefined) return [{ who: 'person', text: piece.text }]
  const { text } = piece
  const said = new Lines()
  const other = new Lines()
  for (let at = 0, lines = 1; at <= text.length; lines++) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    const line = text.slice(at, end)
    ;(line.trim() === '' || before.hasSaid(line) ? said : other).add(line)
    at = end + 1
    if (lines % REST_LINES === 0) yield
  }
  if (other.text === undefined) return [piece]
  const texts: Piece[] = [{ who: 'person', text: other.text }]
  return said.text === undefined ? texts : [{ who: 'model', text: said.text }, ...texts]
}

/** A digest is made of each. */
const REST_LINES = 64

class Lines {
  text: string | undefined

  add(line: string): void {
    this.text = this.text === undefined ? line : `${this.text}\n${line}`
  }
}

/** The dearest take a few milliseconds. */
const FOLDED_CHARS = 16 * 1024

/** Cut where nothing combines: before a plain character of ASCII. */
function* foldedOf(text: string): Resting<string> {
  if (text.length <= FOLDED_CHARS) return folded(text)
  let whole = ''
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + FOLDED_CHARS, text.length)
    while (
      end < text.length &&
      end < at + 2 * FOLDED_CHARS &&
      text.charCodeAt(end) > 0x7f
    )
      end++
    whole += folded(text.slice(at, end))
    at = end
    yield
  }
  return whole
}

class Pieces {
  readonly #limits: SaidLimits
  readonly #done: TextPiece[] = []
  readonly #chars: Record<Who, number> = { person: 0, program: 0, tool: 0, model: 0 }
  #parts: Piece[] = []
  #size = 0

  constructor(limits: SaidLimits) {
    this.#limits = limits
  }

  add(who: Who, text: string): void {
    this.#chars[who] += text.length
    this.addJoined(who, text)
  }

  addJoined(who: Who, text: string): void {
    const { pieceChars, overlapChars } = this.#limits
    for (let at = 0; at < text.length;) {
      if (this.#size + overlapChars >= pieceChars) this.#close()
      const part = text.slice(at, at + pieceChars - this.#size)
      this.#parts.push({ who, text: part })
      this.#size += part.length
      if (at + part.length === text.length) return
      at += part.length - overlapChars
    }
  }

  end(): Pick<Said, 'pieces' | 'chars'> {
    if (this.#parts.length > 0 || this.#done.length === 0) this.#close()
    return { pieces: this.#done, chars: this.#chars }
  }

  #close(): void {
    const parts = this.#parts
    const of = (who: Who): string => joined(parts.filter((part) => part.who === who))
    this.#done.push({
      text: joined(parts),
      said: {
        person: of('person'),
        program: of('program'),
        tool: of('tool'),
        model: of('model'),
      },
    })
    this.#parts = []
    this.#size = 0
  }
}

function joined(parts: readonly Piece[]): string {
  return parts.map(({ text }) => text).join('\n')
}

class Findings {
  readonly #counts = new Map<Who, Map<string, number>>()
  total = 0

  list(): FindingInput[] {
    return WHO.flatMap((who) =>
      PERSONAL_KINDS.flatMap((kind) => {
        const count = this.#counts.get(who)?.get(kind)
        return count === undefined ? [] : [{ kind, count, who }]
      }),
    )
  }

  *search(text: string, who: Who): Resting<void> {
    for (const kind of yield* kindsIn(text)) this.#count(who, kind)
  }

  *searchJoined(text: string, who: Who, parts: readonly Piece[]): Resting<void> {
    const found = yield* kindsIn(text)
    if (found.length === 0) return
    const apart = new Set<string>()
    for (const part of parts)
      if (part.who === who) {
        for (const kind of yield* kindsIn(yield* foldedOf(part.text))) apart.add(kind)
        yield
      }
    for (const kind of new Set(found)) if (!apart.has(kind)) this.#count(who, kind)
  }

  #count(who: Who, kind: string): void {
    const counts = this.#counts.get(who) ?? new Map<string, number>()
    this.#counts.set(who, counts)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    this.total++
  }
}

/** Of all that is found in a text, however long; each once for each place. */
function* kindsIn(text: string): Resting<string[]> {
  const kinds: string[] = []
  for (let at = 0; at < text.length;) {
    const piece = text.slice(at, at + SEARCHED_CHARS + SEARCHED_AGAIN)
    const isLast = at + piece.length >= text.length
    const next = isLast ? piece.length : cutIn(piece)
    for (const { kind, start } of findPersonal(piece)) if (start < next) kinds.push(kind)
    if (isLast) return kinds
    at += next
    yield
  }
  return kinds
}

/** Behind a blank, so that nothing begins in the middle of a word. */
function cutIn(piece: string): number {
  const from = piece.length - SEARCHED_AGAIN
  for (let at = from; at > from - SEARCHED_AGAIN; at--)
    if (/\s/.test(piece[at - 1] ?? '')) return at
  return from
}
