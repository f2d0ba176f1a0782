/**
 * Puts back into an answer what was taken out of its request, as it passes. What can still
 * become a placeholder waits for what it goes on with: `HELD_MS` at the most, and then goes on
 * as it is, which is counted.
 */
import { contentCoding } from '../../http/content-coding.js'
import type { Placeholders } from '../../placeholders/placeholders.js'
import { restorerOf } from '../../placeholders/restorer.js'
import type { Framing, Restorer } from '../../placeholders/restorer.js'

/** The end of an answer that can still begin a placeholder waits so long. */
export const HELD_MS = 500

/** They speak of the bytes of the body: RFC 9110 §8.6, RFC 9530, and the older ones. */
const OF_BYTES: ReadonlySet<string> = new Set([
  ...['content-length', 'content-digest', 'repr-digest', 'digest', 'content-md5'],
  ...['accept-ranges'],
])

export interface RestoringHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

export interface RestoringAbout {
  /** Called with what was held, when it waits no longer. */
  readonly emit: (bytes: Buffer) => void
  /** Called where something went on as it is. */
  readonly released: () => void
}

export class Restoring {
  readonly #restorer: Restorer
  readonly #about: RestoringAbout
  #timer: NodeJS.Timeout | undefined

  constructor(placeholders: Placeholders, framing: Framing, about: RestoringAbout) {
    this.#restorer = restorerOf(framing, placeholders)
    this.#about = about
  }

  /** What may go on of it. */
  write(chunk: Buffer): Buffer {
    const passed = this.#restorer.write(chunk)
    if (!this.#restorer.isHolding) this.close()
    else this.#timer ??= setTimeout(() => this.#release(), HELD_MS)
    return Buffer.from(passed)
  }

  end(): Buffer {
    this.close()
    return Buffer.from(this.#restorer.end())
  }

  /** Nothing is waited for any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #release(): void {
    this.#timer = undefined
    if (!this.#restorer.isHolding) return
    this.#about.released()
    this.#about.emit(Buffer.from(this.#restorer.release()))
  }
}

/** Undefined: nothing can be put into it, as where it is in a coding nobody asked for. */
export function framingOf({
  contentType = '',
  contentEncoding,
}: RestoringHead): Framing | undefined {
  if (contentCoding(contentEncoding) !== 'identity') return undefined
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'text/event-stream') return 'events'
  if (/ndjson|jsonl|json-seq|json-lines/.test(type)) return 'lines'
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  return type.startsWith('text/') ? 'text' : undefined
}

/** Without those that speak of its bytes. Names and values in turn. */
export function restoredFields(fields: readonly string[]): string[] {
  return fields.filter(
    (_field, i) => !OF_BYTES.has((fields[i - (i % 2)] as string).toLowerCase()),
  )
}
