/**
 * A request that may be answered out of the cache: where an answer is kept it is played as it
 * came, piece by piece; else it is sent, and its answer kept as it passes. Only once it has been
 * read whole, and read as good, does it count.
 */
import { setImmediate as soon } from 'node:timers'
import type { Duplex } from 'node:stream'
import type { YoriError } from '../../core/errors.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
} from '../../net/upstream-words.js'
import type { AnswerCache, Keeping, KeptAnswer } from '../../pools/answer-cache.js'
import type { Judging } from '../judging/judging.js'
import type { ExchangeAbout } from '../words/exchange-about.js'
import type { SeenExchange } from '../words/observer.js'
import { cacheKey, cacheWish } from './cache-key.js'
import type { ExchangePort } from './port.js'
import { upstreamRequest } from './upstream-request.js'

/** Of this very exchange with the provider, and of no later one. */
const OF_ITS_OWN = /^(set-cookie|retry-after|x-yori-.*|.*-?ratelimit-.*|age)$/i
const SAYS_NO_STORE = /(?:^|,)\s*no-store\s*(?:,|$)/i

export interface CacheWay {
  readonly cache: AnswerCache
  readonly key: string
  /** Undefined: it is to be asked for, and kept. */
  readonly answer: KeptAnswer | undefined
}

/** Undefined: its answer is none that is kept. */
export function cacheWay(
  about: ExchangeAbout<ExchangePort>,
  body: UpstreamBody,
  judging: Pick<Judging, 'redaction' | 'changes'> | undefined,
): CacheWay | undefined {
  const { facts, services, recognised, request, from } = about
  const { answers: cache } = services
  const { door, upgrade, holder, path, endpoint } = facts
  if (cache === undefined || door === undefined || recognised === undefined)
    return undefined
  const isOther = upgrade !== undefined || door.way !== undefined || about.isGrpc
  if (isOther || endpoint === undefined || body.kind !== 'whole') return undefined
  if (body.bytes.length > cache.limits.requestBytes) return undefined
  const wish = cacheWish(request.headers['cache-control'])
  if (wish === 'none') return undefined
  const { ip, mac = '' } = from.state.record.device
  const key = cacheKey({
    api: recognised.api,
    door: door.provider,
    client: [ip, mac, holder?.name ?? ''],
    method: request.method ?? 'GET',
    path,
    fields: upstreamRequest(about, body, judging).fields,
    body: body.bytes,
  })
  if (key === undefined) return undefined
  return { cache, key, answer: wish === 'fresh' ? undefined : cache.find(key) }
}

/** Is it whole, and an answer as any other? By its row, when all of it has been read. */
export function isWorthKeeping(row: SeenExchange): boolean {
  return (
    row.outcome === 'response' &&
    row.status === 200 &&
    row.code === undefined &&
    row.truncated !== true &&
    row.uninspectable === undefined &&
    row.fallback === undefined &&
    (row.api === 'embeddings' || row.finishReason !== undefined)
  )
}

/** Keeps an answer as it passes on to `handler`. */
export class KeepingHandler implements UpstreamHandler {
  readonly #handler: UpstreamHandler
  readonly #keeping: Keeping
  #isWhole = false

  constructor(cache: AnswerCache, key: string, handler: UpstreamHandler) {
    this.#handler = handler
    this.#keeping = cache.begin(key)
  }

  /** The exchange is over. */
  settle(row: SeenExchange): void {
    if (this.#isWhole && isWorthKeeping(row)) this.#keeping.keep()
    else this.#keeping.drop()
  }

  onInformation(status: number, rawHeaders: readonly string[]): void {
    this.#handler.onInformation(status, rawHeaders)
  }

  onHead(status: number, message: string, rawHeaders: readonly string[]): void {
    if (status === 200 && !forbids(rawHeaders))
      this.#keeping.head(message, general(rawHeaders))
    else this.#keeping.drop()
    this.#handler.onHead(status, message, rawHeaders)
  }

  onData(chunk: Buffer): boolean {
    this.#keeping.data(chunk)
    return this.#handler.onData(chunk)
  }

  onEnd(rawTrailers: readonly string[]): void {
    this.#isWhole = rawTrailers.length === 0
    this.#handler.onEnd(rawTrailers)
  }

  onUpgrade(rawHeaders: readonly string[], socket: Duplex): void {
    this.#keeping.drop()
    this.#handler.onUpgrade(rawHeaders, socket)
  }

  onError(error: YoriError, stale: boolean, unsent?: boolean): void {
    this.#keeping.drop()
    this.#handler.onError(error, stale, unsent)
  }
}

/** Plays an answer that was kept: as fast as its client takes it. */
export class PlayedAnswer implements UpstreamExchange {
  readonly #answer: KeptAnswer
  readonly #handler: UpstreamHandler
  #piece = 0
  #isWaiting = false
  #isOver = false

  private constructor(answer: KeptAnswer, handler: UpstreamHandler) {
    this.#answer = answer
    this.#handler = handler
  }

  static begin(
    answer: KeptAnswer,
    ageMs: number,
    handler: UpstreamHandler,
  ): UpstreamExchange {
    const played = new PlayedAnswer(answer, handler)
    const { message, rawHeaders } = answer
    const age = String(Math.floor(ageMs / 1000))
    // Not within the call: whoever sends does not know yet that it has.
    soon(() => {
      if (played.#isOver) return
      handler.onHead(200, message, [...rawHeaders, 'age', age, 'x-yori-cache', 'hit'])
      played.#next()
    })
    return played
  }

  resume(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    soon(() => this.#next())
  }

  abort(): void {
    this.#isOver = true
  }

  #next(): void {
    if (this.#isOver || this.#isWaiting) return
    const { body, ends } = this.#answer
    const end = ends[this.#piece]
    if (end === undefined) {
      this.#isOver = true
      this.#handler.onEnd([])
      return
    }
    const begin = ends[this.#piece - 1] ?? 0
    this.#piece++
    if (this.#handler.onData(body.subarray(begin, end))) soon(() => this.#next())
    else this.#isWaiting = true
  }
}

function forbids(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some(
    (field, i) =>
      i % 2 === 0 &&
      field.toLowerCase() === 'cache-control' &&
      SAYS_NO_STORE.test(rawHeaders[i + 1] as string),
  )
}

function general(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter(
    (_field, i) => !OF_ITS_OWN.test(rawHeaders[i - (i % 2)] as string),
  )
}
