/**
 * Reads the tools that a server tells out of its answers as they pass: one body of JSON, or the
 * events of a stream. What goes on is what came. An answer that is too long, or that nobody can
 * read, tells none.
 */
import { SseReader } from '../../http/sse.js'
import { JSON_LIMITS, parseBounded } from '../../json/json-bounds.js'

/** Of one answer, or of one event. */
export const MOST_LISTED_BYTES = 4 * 1024 * 1024

export type Listed = (tools: readonly unknown[]) => void

export class ListedTools {
  readonly #use: Listed
  readonly #events: SseReader | undefined
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(isEvents: boolean, use: Listed) {
    this.#use = use
    this.#events = isEvents
      ? new SseReader({ maxEventBytes: MOST_LISTED_BYTES })
      : undefined
  }

  push(piece: Buffer): void {
    if (this.#events !== undefined) {
      for (const { data } of this.#events.push(piece)) this.#read(Buffer.from(data))
      return
    }
    this.#bytes += piece.length
    if (this.#bytes > MOST_LISTED_BYTES) this.#pieces = []
    else this.#pieces.push(Buffer.from(piece))
  }

  end(): void {
    const pieces = this.#pieces.splice(0)
    if (pieces.length > 0 && this.#bytes <= MOST_LISTED_BYTES)
      this.#read(Buffer.concat(pieces))
  }

  #read(bytes: Buffer): void {
    // Most messages are others.
    if (!bytes.includes(TOOLS)) return
    const limits = { ...JSON_LIMITS, maxBytes: MOST_LISTED_BYTES }
    const parsed = parseBounded(bytes, limits)
    if (parsed.kind !== 'whole') return
    const { value } = parsed
    for (const message of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const { result } = (message ?? {}) as { result?: unknown }
      const { tools } = (result ?? {}) as { tools?: unknown }
      if (Array.isArray(tools)) this.#use(tools as unknown[])
    }
  }
}

const TOOLS = Buffer.from('"tools"')
