/**
 * Newline-delimited JSON: bytes in, one text per line out, whatever the chunking. Lines end in
 * LF or CRLF; blank lines are passed over. Parsing a line is for the reader of its meaning.
 */

/** A line that is not blank. */
export interface NdjsonLine {
  /** As UTF-8, without white space around it. */
  readonly text: string
  /** The stream ended before the line's terminator. */
  readonly unterminated: boolean
}

/** What is held of one line. `NDJSON_LIMITS` are the defaults. */
export interface NdjsonLimits {
  /** Its terminator not counted. */
  readonly maxLineBytes: number
}

export const NDJSON_LIMITS: NdjsonLimits = { maxLineBytes: 1024 * 1024 }

const LF = 0x0a
const CR = 0x0d

/**
 * A line over `maxLineBytes` is skipped as a whole and counted in `skipped`. Throws
 * nothing.
 */
export class NdjsonReader {
  readonly #maxLineBytes: number
  #held: Buffer[] = []
  #lineBytes = 0
  #skipped = 0

  constructor(limits: NdjsonLimits = NDJSON_LIMITS) {
    this.#maxLineBytes = limits.maxLineBytes
  }

  /** Lines that were over the limit. */
  get skipped(): number {
    return this.#skipped
  }

  /** Does not keep `chunk`. */
  push(chunk: Uint8Array): NdjsonLine[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: NdjsonLine[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(LF, start)
      if (end < 0) break
      this.#finish(bytes.subarray(start, end), lines, false)
      start = end + 1
    }
    const rest = bytes.subarray(start)
    this.#lineBytes += rest.length
    // The last byte may be the terminator's first.
    if (this.#lineBytes > this.#maxLineBytes + 1) this.#held = []
    else if (rest.length > 0) this.#held.push(Buffer.from(rest))
    return lines
  }

  /** What the end of the stream leaves: nothing, or one line without its terminator. */
  end(): NdjsonLine[] {
    const lines: NdjsonLine[] = []
    this.#finish(Buffer.alloc(0), lines, true)
    return lines
  }

  #finish(rest: Buffer, lines: NdjsonLine[], unterminated: boolean): void {
    const bytes = this.#lineBytes + rest.length
    const last = rest.at(-1) ?? this.#held.at(-1)?.at(-1)
    const length = last === CR ? bytes - 1 : bytes
    this.#lineBytes = 0
    const held = this.#held
    this.#held = []
    if (length > this.#maxLineBytes) {
      this.#skipped++
      return
    }
    if (length === 0) return
    const line = held.length === 0 ? rest : Buffer.concat([...held, rest])
    const text = line.toString('utf8').trim()
    if (text.length > 0) lines.push({ text, unterminated })
  }
}
