/**
 * What a request says, made ready for policies: its texts folded, in pieces that one look can
 * take, with the personal data that is in them. Knows nothing of JSON or of providers; rests
 * as it goes.
 */
import { PIECE_CHARS } from '../../core/long-text.js'
import type { TextPieces } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import { WHO } from '../../core/who.js'
import type { Who } from '../../core/who.js'
import { folded } from '../../detect/fold.js'
import { shippedDetector } from '../../../config/read-detect.js'
import type { Detector } from '../../detect/detector.js'
import { invisibleIn } from '../../detect/injection.js'
import { PERSONAL_KINDS } from '../../detect/personal.js'
import { entityOf, knownKind } from '../../detect/personal-kinds.js'
import type { Finding } from '../../detect/rule.js'
import type { TextPiece } from '../../policy/input.js'
import type { FindingInput } from '../../policy/policy.js'
import { piecesIn } from '../../providers/body-text.js'
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
  /** Undefined: by the rules that come with YORI. */
  readonly detector?: Pick<Detector, 'find'> | undefined
}

export const SAID_LIMITS: SaidLimits = { pieceChars: 32 * 1024, overlapChars: 512 }

/** Characters that are searched in one go: the dearest texts take some 5 ms for so many. */
const SEARCHED_CHARS = 8 * 1024
/** What begins in one piece is known by so many characters. */
const SEARCHED_AGAIN = 1024

/** What has passed before is not looked at again. */
export function* saidOf(
  units: readonly Unit[],
  before?: SaidBefore,
  limits: SaidLimits = SAID_LIMITS,
  edit?: EditText,
): Resting<Said> {
  const pieces = new Pieces(limits)
  const findings = new Findings(limits.detector ?? shippedDetector())
  const looked: { unit: Unit; found: boolean }[] = []
  for (const unit of units) {
    yield
    if (before !== undefined && (yield* before.hasPassed(unit))) continue
    const already = findings.total
    for (const piece of unit.pieces)
      for (const { who, texts } of yield* claimed(piece, before)) {
        // Many short ones take as long as one that is long.
        yield
        const plain = yield* seenAs(texts, who, edit)
        if (edit === undefined) yield* findings.addUnseen(texts, who)
        yield* pieces.add(who, plain)
        yield* findings.search(plain, who)
      }
    // Looked at again, and counted where nothing of the kind was found in one part.
    for (const piece of unit.joined)
      for (const { who, texts } of yield* claimed(piece, before)) {
        const whole = yield* seenAs(texts, who, edit)
        yield* pieces.addJoined(who, whole)
        yield* findings.searchJoined(whole, who, unit.pieces)
      }
    looked.push({ unit, found: findings.total > already })
  }
  const again = (use: EditText): Resting<Said> => saidOf(units, before, limits, use)
  return { ...pieces.end(), findings: findings.list(), looked, again }
}

interface Claimed {
  readonly who: Who
  readonly texts: TextPieces
}

/** What is said to be the model's is a person's where nobody heard the model say it. */
function* claimed(
  piece: Piece,
  before: SaidBefore | undefined,
): Resting<readonly Claimed[]> {
  const texts = piecesIn(piece)
  if (piece.who !== 'model') return [{ who: piece.who, texts }]
  if (before === undefined) return [{ who: 'person', texts }]
  const said = new Lines()
  const other = new Lines()
  const add = (line: string): void =>
    (line.trim() === '' || before.hasSaid(line) ? said : other).add(line)
  let rest = ''
  let lines = 0
  for (const given of texts) {
    const text = rest + given
    let at = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      add(text.slice(at, end))
      at = end + 1
      if (++lines % REST_LINES === 0) yield
    }
    rest = text.slice(at)
    // One as long as a piece is cut: nobody has said it before.
    if (rest.length >= PIECE_CHARS) {
      add(rest)
      rest = ''
    }
    yield
  }
  add(rest)
  if (other.isEmpty) return [{ who: 'model', texts }]
  const persons = { who: 'person', texts: other.texts } as const
  return said.isEmpty ? [persons] : [{ who: 'model', texts: said.texts }, persons]
}

/** A digest is made of each. */
const REST_LINES = 64

/** Lines of one text, as one again. */
class Lines {
  readonly #done: string[] = []
  /** Joined when they are many: as the parts of a string, each would take far more room. */
  #open: string[] = []
  #chars = 0

  get isEmpty(): boolean {
    return this.#done.length === 0 && this.#open.length === 0
  }

  get texts(): TextPieces {
    return [...this.#done, this.#open.join('\n')]
  }

  add(line: string): void {
    this.#open.push(line)
    this.#chars += line.length
    if (this.#chars + this.#open.length < PIECE_CHARS / 2) return
    this.#done.push(this.#open.join('\n'))
    // The next line goes on behind a line's end.
    this.#open = ['']
    this.#chars = 0
  }
}

/** As it is compared, and as whoever asks again sees it. */
function* seenAs(
  texts: TextPieces,
  who: Who,
  edit: EditText | undefined,
): Resting<TextPieces> {
  const as = yield* foldedOf(texts)
  if (edit === undefined) return as
  const edited: string[] = []
  for (const text of as) {
    edited.push(edit(text, who))
    yield
  }
  return edited
}

/** The dearest, of which nothing is seen, take some 4 ms a 16 KiB. */
const FOLDED_CHARS = 4 * 1024

/** Cut where nothing combines: before a plain character of ASCII. */
function* foldedOf(texts: TextPieces): Resting<TextPieces> {
  const [only = ''] = texts
  if (texts.length < 2 && only.length <= FOLDED_CHARS) return [folded(only)]
  const whole: string[] = []
  let rest = ''
  for (const [i, piece] of texts.entries()) {
    const text = rest + piece
    const isLast = i === texts.length - 1
    let at = 0
    while (at < text.length) {
      const end = foldEnd(text, at)
      if (end === text.length && !isLast && end - at < 2 * FOLDED_CHARS) break
      addTo(whole, folded(text.slice(at, end)))
      at = end
      yield
    }
    rest = text.slice(at)
  }
  return whole
}

function foldEnd(text: string, at: number): number {
  let end = Math.min(at + FOLDED_CHARS, text.length)
  const most = Math.min(at + 2 * FOLDED_CHARS, text.length)
  while (end < most && text.charCodeAt(end) > 0x7f) end++
  return end
}

/** The last piece grows until it is long. */
function addTo(pieces: string[], text: string): void {
  const last = pieces.at(-1)
  if (last === undefined || last.length + text.length > PIECE_CHARS) pieces.push(text)
  else pieces[pieces.length - 1] = last + text
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

  *add(who: Who, texts: TextPieces): Resting<void> {
    for (const text of texts) this.#chars[who] += text.length
    yield* this.addJoined(who, texts)
  }

  *addJoined(who: Who, texts: TextPieces): Resting<void> {
    const { pieceChars, overlapChars } = this.#limits
    let part: { who: Who; text: string } | undefined
    /** What is seen again where the next piece begins. */
    let before = ''
    for (const text of texts)
      for (let at = 0; at < text.length;) {
        if (this.#size + overlapChars >= pieceChars) {
          this.#close()
          part = undefined
          yield
        }
        if (part === undefined) {
          part = { who, text: before }
          this.#parts.push(part)
          this.#size += before.length
        }
        const more = text.slice(at, at + pieceChars - this.#size)
        part.text += more
        this.#size += more.length
        at += more.length
        before = (before + more.slice(-overlapChars)).slice(-overlapChars)
      }
  }

  end(): Pick<Said, 'pieces' | 'chars'> {
    if (this.#parts.length > 0 || this.#done.length === 0) this.#close()
    return { pieces: this.#done, chars: this.#chars }
  }

  #close(): void {
    const parts = this.#parts
    const text = joined(parts)
    const [first] = parts
    // Mostly they are one author's: the same string, and not as many again.
    const isOne = parts.every(({ who }) => who === first?.who)
    const of = (who: Who): string => {
      if (isOne) return who === first?.who ? text : ''
      return joined(parts.filter((part) => part.who === who))
    }
    this.#done.push({
      text,
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

interface Counted {
  readonly class: string
  readonly count: number
  /** Of the surest. */
  readonly confidence: number
}

type Counts = Map<string, Counted>

class Findings {
  readonly #detector: Pick<Detector, 'find'>
  readonly #counts = new Map<Who, Counts>()
  total = 0

  constructor(detector: Pick<Detector, 'find'>) {
    this.#detector = detector
  }

  list(): FindingInput[] {
    return WHO.flatMap((who) =>
      [...(this.#counts.get(who) ?? [])]
        .toSorted(([one], [other]) => orderOf(one) - orderOf(other))
        .map(([kind, { class: of, count, confidence }]) => ({
          ...{ kind, entity: entityOf(kind), class: of, count, who, confidence },
        })),
    )
  }

  *search(texts: TextPieces, who: Who): Resting<void> {
    for (const [kind, counted] of yield* this.#kindsIn(texts, who))
      this.#count(who, kind, counted)
  }

  *searchJoined(texts: TextPieces, who: Who, parts: readonly Piece[]): Resting<void> {
    const found = yield* this.#kindsIn(texts, who)
    if (found.size === 0) return
    const apart = new Set<string>()
    for (const part of parts)
      if (part.who === who) {
        const plain = yield* foldedOf(piecesIn(part))
        for (const kind of (yield* this.#kindsIn(plain, who)).keys()) apart.add(kind)
        yield
      }
    for (const [kind, counted] of found)
      if (!apart.has(kind)) this.#count(who, kind, { ...counted, count: 1 })
  }

  /** Text that nobody sees; folding takes it out or makes it plain. */
  *addUnseen(texts: TextPieces, who: Who): Resting<void> {
    for (const text of texts) {
      if (texts.length > 1) yield
      if (!MAY_BE_UNSEEN.test(text)) continue
      const found: Counts = new Map()
      for (const one of yield* invisibleIn(text)) add(found, one)
      for (const [kind, counted] of found) this.#count(who, kind, counted)
    }
  }

  #count(who: Who, kind: string, counted: Counted): void {
    const counts = this.#counts.get(who) ?? (new Map() as Counts)
    this.#counts.set(who, counts)
    addCount(counts, kind, counted)
    this.total += counted.count
  }

  /**
   * How often each is found in a text, however long. Counted as it goes: a list of all that a
   * text of nothing else has is too long to be gone through at once.
   */
  *#kindsIn(texts: TextPieces, who: Who): Resting<Counts> {
    const kinds: Counts = new Map()
    const options = { said: who === 'tool' ? 'tool' : 'person' } as const
    let rest = ''
    for (const [i, given] of texts.entries()) {
      const text = rest + given
      const isLastText = i === texts.length - 1
      let at = 0
      while (at < text.length) {
        const piece = text.slice(at, at + SEARCHED_CHARS + SEARCHED_AGAIN)
        const isLast = at + piece.length >= text.length
        if (isLast && !isLastText) break
        const next = isLast ? piece.length : cutIn(piece)
        for (const one of this.#detector.find(piece, options))
          if (one.start < next) add(kinds, one)
        at += next
        if (!isLast || texts.length > 1) yield
      }
      rest = text.slice(at)
    }
    return kinds
  }
}

/** Tag characters stand in pairs that begin so. */
const MAY_BE_UNSEEN = /[\u200b-\u200d\u2060-\u2064\ufeff\udb40]/

function add(counts: Counts, { kind, class: of, confidence }: Finding): void {
  addCount(counts, knownKind(kind), { class: of, count: 1, confidence })
}

function addCount(counts: Counts, kind: string, more: Counted): void {
  const known = counts.get(kind)
  const count = (known?.count ?? 0) + more.count
  const confidence = Math.max(known?.confidence ?? 0, more.confidence)
  counts.set(kind, { class: more.class, count, confidence })
}

/** The kinds that were there first come first. */
function orderOf(kind: string): number {
  const at = (PERSONAL_KINDS as readonly string[]).indexOf(kind)
  return at < 0 ? PERSONAL_KINDS.length : at
}

/** Behind a blank, so that nothing begins in the middle of a word. */
function cutIn(piece: string): number {
  const from = piece.length - SEARCHED_AGAIN
  for (let at = from; at > from - SEARCHED_AGAIN; at--)
    if (/\s/.test(piece[at - 1] ?? '')) return at
  return from
}
