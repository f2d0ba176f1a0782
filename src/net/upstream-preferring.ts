/**
 * Requests of clients that speak HTTP/2 alone: they go up as HTTP/2, and as HTTP/1.1 to a
 * provider that does not speak it. Which of them that are is asked by a handshake and
 * remembered for a while; sending is `upstream.ts`'s and `upstream-h2.ts`'s.
 */
import { LRUCache } from 'lru-cache'
import { NoHttp2 } from './upstream-h2.js'
import { poolKey } from './upstream-words.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** Names that are remembered to speak HTTP/1.1 alone, and for how long. */
const MAX_NAMES = 256
const REMEMBERED_MS = 3_600_000

type Send = (request: UpstreamRequest, handler: UpstreamHandler) => UpstreamExchange

/** Both ways up. */
export interface PreferringOptions {
  readonly h2: Send
  readonly http1: Send
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * Remembers for an hour which of 256 names (`MAX_NAMES`) speak HTTP/1.1 alone; they are
 * not asked meanwhile.
 */
export class PreferringH2 {
  readonly #options: PreferringOptions
  readonly #onlyHttp1: LRUCache<string, true>

  constructor(options: PreferringOptions) {
    this.#options = options
    this.#onlyHttp1 = new LRUCache({
      max: MAX_NAMES,
      ttl: REMEMBERED_MS,
      perf: { now: options.now },
    })
  }

  /**
   * Sent a second time only where the handshake told that there is no HTTP/2, before a
   * byte of the request has gone.
   */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const key = poolKey(request.target)
    const { h2, http1 } = this.#options
    if (this.#onlyHttp1.has(key)) return http1(request, handler)
    return new Attempt(request, handler, {
      h2,
      http1: (again, answer) => {
        this.#onlyHttp1.set(key, true)
        return http1(again, answer)
      },
    })
  }
}

/** One request by HTTP/2; by HTTP/1.1 when the handshake said that there is no other. */
class Attempt implements UpstreamExchange {
  #sent: UpstreamExchange
  #aborted = false

  constructor(
    request: UpstreamRequest,
    handler: UpstreamHandler,
    { h2, http1 }: { readonly h2: Send; readonly http1: Send },
  ) {
    this.#sent = h2(request, {
      onInformation: (status, fields) => handler.onInformation(status, fields),
      onHead: (status, message, fields) => handler.onHead(status, message, fields),
      onData: (chunk) => handler.onData(chunk),
      onEnd: (trailers) => handler.onEnd(trailers),
      onUpgrade: (fields, socket) => handler.onUpgrade(fields, socket),
      onError: (error, stale, unsent) => {
        if (!(error instanceof NoHttp2)) handler.onError(error, stale, unsent)
        else if (!this.#aborted) this.#sent = http1(request, handler)
      },
    })
  }

  resume(): void {
    this.#sent.resume()
  }

  abort(): void {
    this.#aborted = true
    this.#sent.abort()
  }
}
