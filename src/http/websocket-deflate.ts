/**
 * Takes permessage-deflate (RFC 7692) off the copies of one direction's messages. No inflater
 * stays alive between them: with context takeover the last 32 KiB of text are kept and given
 * to the next as its dictionary, which is all that its state is.
 */
import { constants, inflateRaw, inflateRawSync } from 'node:zlib'

/** The window of RFC 1951; smaller ones that an offer names are decoded by it too. */
const WINDOW_BYTES = 32 * 1024
/** What the sender takes off each message, RFC 7692 §7.2.2. */
const TAIL = Buffer.of(0, 0, 0xff, 0xff)
/** Inflated in place: a turn of the loop is spared, and it is not held for long. */
const IN_PLACE_BYTES = 8 * 1024
const IN_PLACE_TEXT_BYTES = 128 * 1024

/** Who keeps its context from message to message, RFC 7692 §7.1.1. */
export interface Deflate {
  /** Each side's messages refer to those before. */
  readonly clientTakeover: boolean
  readonly serverTakeover: boolean
}

/** What `Sec-WebSocket-Extensions` of the 101 agreed upon; undefined: no compression. */
export function agreedDeflate(extensions: string): Deflate | undefined {
  for (const offer of extensions.split(',')) {
    const [name, ...parameters] = offer
      .split(';')
      .map((text) => text.trim().toLowerCase())
    if (name !== 'permessage-deflate') continue
    return {
      clientTakeover: !parameters.includes('client_no_context_takeover'),
      serverTakeover: !parameters.includes('server_no_context_takeover'),
    }
  }
  return undefined
}

/** Undefined: over the limit, or no such data. */
export type Inflated = Buffer | undefined

/**
 * One direction's messages. `maxBytes`: of the text of one. With `takeover` a message
 * that could not be inflated or was left out makes all later ones undefined.
 */
export class MessageInflater {
  readonly #takeover: boolean
  readonly #maxBytes: number
  #window: Buffer | undefined
  #lost = false

  constructor(takeover: boolean, maxBytes: number) {
    this.#takeover = takeover
    this.#maxBytes = maxBytes
  }

  /** A message was left out: the next ones refer to text that nobody has. */
  skip(): void {
    if (this.#takeover) this.#lost = true
  }

  /**
   * The text of one message; small ones in place, others on the thread pool. One after
   * the other: a message waits for the one before. Never throws nor rejects.
   */
  inflate(payload: Buffer): Inflated | Promise<Inflated> {
    if (this.#lost) return undefined
    const coded = Buffer.concat([payload, TAIL])
    if (payload.length <= IN_PLACE_BYTES) {
      const most = Math.min(IN_PLACE_TEXT_BYTES, this.#maxBytes)
      try {
        return this.#inflated(inflateRawSync(coded, this.#options(most)))
      } catch (error) {
        const isLarge = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
        if (!isLarge || most === this.#maxBytes) return this.#inflated(undefined)
      }
    }
    return new Promise((resolve) => {
      inflateRaw(coded, this.#options(this.#maxBytes), (error, text) =>
        resolve(this.#inflated(error === null ? text : undefined)),
      )
    })
  }

  #options(maxOutputLength: number): object {
    const dictionary = this.#window
    return {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength,
      ...(dictionary === undefined ? {} : { dictionary }),
    }
  }

  #inflated(text: Buffer | undefined): Inflated {
    if (!this.#takeover) return text
    if (text === undefined) this.#lost = true
    else if (text.length >= WINDOW_BYTES)
      this.#window = Buffer.from(text.subarray(-WINDOW_BYTES))
    else {
      const before = this.#window ?? Buffer.alloc(0)
      const all = Buffer.concat([before, text])
      this.#window = Buffer.from(all.subarray(-WINDOW_BYTES))
    }
    return text
  }
}
