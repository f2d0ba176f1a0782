/**
 * Takes passages out of JSON text (RFC 8259) and leaves every other byte as it was: numbers keep
 * their digits, objects their order, texts their escapes. One pass without recursion over text
 * that has been measured before (`json-bounds.ts`), so that depth and values are bounded.
 *
 * Keys are never changed. Bounded by what it is given: `MAX_REDACTIONS`.
 */
import { unreachable } from '../core/unreachable.js'
import type { Find, Passage } from '../core/redaction.js'
import { redactionMark, Texts } from './redact-texts.js'
import type { Mark } from './redact-texts.js'

/** More cannot be taken out of one body. */
export const MAX_REDACTIONS = 256
/** Numbers with fewer digits say nothing of a person. */
const SHORTEST_NUMBER = 6

/** The body that goes on in place of the one that came. */
export interface Redacted {
  readonly bytes: Buffer
  /** Passages that were taken out. */
  readonly passages: number
}

/**
 * Undefined when one of the redactions is not to be had out: its place is not there,
 * nothing of its kind or text is found, its text stands in a key too, it lies outside its
 * text, there are more than `MAX_REDACTIONS`, or finding their texts would take more than
 * `redact-texts.ts` does for one body. `find` is asked for redactions by kind. `bytes`
 * must be JSON that parses, in UTF-8.
 * @throws SyntaxError for a text with escapes that `JSON.parse` refuses
 */
export function redactJson(
  bytes: Buffer,
  redactions: readonly Passage[],
  find?: Find,
  mark: Mark = redactionMark,
): Redacted | undefined {
  if (redactions.length > MAX_REDACTIONS) return undefined
  return new Redactor({ bytes, redactions, find, mark }).run()
}

interface Work {
  readonly bytes: Buffer
  readonly redactions: readonly Passage[]
  readonly find: Find | undefined
  readonly mark: Mark
}

/**
 * Signed or encrypted by the provider, and checked when it comes back: to change a character
 * is to break it.
 */
const SEALED: ReadonlySet<string> = new Set([
  ...['signature', 'encrypted_content', 'thought_signature', 'thoughtSignature'],
  ...['encrypted_index', 'redacted_thinking'],
])
/** Signed beside it: what is to go from it cannot. */
const SIGNED: ReadonlySet<string> = new Set(['thinking'])
/** Fields that hold a JSON text, in which a value is escaped once more. */
const JSON_TEXTS: ReadonlySet<string> = new Set(['arguments', 'partial_json'])

interface Open {
  readonly isArray: boolean
  readonly pointer: string
  index: number
  /** Under which the next that was opened stands. */
  key: string
}

type Placed = Extract<Passage, { kind: 'value' | 'span' }>

interface Span {
  readonly start: number
  readonly end: number
  readonly label: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Neither an escape nor anything beyond ASCII. */
const PLAIN = /^[\x20-\x5b\x5d-\x7f]*$/

class Redactor {
  readonly #bytes: Buffer
  /** One character a byte. */
  readonly #text: string
  readonly #texts: Texts
  readonly #mark: Mark
  readonly #placed = new Map<string, Placed[]>()
  readonly #kinds = new Set<string>()
  readonly #find: Find | undefined
  /** Pointers and kinds for which nothing was there yet. */
  readonly #missing = new Set<string>()
  readonly #pieces: Buffer[] = []
  readonly #open: Open[] = []
  /** The key of the open object that the next value belongs to; undefined: a key is next. */
  #key: string | undefined
  #copied = 0
  #passages = 0
  #impossible = false

  constructor({ bytes, redactions, find, mark }: Work) {
    this.#bytes = bytes
    this.#mark = mark
    this.#texts = new Texts((label, text) => this.#marked(label, text))
    this.#text = bytes.toString('latin1')
    this.#find = find
    for (const redaction of redactions) this.#add(redaction)
  }

  #add(redaction: Passage): void {
    switch (redaction.kind) {
      case 'text':
        this.#texts.add(redaction.text, redaction.label)
        return
      case 'finding':
        this.#kinds.add(redaction.of)
        this.#missing.add(redaction.of)
        return
      case 'value':
      case 'span':
        this.#place(redaction)
        return
      default:
        return unreachable(redaction)
    }
  }

  #place(redaction: Placed): void {
    const here = this.#placed.get(redaction.pointer)
    if (here === undefined) this.#placed.set(redaction.pointer, [redaction])
    else here.push(redaction)
    this.#missing.add(redaction.pointer)
  }

  run(): Redacted | undefined {
    const bytes = this.#bytes
    let at = 0
    while (at < bytes.length && !this.#impossible) at = this.#token(at)
    if (this.#impossible || this.#missing.size > 0 || !this.#texts.allGone)
      return undefined
    this.#pieces.push(bytes.subarray(this.#copied))
    return { bytes: Buffer.concat(this.#pieces), passages: this.#passages }
  }

  /** Gives where the next token may begin. */
  #token(at: number): number {
    const byte = this.#bytes[at]
    const top = this.#open.at(-1)
    switch (byte) {
      case 0x7b: // {
      case 0x5b: // [
        this.#open.push({
          ...{ isArray: byte === 0x5b, pointer: this.#pointer(), index: 0 },
          key: '',
        })
        if (top !== undefined) top.key = this.#key ?? ''
        this.#key = undefined
        return at + 1
      case 0x7d: // }
      case 0x5d: // ]
        this.#open.pop()
        return at + 1
      case 0x2c: // ,
        if (top !== undefined) top.index++
        this.#key = undefined
        return at + 1
      case QUOTE:
        return this.#string(at, top)
      case 0x3a: // :
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        return at + 1
      default:
        return this.#scalar(at)
    }
  }

  #string(start: number, top: Open | undefined): number {
    const end = stringEnd(this.#text, start + 1)
    const text = this.#decoded(start, end)
    if (top !== undefined && !top.isArray && this.#key === undefined) {
      this.#key = text
      if (this.#texts.cut(text) !== text) this.#impossible = true
      return end
    }
    const name = this.#name()
    if (SEALED.has(name)) return end
    const cut = this.#cut(text)
    if (cut === text) return end
    if (SIGNED.has(name)) this.#impossible = true
    this.#replace(start, end, cut)
    return end
  }

  #scalar(start: number): number {
    let end = start + 1
    while (end < this.#bytes.length && isScalarByte(this.#bytes[end] ?? 0)) end++
    const raw = this.#text.slice(start, end)
    const [placed] = this.#placesHere()
    const [found] = raw.length < SHORTEST_NUMBER ? [] : this.#found(raw)
    const label = placed?.label ?? this.#texts.labelOf(raw) ?? found?.label
    if (label === undefined) return end
    // A part of a number cannot be taken out and leave a number.
    if (placed?.kind === 'span') this.#impossible = true
    this.#texts.gone(raw)
    if (placed !== undefined) this.#missing.delete(placed.pointer)
    this.#passages++
    this.#replace(start, end, this.#marked(label, raw))
    return end
  }

  #decoded(start: number, end: number): string {
    const inside = this.#text.slice(start + 1, end - 1)
    if (PLAIN.test(inside)) return inside
    const raw = this.#bytes.toString('utf8', start, end)
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  }

  #cut(text: string): string {
    const placed = this.#placesHere()
    const [first] = placed
    if (first !== undefined) this.#missing.delete(first.pointer)
    const whole = placed.find(({ kind }) => kind === 'value')
    if (whole !== undefined) {
      this.#passages++
      this.#texts.gone(text)
      return this.#marked(whole.label, text)
    }
    const spans = [...placed.filter(isSpan), ...this.#found(text)]
    const cut = spans.length === 0 ? text : this.#cutSpans(text, spans)
    const before = this.#texts.found
    const left = this.#texts.cut(cut)
    this.#passages += this.#texts.found - before
    if (this.#texts.exhausted) this.#impossible = true
    return left
  }

  /** What the detectors find in this text of the kinds that are to go. */
  #found(text: string): Span[] {
    if (this.#kinds.size === 0 || this.#find === undefined) return []
    const spans: Span[] = []
    for (const { kind, start, end } of this.#find(text)) {
      const of = this.#kinds.has(kind) ? kind : '*'
      if (!this.#kinds.has(of)) continue
      this.#missing.delete(of)
      this.#missing.delete('*')
      spans.push({ start, end, label: kind })
    }
    return spans
  }

  /** What overlaps is taken out as one. */
  #cutSpans(text: string, spans: readonly Span[]): string {
    let cut = ''
    let at = 0
    for (const { start, end, label } of spans.toSorted((a, b) => a.start - b.start)) {
      const fits = Number.isInteger(start) && Number.isInteger(end)
      if (!fits || start < 0 || end <= start || end > text.length) this.#impossible = true
      if (this.#impossible) return text
      if (start >= at) {
        cut += `${text.slice(at, start)}${this.#marked(label, text.slice(start, end))}`
        this.#passages++
      }
      this.#texts.gone(text.slice(start, end))
      at = Math.max(at, end)
    }
    return cut + text.slice(at)
  }

  /** Of the field that it is the value of, or of the list that it stands in. */
  #name(): string {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const one = this.#open[i] as Open
      if (!one.isArray) return i === this.#open.length - 1 ? (this.#key ?? '') : one.key
    }
    return ''
  }

  /** What was taken out of a JSON text is kept as it is without its escapes. */
  #marked(label: string, text: string): string {
    if (!JSON_TEXTS.has(this.#name()) || !text.includes('\\'))
      return this.#mark(label, text)
    try {
      return this.#mark(label, JSON.parse(`"${text}"`) as string)
    } catch {
      return this.#mark(label, text)
    }
  }

  #placesHere(): readonly Placed[] {
    if (this.#placed.size === 0) return []
    return this.#placed.get(this.#pointer()) ?? []
  }

  /** RFC 6901, of the value that is next. */
  #pointer(): string {
    const top = this.#open.at(-1)
    if (top === undefined || this.#placed.size === 0) return ''
    const step = top.isArray ? String(top.index) : (this.#key ?? '')
    return `${top.pointer}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }

  #replace(start: number, end: number, text: string): void {
    this.#pieces.push(this.#bytes.subarray(this.#copied, start))
    this.#pieces.push(Buffer.from(JSON.stringify(text)))
    this.#copied = end
  }
}

function isSpan(placed: Placed): placed is Extract<Placed, { kind: 'span' }> {
  return placed.kind === 'span'
}

/** Behind the closing quote: one that an even number of backslashes stands before. */
function stringEnd(text: string, start: number): number {
  let at = start
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return text.length
    let slash = quote
    while (slash > start && text.charCodeAt(slash - 1) === BACKSLASH) slash--
    if ((quote - slash) % 2 === 0) return quote + 1
    at = quote + 1
  }
}

function isScalarByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x45
  )
}
