/**
 * Puts values back into an answer as it passes: into the strings of JSON, of the events of a
 * stream and of lines of JSON, and into plain text. What comes in pieces is one text where it
 * belongs to one place of the answer, so that a placeholder may be cut anywhere. Nothing is held
 * but what can still become one, and what came behind it. Pure.
 */
import { StringDecoder } from 'node:string_decoder'
import { isJsonText, stringsIn } from './json-strings.js'
import type { JsonString } from './json-strings.js'
import { tailOf } from './placeholders.js'
import type { Placeholders } from './placeholders.js'

export type Framing = 'events' | 'lines' | 'json' | 'text'

export interface Restorer {
  /** What may go on. */
  write(chunk: Uint8Array): string
  /** Something is held. */
  readonly isHolding: boolean
  /** All that is held, as it is. */
  release(): string
  /** The answer has ended. */
  end(): string
}

export function restorerOf(framing: Framing, placeholders: Placeholders): Restorer {
  if (framing === 'events' || framing === 'lines')
    return new EventRestorer(placeholders, framing)
  return new TextRestorer(placeholders, framing === 'json')
}

function once(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}

function twice(value: string): string {
  return once(once(value))
}

/** One text, in which strings of JSON are known where it is JSON. */
class TextRestorer implements Restorer {
  readonly #placeholders: Placeholders
  readonly #decoder = new StringDecoder('utf8')
  readonly #isJson: boolean
  #held = ''
  /** In a string; the last one that ended; the name before a value. */
  #isInside = false
  #isEscaped = false
  #string = ''
  #name = ''

  constructor(placeholders: Placeholders, isJson: boolean) {
    this.#placeholders = placeholders
    this.#isJson = isJson
  }

  get isHolding(): boolean {
    return this.#held !== ''
  }

  write(chunk: Uint8Array): string {
    return this.#add(this.#decoder.write(Buffer.from(chunk)))
  }

  release(): string {
    const held = this.#passed(this.#held)
    this.#held = ''
    return held
  }

  end(): string {
    return this.#add(this.#decoder.end()) + this.release()
  }

  #add(more: string): string {
    const text = this.#held + more
    const end = tailOf(text)
    this.#held = text.slice(end)
    return this.#passed(text.slice(0, end))
  }

  #passed(text: string): string {
    if (!this.#isJson) return this.#placeholders.restored(text, (value) => value)
    let made = ''
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (text[at] === '"') {
        made += this.#value(text.slice(from, at)) + '"'
        from = at + 1
        this.#isInside = !this.#isInside
        if (this.#isInside) this.#string = ''
      } else if (this.#isInside && text[at] === '\\') this.#isEscaped = true
      else if (!this.#isInside && text[at] === ':') this.#name = this.#string
    }
    return made + this.#value(text.slice(from))
  }

  #value(text: string): string {
    if (!this.#isInside) return text
    if (this.#string.length < MAX_NAME) this.#string += text.slice(0, MAX_NAME)
    const write = isJsonText(this.#name, '') ? twice : once
    return this.#placeholders.restored(text, write)
  }
}

/** Of a field. */
const MAX_NAME = 64

interface HeldEvent {
  readonly raw: string
  /** Where its JSON begins in it. */
  readonly from: number
  readonly edits: Map<JsonString, string>
}

interface Pending {
  readonly tail: string
  readonly event: HeldEvent
  readonly string: JsonString
}

/** So many events, and characters of them, wait for what a placeholder goes on with. */
const MAX_EVENTS = 128
const MAX_CHARS = 256 * 1024

class EventRestorer implements Restorer {
  readonly #placeholders: Placeholders
  readonly #decoder = new StringDecoder('utf8')
  readonly #framing: 'events' | 'lines'
  /** What came of an event that is not whole. */
  #part = ''
  /** The beginning of this one went on as it was. */
  #isBegun = false
  #held: HeldEvent[] = []
  #heldChars = 0
  readonly #pending = new Map<string, Pending>()

  constructor(placeholders: Placeholders, framing: 'events' | 'lines') {
    this.#placeholders = placeholders
    this.#framing = framing
  }

  get isHolding(): boolean {
    return this.#held.length > 0 || this.#part !== ''
  }

  write(chunk: Uint8Array): string {
    return this.#add(this.#decoder.write(Buffer.from(chunk)))
  }

  end(): string {
    const last = this.#add(this.#decoder.end())
    const part = this.#part
    this.#part = ''
    return last + (part === '' ? '' : this.#event(part)) + this.#letGo()
  }

  release(): string {
    const part = this.#part
    this.#part = ''
    if (part !== '') this.#isBegun = true
    return this.#letGo() + part
  }

  #add(more: string): string {
    this.#part += more
    let made = ''
    for (let end = this.#eventEnd(); end > 0; end = this.#eventEnd()) {
      const raw = this.#part.slice(0, end)
      this.#part = this.#part.slice(end)
      made += this.#event(raw)
    }
    return this.#part.length > MAX_CHARS ? made + this.release() : made
  }

  /** Behind the blank line that ends it, or behind a line. */
  #eventEnd(): number {
    if (this.#framing === 'lines') return this.#part.indexOf('\n') + 1
    const found = EVENT_END.exec(this.#part)
    return found === null ? 0 : found.index + found[0].length
  }

  #event(raw: string): string {
    if (this.#isBegun) {
      this.#isBegun = false
      return raw
    }
    if (this.#pending.size === 0 && !raw.includes('[')) return raw
    const from = this.#framing === 'lines' ? 0 : dataIn(raw)
    const event: HeldEvent = { raw, from, edits: new Map() }
    if (from >= 0) this.#read(event)
    this.#held.push(event)
    this.#heldChars += raw.length
    if (this.#pending.size === 0) return this.#letGo()
    const isFull = this.#held.length > MAX_EVENTS || this.#heldChars > MAX_CHARS
    return isFull ? this.release() : ''
  }

  #read(event: HeldEvent): void {
    const { strings, place } = stringsIn(event.raw.slice(event.from))
    for (const string of strings) {
      const at = `${place}${string.path}`
      const before = this.#pending.get(at)
      const written = event.raw.slice(event.from + string.start, event.from + string.end)
      const text = (before?.tail ?? '') + written
      const end = tailOf(text)
      this.#pending.delete(at)
      const write = isJsonText(string.name, place) ? twice : once
      const made = this.#placeholders.restored(text.slice(0, end), write)
      if (made !== written || before !== undefined || end < text.length)
        event.edits.set(string, made)
      if (end < text.length)
        this.#pending.set(at, { tail: text.slice(end), event, string })
    }
  }

  /** All that waits; a tail that became nothing goes where its last part stood. */
  #letGo(): string {
    for (const { tail, event, string } of this.#pending.values())
      event.edits.set(string, (event.edits.get(string) ?? '') + tail)
    this.#pending.clear()
    const made = this.#held.map(written).join('')
    this.#held = []
    this.#heldChars = 0
    return made
  }
}

/** WHATWG HTML §9.2.6: lines end with CR, LF, or both. */
const EVENT_END = /\r\n\r\n|\n\n|\r\r/

/** Where the data of an event begins that has one line of it; -1: it has none, or several. */
function dataIn(raw: string): number {
  const first = /(?:^|[\r\n])data: ?/.exec(raw)
  if (first === null) return -1
  const from = first.index + first[0].length
  return /[\r\n]data:/.test(raw.slice(from)) ? -1 : from
}

function written({ raw, from, edits }: HeldEvent): string {
  if (edits.size === 0) return raw
  let made = raw.slice(0, from)
  let at = from
  for (const [string, text] of [...edits].toSorted(([a], [b]) => a.start - b.start)) {
    made += raw.slice(at, from + string.start) + text
    at = from + string.end
  }
  return made + raw.slice(at)
}
