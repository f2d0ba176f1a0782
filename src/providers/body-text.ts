/**
 * All text of a request's JSON by whose words it is: every string and every name of a field,
 * whatever the provider, so that nothing has to be known to be looked at. Left out, and
 * counted, is what is no text by its shape: ids, and media in base64; base64 of a text is
 * given as that text. Whose a place is says `body-places.ts`. Pure; rests as it goes.
 *
 * A *unit* is what may be said again by a later request of the same conversation: one message,
 * one tool, one field of the envelope.
 */
import { headOf, joined, LongTexts, PIECE_CHARS, tailOf } from '../core/long-text.js'
import type { TextPieces } from '../core/long-text.js'
import { atOnce } from '../core/resting.js'
import type { Resting } from '../core/resting.js'
import type { Who } from '../core/who.js'
import { decoded, isId } from '../detect/text-shape.js'
import {
  isFieldName,
  isIdField,
  isMediaField,
  isOpaqueField,
  isSetting,
  placeOf,
  placeOfField,
} from './body-places.js'
import type { Place } from './body-places.js'
import { isSdp } from './elsewhere.js'
import type { Json } from './json.js'

/** One text, and whose words it is. */
export interface Piece {
  readonly who: Who
  readonly text: string
  /** Of a long text, which is dear to look into. */
  readonly pieces?: TextPieces
}

function pieceOf(who: Who, pieces: TextPieces): Piece {
  const text = joined(pieces)
  return text.length <= PIECE_CHARS ? { who, text } : { who, text, pieces }
}

/** A text by its pieces, however long it is. */
export function piecesIn({ text, pieces }: Piece): TextPieces {
  return pieces ?? [text]
}

/** What is looked at together; a later request may say it again as it is. */
export interface Unit {
  /** In the order of the body. */
  readonly pieces: readonly Piece[]
  /** Of a message in parts: its parts of one author without a gap, so that nothing hides in one. */
  readonly joined: readonly Piece[]
}

/**
 * All of a body that could be looked at: nothing of it is bounded here, since the body
 * is.
 */
export interface BodyText {
  readonly units: readonly Unit[]
  /** UTF-16 units that were left out, as they stand in the body. */
  readonly left: { readonly ids: number; readonly media: number }
  /** It says something beside names of fields and words of the protocol. */
  readonly says: boolean
  /** It holds documents that nobody here reads, such as a PDF, or a prompt in tokens. */
  readonly unreadDocument: boolean
}

/** Numbers with fewer digits say nothing of a person. */
const LEAST_NUMBER = 100_000_000
/** Nodes and characters after which it rests. */
const REST_NODES = 256
const REST_CHARS = 32 * 1024

/** Longer ones are none. */
const MAX_SETTING = 64

/** Short fields of one unit, at least. */
const MAX_REST_PIECES = 4096

/** A text that is longer is a unit of its own, wherever it stands in the envelope. */
const LONG_CHARS = 256

/** A value that waits, or an array in progress. */
interface Open {
  readonly value: unknown
  readonly place: Place
  readonly name: string | undefined
  readonly unit: OpenUnit
  /** Of an array: its next item. */
  next: number
}

interface OpenUnit {
  readonly pieces: Piece[]
  /** Texts that stand in a list of parts. */
  readonly parts: Piece[]
  /** The same once more, in another form. */
  readonly again?: readonly Piece[]
}

/**
 * One body: `read`, `plain` or `message` what it holds, each to its end, then `end` once.
 * Depth and number of values are bounded by whoever parsed it. Throws nothing.
 */
export class BodyTextReader {
  readonly #units: OpenUnit[] = []
  /** Short fields of the envelope; the last is the one that is open. */
  readonly #rests: OpenUnit[] = [{ pieces: [], parts: [] }]
  readonly #names = new Map<Who, Set<string>>()
  readonly #open: Open[] = []
  #ids = 0
  #media = 0
  #unreadDocument = false
  #says = false
  #fields = 0
  #nodes = 0
  #chars = 0
  /** Of the values that it reads. */
  readonly long: LongTexts

  constructor(long: LongTexts = new LongTexts()) {
    this.long = long
  }

  /** Of all objects so far. */
  get fields(): number {
    return this.#fields
  }

  /** Text that is in no JSON. */
  plain(given: string | TextPieces, who: Who = 'person'): void {
    const piece =
      typeof given === 'string' ? this.#piece(who, given) : pieceOf(who, given)
    if (piece.text.length === 0) return
    this.#says = true
    this.#units.push({ pieces: [piece], parts: [] })
  }

  /**
   * Texts of one message that has no names for them, in their order; what is split over them
   * is looked at as one. `again`: as in `Unit.joined`.
   */
  *message(
    texts: readonly string[],
    again: readonly string[],
    hasDocument: boolean,
  ): Resting<void> {
    const twice = again.map((text) => this.#piece('person', text))
    const unit: OpenUnit = { pieces: [], parts: [], again: twice }
    this.#units.push(unit)
    for (const value of texts) {
      const at: Open = { value, place: 'envelope', name: undefined, unit, next: 0 }
      yield* this.#value(at, true)
    }
    if (hasDocument) this.#unreadDocument = true
  }

  /** One value: the JSON of a body, or one line of it, or a field of a form under its name. */
  *read(value: unknown, name?: string): Resting<void> {
    const open = this.#open
    open.push({ value, place: 'envelope', name, unit: this.#rest(), next: 0 })
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (!Array.isArray(top.value)) {
        open.pop()
        yield* this.#value(top, false)
        continue
      }
      const items = top.value as readonly unknown[]
      const index = top.next++
      if (index === 0 && isTokens(items, top)) this.#unreadDocument = true
      if (index >= items.length) {
        open.pop()
        continue
      }
      const item = items[index]
      const unit = isUnit(top, item) ? this.#opened() : top.unit
      yield* this.#value({ ...top, value: item, unit, next: 0 }, true)
    }
  }

  /**
   * All that was read, in one go; names of fields come first, one unit for all that are
   * the same one's.
   */
  end(): BodyText {
    return atOnce(this.ended())
  }

  /** As `end`; of parts there may be many. */
  *ended(): Resting<BodyText> {
    const names = [...this.#names].map(([who, known]): OpenUnit => ({
      pieces: [...known].map((text): Piece => ({ who, text })),
      parts: [],
    }))
    const units = [...names, ...this.#rests, ...this.#units].filter(
      ({ pieces, again = [] }) => pieces.length + again.length > 0,
    )
    const made: Unit[] = []
    for (const { pieces, parts, again = [] } of units) {
      made.push({ pieces, joined: [...(yield* this.#joinedOf(parts)), ...again] })
      yield
    }
    return {
      units: made,
      left: { ids: this.#ids, media: this.#media },
      says: this.#says,
      unreadDocument: this.#unreadDocument,
    }
  }

  /**
   * Lines of JSON have one for all: one that has become long is closed, since a list of a
   * hundred thousand is dear to grow. What it ends with may go on in the next.
   */
  #rest(): OpenUnit {
    const open = this.#rests.at(-1) as OpenUnit
    if (open.pieces.length < MAX_REST_PIECES) return open
    const next: OpenUnit = { pieces: [], parts: open.parts.slice(-1) }
    this.#rests.push(next)
    return next
  }

  #opened(): OpenUnit {
    const unit: OpenUnit = { pieces: [], parts: [] }
    this.#units.push(unit)
    return unit
  }

  *#value(at: Open, inList: boolean): Resting<void> {
    const { value } = at
    if (++this.#nodes % REST_NODES === 0) yield
    if (typeof value === 'string') yield* this.#text(value, at, inList)
    else if (typeof value === 'number') number(value, at)
    else if (Array.isArray(value)) this.#open.push(at)
    else if (typeof value === 'object' && value !== null) this.#object(value as Json, at)
  }

  #object(value: Json, { place, unit }: Open): void {
    const here = placeOf(value, place)
    const names = Object.keys(value)
    this.#fields += names.length
    const fields = names.map((name): Open => {
      const inner = value[name]
      const own = here === 'envelope' && isLarge(inner) ? this.#opened() : unit
      return { value: inner, place: placeOfField(name, here), name, unit: own, next: 0 }
    })
    for (const name of names) this.#name(name, here)
    // Taken from the end: the first field is the next.
    this.#open.push(...fields.reverse())
  }

  /** Each once. */
  #name(name: string, place: Place): void {
    const isPrograms = place !== 'tool' && isFieldName(name)
    const who = isPrograms ? 'program' : whoAt(place)
    const known = this.#names.get(who)
    if (known === undefined) this.#names.set(who, new Set([name]))
    else known.add(name)
  }

  *#text(text: string, { place, name, unit }: Open, inList: boolean): Resting<void> {
    if (text.length === 0) return
    this.#chars += text.length
    if (this.#chars >= REST_CHARS) {
      this.#chars = 0
      yield
    }
    if (text.length <= MAX_SETTING && isSetting(name, text, place)) {
      unit.pieces.push({ who: 'program', text })
      return
    }
    const isOpaque = isOpaqueField(name)
    const given = this.long.piecesOf(text)
    const data = yield* decoded(given, isOpaque || isMediaField(name))
    if (data?.head !== undefined) unit.pieces.push({ who: whoAt(place), text: data.head })
    if (data?.kind !== 'text' && isIdField(name) && isId(text)) {
      this.#ids += text.length
      return
    }
    if (data?.kind === 'bytes') {
      this.#media += text.length
      if (!isOpaque && isDocument(data.media)) this.#unreadDocument = true
      return
    }
    this.#says = true
    const isOffer = name === 'sdp' && text.length <= PIECE_CHARS && isSdp(text)
    const who = isOffer ? 'program' : whoAt(place)
    const piece = data === undefined ? this.#piece(who, text) : pieceOf(who, data.texts)
    unit.pieces.push(piece)
    if (data !== undefined) yield* this.#again(data.texts, who, unit)
    // Short words that decode by accident stay words.
    if (data !== undefined && text.length < SHORT_CODED) unit.pieces.push({ who, text })
    if (given.some(isEscaped)) unit.pieces.push(pieceOf(who, yield* unescaped(given)))
    if (inList || name === 'text') unit.parts.push(piece)
  }

  /** Base64 of base64, as often as anybody does it. */
  *#again(texts: TextPieces, who: Who, unit: OpenUnit): Resting<void> {
    let inner = texts
    for (let times = 1; times < MAX_CODED; times++) {
      const data = yield* decoded(inner, false)
      if (data === undefined) return
      if (data.kind === 'bytes') {
        this.#unreadDocument ||= isDocument(data.media)
        return
      }
      inner = data.texts
      unit.pieces.push(pieceOf(who, inner))
    }
    // What is in it still is told.
    if ((yield* decoded(inner, false)) !== undefined) this.#unreadDocument = true
  }

  #piece(who: Who, text: string): Piece {
    if (text.length <= PIECE_CHARS) return { who, text }
    return { who, text, pieces: this.long.piecesOf(text) }
  }

  *#joinedOf(parts: readonly Piece[]): Resting<Piece[]> {
    if (parts.length < 2) return []
    const byWho = new Map<Who, Piece[]>()
    const meets = new Set<Who>()
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] as Piece
      const own = byWho.get(part.who)
      const before = own?.at(-1)
      if (before !== undefined && meetInDigits(before, part)) meets.add(part.who)
      if (own === undefined) byWho.set(part.who, [part])
      else own.push(part)
      if (at % REST_NODES === 0) yield
    }
    const made: Piece[] = []
    for (const [who, own] of byWho) {
      if (own.length < 2) continue
      made.push(pieceOf(who, yield* this.#edges(own, '')))
      if (meets.has(who)) made.push(pieceOf(who, yield* this.#edges(own, ' ')))
    }
    return made
  }

  *#edges(parts: readonly Piece[], between: string): Resting<TextPieces> {
    const pieces: string[] = []
    for (let at = 0; at < parts.length; at += REST_NODES) {
      const some = parts.slice(at, at + REST_NODES)
      const edges = some.map((part) => this.long.during(() => edgesOf(part)))
      pieces.push((at === 0 ? '' : between) + edges.join(between))
      yield
    }
    return pieces
  }
}

function number(value: number, { place, unit }: Open): void {
  if (Math.abs(value) < LEAST_NUMBER || !Number.isInteger(value)) return
  unit.pieces.push({ who: whoAt(place), text: String(value) })
}

/** Fields that take a text as the numbers that a model knows it by. */
const TOKEN_FIELDS: ReadonlySet<string> = new Set([
  'prompt',
  'input',
  'context',
  'tokens',
])

/** One list of them, or the list of lists that a batch is: the first tells. */
function isTokens(value: readonly unknown[], { name, place }: Open): boolean {
  if (whoAt(place) !== 'person' || name === undefined || !TOKEN_FIELDS.has(name))
    return false
  const [first] = value
  return typeof first === 'number' && Number.isInteger(first) && first >= 0
}

const SHORT_CODED = 128
/** Times that base64 is taken off; what is within is told as a document that is not read. */
const MAX_CODED = 4

/** Escapes of JSON in a text: a text of JSON in that JSON, such as the result of a tool. */
const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|\/)/g

/** Others than those of quotes and line ends change nothing that is looked for. */
function isEscaped(text: string): boolean {
  return text.includes('\\u') || text.includes('\\/')
}

function* unescaped(texts: TextPieces): Resting<TextPieces> {
  const whole: string[] = []
  let rest = ''
  for (const text of texts)
    for (let at = 0; at < text.length; at += ESCAPED_CHARS) {
      const piece = rest + text.slice(at, at + ESCAPED_CHARS)
      const cut = piece.lastIndexOf('\\')
      const end = cut > piece.length - ESCAPE_CHARS ? cut : piece.length
      whole.push(piece.slice(0, end).replace(ESCAPE, plainOf))
      rest = piece.slice(end)
      yield
    }
  if (rest !== '') whole.push(rest.replace(ESCAPE, plainOf))
  return whole
}

/** Each escape costs far more than a character. */
const ESCAPED_CHARS = 8 * 1024
const ESCAPE_CHARS = 6

function plainOf(escape: string): string {
  return escape[1] === '/' ? '/' : String.fromCharCode(parseInt(escape.slice(2), 16))
}

function whoAt(place: Place): Who {
  return place === 'envelope' ? 'person' : place
}

/** Messages, and tools, which are many and long. */
function isUnit({ place, name }: Open, item: unknown): boolean {
  if (place === 'envelope') return true
  return place === 'program' && name === 'tools' && typeof item === 'object'
}

function isLarge(value: unknown): boolean {
  return (
    typeof value === 'object' || (typeof value === 'string' && value.length > LONG_CHARS)
  )
}

/** Pictures and sound have no text that could have been read; other formats may. */
function isDocument(media: string | undefined): boolean {
  return media === undefined || media.startsWith('application/')
}

/** A number whose groups stand in parts of their own has a blank where they meet. */
function meetInDigits(first: Piece, second: Piece): boolean {
  const before = piecesIn(first).at(-1) ?? ''
  return isDigitAt(before, before.length - 1) && isDigitAt(piecesIn(second)[0] ?? '', 0)
}

function isDigitAt(text: string, at: number): boolean {
  return /\p{N}/u.test(text[at] ?? '')
}

/** Of a part's text, what stands at its ends is joined to that of its neighbours. */
const EDGE_CHARS = 128

function edgesOf({ text }: Piece): string {
  if (text.length <= 2 * EDGE_CHARS) return text
  const first = headOf(text, EDGE_CHARS).slice(0, EDGE_CHARS)
  return `${first}\n${tailOf(text, EDGE_CHARS).slice(-EDGE_CHARS)}`
}
