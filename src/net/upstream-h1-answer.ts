/**
 * Reads one answer out of the bytes of a connection, as strictly as `http/h1` does, and tells
 * it: informational heads, the head, the body in one piece a read, the trailers. Copies what
 * goes on, for the bytes are read into again. RFC 9112 §6, RFC 9110 §15.2.
 */
import { BAD, BodyReader, DATA, END, responseFraming } from '../http/h1/body.js'
import type { Head } from '../http/h1/head.js'
import { BAD as HEAD_BAD, HeadScanner, MORE as HEAD_MORE } from '../http/h1/scan.js'
import { valuesOf } from '../http/head.js'
import type { H1Exchange } from './upstream-h1-exchange.js'

/** More heads than this before the answer break the connection. */
export const MAX_INFORMATIONAL = 32
/** Of one body; they are not passed on. */
const MAX_EXTENSION_BYTES = 16 * 1024
const NO_TRAILERS: readonly string[] = []

/** What a read came to. */
export type AnswerProgress =
  | 'more'
  /** It is not wanted for now. */
  | 'paused'
  | 'whole'
  /** The protocols were switched. */
  | 'switched'
  | 'malformed'
  /** The exchange ended while it was told of its answer. */
  | 'over'
  /** Others have read into the bytes while the exchange was told of them. */
  | 'overwritten'

/**
 * One answer after the other of a connection: `read` what comes until it is `whole`, then
 * `reset`. Bounds: `maxHeadBytes` for a head, and for trailers; 32 informational heads
 * (`MAX_INFORMATIONAL`); 16 KiB of chunk extensions. A body has none. What the exchange's
 * handler throws passes through.
 */
export class H1Answer {
  /** A byte of it has come. */
  begun = false
  inBody = false
  /** After `malformed`: why. */
  problem = 'unknown'
  /** After `whole` or `switched`: where the answer ends in the bytes. */
  at = 0
  trailers = NO_TRAILERS
  /** Heads that have come before it. */
  informational = 0
  readonly #scanner: HeadScanner
  readonly #body: BodyReader
  readonly #buffer: { readonly reads: number }

  /** `buffer.reads` counts how often the bytes were read into. */
  constructor(maxHeadBytes: number, buffer: { readonly reads: number }) {
    this.#buffer = buffer
    this.#scanner = new HeadScanner('response', { maxHeadBytes })
    this.#body = new BodyReader({
      maxExtensionBytes: MAX_EXTENSION_BYTES,
      maxTrailerBytes: maxHeadBytes,
    })
  }

  /** For the next answer. */
  reset(): void {
    this.#scanner.reset()
    this.informational = 0
    this.begun = false
    this.inBody = false
    this.trailers = NO_TRAILERS
  }

  /** The end of the connection ends it, and nothing else. */
  get isOpen(): boolean {
    return this.inBody && this.#body.isOpen
  }

  /** Its provider goes on serving the connection. */
  get persists(): boolean {
    return this.#scanner.head.persists
  }

  /** For how long, if it says; -1: it does not. */
  get keepAliveSeconds(): number {
    return this.#scanner.head.keepAliveSeconds
  }

  /** After `switched`. */
  fields(): readonly string[] {
    return this.#scanner.head.fields()
  }

  /** Reads `bytes[0..to)` and tells `exchange` what is in them. */
  read(bytes: Buffer, to: number, exchange: H1Exchange): AnswerProgress {
    this.begun = true
    const { reads } = this.#buffer
    let at = 0
    while (!this.inBody) {
      at = this.#scanner.push(bytes, at, to)
      this.at = at
      const progress = this.#headCame(exchange)
      if (progress !== undefined) return progress
      if (exchange.ended) return 'over'
      if (reads !== this.#buffer.reads) return 'overwritten'
      if (!this.inBody && at === to) return 'more'
    }
    return this.#readBody(bytes, at, to, exchange)
  }

  #headCame(exchange: H1Exchange): AnswerProgress | undefined {
    const scanner = this.#scanner
    const { head } = scanner
    if (scanner.progress === HEAD_MORE) return 'more'
    if (scanner.progress === HEAD_BAD) return this.#malformed(scanner.problem ?? 'head')
    if (head.status < 200) return this.#informed(exchange)
    this.#body.start(responseFraming(head, exchange.request.method))
    this.inBody = true
    exchange.handler.onHead(head.status, head.reason, head.fields())
    return undefined
  }

  /** 100 is skipped (RFC 9110 §15.2.1), 101 ends HTTP where that was asked for. */
  #informed(exchange: H1Exchange): AnswerProgress | undefined {
    const { head } = this.#scanner
    if (head.status === 101) {
      const { upgrade } = exchange.request
      const isAsked = upgrade !== undefined && switchesTo(head, upgrade)
      return isAsked ? 'switched' : this.#malformed('a switch that nobody asked for')
    }
    this.informational += 1
    if (this.informational > MAX_INFORMATIONAL)
      return this.#malformed('no answer among its heads')
    // Nothing more would come.
    if (!head.persists) return this.#malformed('the end before the answer')
    if (head.status !== 100) exchange.handler.onInformation(head.status, head.fields())
    this.#scanner.reset()
    return undefined
  }

  #readBody(
    bytes: Buffer,
    from: number,
    to: number,
    exchange: H1Exchange,
  ): AnswerProgress {
    const body = this.#body
    let pieces: Buffer | undefined
    let size = 0
    let event = body.read(bytes, from, to)
    while (event === DATA) {
      pieces ??= Buffer.allocUnsafe(to - body.from)
      size += bytes.copy(pieces, size, body.from, body.to)
      event = body.read(bytes, body.at, to)
    }
    this.at = body.at
    if (event === END) this.trailers = body.trailers()
    let flows = true
    if (pieces !== undefined) {
      const all = size === pieces.length ? pieces : pieces.subarray(0, size)
      flows = exchange.handler.onData(all)
      if (exchange.ended) return 'over'
    }
    if (event === BAD) return this.#malformed(body.problem ?? 'body')
    if (event === END) return 'whole'
    return flows ? 'more' : 'paused'
  }

  #malformed(why: string): AnswerProgress {
    this.problem = why
    return 'malformed'
  }
}

/** To this protocol and no other, RFC 9110 §7.8. */
function switchesTo(head: Head, protocol: string): boolean {
  if (!head.upgrade) return false
  const said = valuesOf(head.fields(), 'upgrade')
  return said.toLowerCase() === protocol.toLowerCase()
}
