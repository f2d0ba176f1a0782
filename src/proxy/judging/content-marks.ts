/**
 * What a refused request said, as digests: an approval names these, so that it lets the same
 * words past whatever stands around them, and nothing else. They are keyed, since a card
 * number is found from a plain digest by trying; the texts themselves are kept nowhere. Rests
 * as it goes: a long body is gone through in pieces.
 */
import { createHmac } from 'node:crypto'
import { LongTexts, PIECE_CHARS } from '../../core/long-text.js'
import { inSlices } from '../../core/resting.js'
import type { Resting } from '../../core/resting.js'
import { folded } from '../../detect/fold.js'
import { shippedDetector } from '../../../config/read-detect.js'
import type { Detector } from '../../detect/detector.js'
import { knownKind } from '../../detect/personal-kinds.js'
import type { EditText, SaidContent } from '../words/content.js'

/** Texts of one request, the last of it: what is new stands at the end. */
export const MAX_TEXTS = 512
/** Pieces of personal data of one request. */
export const MAX_PASSAGES = 256
/** Values that are looked at while a body is gone through. */
const MAX_VALUES = 50_000
/** 96 bits, in base64url. */
const MARK_LENGTH = 16
/** Before the mark of a passage: it is part of a text. */
const PASSAGE = '~'
/** Characters that are searched in one go: the dearest text takes some 5 ms a 16 KiB. */
const SEARCHED_CHARS = 8 * 1024
/** Longer than anything that is found. */
const OVERLAP_CHARS = 256

/** Words of the protocol: to take them out would make another request. */
const STRUCTURE: ReadonlySet<string> = new Set([
  ...['role', 'type', 'model', 'name', 'object', 'status', 'format', 'detail', 'id'],
  ...['mime_type', 'mimeType', 'media_type', 'mediaType', 'tool_choice', 'encoding'],
  ...['call_id', 'tool_call_id', 'tool_use_id', 'cache_control', 'effort', 'stop'],
])
/** What a program says of itself stands behind the messages in some bodies. */
const PROGRAM: ReadonlySet<string> = new Set([
  ...['tools', 'functions', 'system', 'instructions', 'system_instruction'],
  ...['systemInstruction', 'metadata', 'response_format', 'text', 'toolConfig'],
])

export type Mark = (text: string) => string

/** `key` belongs to this installation and stays on it. */
export function markOf(key: Buffer): Mark {
  return (text) =>
    createHmac('sha256', key).update(text).digest('base64url').slice(0, MARK_LENGTH)
}

export interface SaidText {
  readonly body: unknown
  /** What is looked at where there is no body: each of its lines is a text. */
  readonly prompt: string
  /** The long texts of `body`; each of their pieces is a text of its own. */
  readonly long?: LongTexts | undefined
  /** All text of it, as policies see it. */
  readonly said?: SaidContent | undefined
}

/** What is left of it. */
export interface RestText extends Pick<SaidText, 'body' | 'prompt'> {
  /** Takes the same out of any text of it. */
  readonly edit: EditText
}

/** `yori` says so of a passage, which other words may stand around. */
export function isPassage(mark: string): boolean {
  return mark.startsWith(PASSAGE)
}

export async function markedOf(
  said: SaidText,
  mark: Mark,
  detector: Detector = shippedDetector(),
): Promise<Marked> {
  const own = (await inSlices(textsOf(said))) ?? []
  const all = [...own, ...(await saidTexts(said))]
  const texts = await inSlices(marksOf(all, mark, detector))
  return new Marked(said, texts ?? new Map<string, MarkedText>())
}

function* marksOf(
  all: readonly string[],
  mark: Mark,
  detector: Detector,
): Resting<Map<string, MarkedText>> {
  const texts = new Map<string, MarkedText>()
  for (const text of all) {
    // To know whether it was there before takes its time, too.
    yield
    if (texts.has(text) || text.trim() === '') continue
    const passages: Passage[] = []
    for (const { from, piece } of piecesOf(text)) {
      passages.push(...passagesOf({ piece, from }, mark, detector))
      yield
    }
    texts.set(text, { mark: mark(text), passages })
  }
  return texts
}

interface MarkedText {
  readonly mark: string
  readonly passages: readonly Passage[]
}

interface Passage {
  readonly start: number
  readonly end: number
  readonly mark: string
}

export class Marked {
  readonly #said: SaidText
  readonly #texts: ReadonlyMap<string, MarkedText>

  constructor(said: SaidText, texts: ReadonlyMap<string, MarkedText>) {
    this.#said = said
    this.#texts = texts
  }

  /** Of the newest texts, and of the newest pieces of personal data. */
  get marks(): readonly string[] {
    const all = [...this.#texts.values()]
    const passages = all.flatMap((text) => text.passages.map((passage) => passage.mark))
    const texts = all.map((text) => text.mark)
    return [...new Set([...texts.slice(-MAX_TEXTS), ...passages.slice(-MAX_PASSAGES)])]
  }

  /** Which of these it says. */
  among(approved: ReadonlySet<string>): readonly string[] {
    const said = new Set<string>()
    for (const { mark, passages } of this.#texts.values())
      for (const one of [mark, ...passages.map((passage) => passage.mark)])
        if (approved.has(one)) said.add(one)
    return [...said]
  }

  /**
   * Without what was approved, and without `words` wherever they stand; undefined when nothing
   * of it was.
   */
  async without(
    approved: ReadonlySet<string>,
    words = '',
  ): Promise<RestText | undefined> {
    const quoted = [words, folded(words)]
      .map((one) => one.trim())
      .filter((one) => one !== '')
    const patterns = [...new Set(quoted)].map((one) => [one, asWords(one)] as const)
    const left = (text: string): string => {
      let rest = withoutMarks(text, this.#texts.get(text), approved)
      for (const [literal, pattern] of patterns)
        if (rest.includes(literal)) rest = rest.replace(pattern, '')
      return rest
    }
    return (await inSlices(this.#changes(left))) === true ? this.#map(left) : undefined
  }

  *#changes(left: (text: string) => string): Resting<boolean> {
    for (const text of this.#texts.keys()) {
      if (left(text) !== text) return true
      yield
    }
    return false
  }

  /** Without anything that was said. */
  bare(): Promise<RestText> {
    return this.#map(() => '')
  }

  async #map(edit: (text: string) => string): Promise<RestText> {
    const { body, prompt } = this.#said
    return hasBody(this.#said)
      ? { body: await inSlices(mapTexts(this.#said, edit)), prompt, edit }
      : { body, prompt: prompt.split('\n').map(edit).join('\n'), edit }
  }
}

/** Not within other words. */
function asWords(text: string): RegExp {
  const literal = text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'gu')
}

function hasBody({ body }: SaidText): boolean {
  return body !== undefined && body !== null
}

/** The newest last. */
function* textsOf(said: SaidText): Resting<readonly string[]> {
  if (!hasBody(said)) return said.prompt.split('\n')
  const program: string[] = []
  const others: string[] = []
  yield* mapTexts(said, (text, field) => {
    ;(PROGRAM.has(field) ? program : others).push(text)
    return text
  })
  return [...program, ...others]
}

/** Folded, decoded, or joined of parts, they are others than the body's own. */
async function saidTexts({ said }: SaidText): Promise<readonly string[]> {
  const texts: string[] = []
  if (said === undefined) return texts
  await inSlices(
    said.again((text, who) => {
      if (who !== 'program') texts.push(text)
      return ''
    }),
  )
  return texts
}

function withoutMarks(
  text: string,
  marked: MarkedText | undefined,
  approved: ReadonlySet<string>,
): string {
  if (marked === undefined) return text
  if (approved.has(marked.mark)) return ''
  let left = ''
  let at = 0
  for (const { start, end, mark } of marked.passages) {
    if (start < at || !approved.has(mark)) continue
    left += text.slice(at, start)
    at = end
  }
  return at === 0 ? text : left + text.slice(at)
}

function* piecesOf(text: string): Generator<{ from: number; piece: string }> {
  for (let from = 0; ; from += SEARCHED_CHARS - OVERLAP_CHARS) {
    yield { from, piece: text.slice(from, from + SEARCHED_CHARS) }
    if (from + SEARCHED_CHARS >= text.length) return
  }
}

/** However it is grouped: `4111 1111` is `4111-1111`. */
function passagesOf(
  { piece, from }: { readonly piece: string; readonly from: number },
  mark: Mark,
  detector: Detector,
): Passage[] {
  return detector
    .find(piece)
    .map(({ kind, start, end }) => {
      const plain = piece.slice(start, end).toLowerCase()
      const digest = mark(`${knownKind(kind)}:${plain.replace(/[^\p{L}\p{N}@.]/gu, '')}`)
      return { start: from + start, end: from + end, mark: PASSAGE + digest }
    })
    .sort((a, b) => a.start - b.start)
}

/** Each text in its place; `field`: the field of the body in which it stands. */
function* mapTexts(
  { body, long = new LongTexts() }: SaidText,
  use: (text: string, field: string) => string,
): Resting<unknown> {
  let values = 0
  function* map(value: unknown, key: string, field: string): Resting<unknown> {
    if (values++ > MAX_VALUES) return value
    if (values % REST_VALUES === 0) yield
    if (typeof value === 'string') {
      if (STRUCTURE.has(key)) return value
      if (value.length <= PIECE_CHARS) return use(value, field)
      return long.join(long.piecesOf(value).map((piece) => use(piece, field)))
    }
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items: unknown[] = []
      for (const item of value) items.push(yield* map(item, key, field))
      return items
    }
    const entries: [string, unknown][] = []
    for (const [name, inner] of Object.entries(value))
      entries.push([name, yield* map(inner, name, field === '' ? name : field)])
    return Object.fromEntries(entries)
  }
  return yield* map(body, '', '')
}

const REST_VALUES = 64
