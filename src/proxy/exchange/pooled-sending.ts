/**
 * One request at a pool of targets: it is sent to one of them, and while no answer has begun and
 * its body can be had again, to another where the first cannot be reached or says that it cannot
 * serve it. Once anything of an answer has gone on, it is that target's to the end. Which of
 * them, and whether, is `src/pools`'s.
 */
import { setImmediate as soon } from 'node:timers'
import type { Duplex } from 'node:stream'
import { YoriError } from '../../core/errors.js'
import type {
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from '../../net/upstream-words.js'
import { retryAfterMs } from '../../pools/failures.js'
import type { Failure } from '../../pools/failures.js'
import type { Lease } from '../../pools/pool.js'
import type { Outgoing, PooledWay } from '../words/pooled-way.js'
import type { AttemptLog } from './attempts.js'
import { withOurs } from './pooled-head.js'

/** A client that waits less than this for an answer to begin, and goes, says nothing of a target. */
const PATIENCE_MS = 1_000

export interface PooledRequest {
  readonly way: PooledWay
  readonly body: UpstreamBody
  /** The body once more from its beginning; undefined: it is not to be had any more. */
  readonly again: () => UpstreamBody | undefined
  /** The request for a target. */
  readonly request: (to: Outgoing, body: UpstreamBody, fresh: boolean) => UpstreamRequest
  readonly send: (request: UpstreamRequest, handler: UpstreamHandler) => UpstreamExchange
  readonly log: AttemptLog | undefined
  /** Monotonic milliseconds, and those since the Unix epoch. */
  readonly now: () => number
  readonly wallNow: () => number
}

interface Next {
  readonly lease: Lease
  readonly body: UpstreamBody
}

/** Of the exchange it is the way up, of each attempt the handler. */
export class PooledSending implements UpstreamExchange, UpstreamHandler {
  readonly #asked: PooledRequest
  readonly #handler: UpstreamHandler
  readonly #tried: Set<number>
  #lease: Lease | undefined
  #upstream: UpstreamExchange | undefined
  #sentAt = 0
  #retried = 0
  /** It went over a new connection because an old one had died. */
  #isFresh = false
  /** Takes a place among the retries of its pool. */
  #isRetry = false
  /** Something of an answer has gone on. */
  #heard = false
  /** What is being answered is a failure of the target. */
  #failure: Failure | undefined
  #isOver = false

  private constructor(asked: PooledRequest, handler: UpstreamHandler) {
    this.#asked = asked
    this.#handler = handler
    this.#tried = new Set(asked.way.without)
  }

  /** Never throws; that there is no target is told by the handler. */
  static begin(asked: PooledRequest, handler: UpstreamHandler): UpstreamExchange {
    const sending = new PooledSending(asked, handler)
    sending.#begin()
    return sending
  }

  resume(): void {
    this.#upstream?.resume()
  }

  abort(): void {
    if (this.#isOver) return
    const waitedMs = this.#asked.now() - this.#sentAt
    const isMissed = !this.#heard && waitedMs >= PATIENCE_MS
    this.#upstream?.abort()
    if (isMissed) this.#note('YORI_CLIENT_GONE')
    this.#settle(this.#failure ?? (isMissed ? { kind: 'unanswered' } : undefined), true)
  }

  onInformation(status: number, rawHeaders: readonly string[]): void {
    this.#heard = true
    this.#handler.onInformation(status, rawHeaders)
  }

  onHead(status: number, message: string, rawHeaders: readonly string[]): void {
    const lease = this.#lease as Lease
    const { now, wallNow } = this.#asked
    if (status === 429 || status >= 500) {
      const waitMs = retryAfterMs(rawHeaders, wallNow())
      if (status === 429 && waitMs !== undefined) lease.rests(waitMs)
      const failure: Failure = { kind: 'status', status, retryAfterMs: waitMs }
      if (this.#goesElsewhere(failure, String(status))) return
      this.#failure = failure
    } else lease.answered(now() - this.#sentAt)
    this.#heard = true
    this.#note(String(status))
    const told = { upstream: lease.id, retries: this.#retried }
    this.#handler.onHead(status, message, withOurs(rawHeaders, told))
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData(chunk)
  }

  onEnd(rawTrailers: readonly string[]): void {
    this.#settle(this.#failure)
    this.#handler.onEnd(rawTrailers)
  }

  /** Its target has it until the socket is closed. */
  onUpgrade(rawHeaders: readonly string[], socket: Duplex): void {
    this.#heard = true
    this.#note('101')
    this.#lease?.answered(this.#asked.now() - this.#sentAt)
    socket.once('close', () => this.#settle(undefined))
    const told = { upstream: this.#lease?.id ?? '', retries: this.#retried }
    this.#handler.onUpgrade(withOurs(rawHeaders, told), socket)
  }

  onError(error: YoriError, stale: boolean, unsent?: boolean): void {
    if (this.#isOver) return
    if (isOurs(error)) {
      this.#note(error.code)
      this.#settle(undefined, true)
      this.#handler.onError(error, stale, unsent)
      return
    }
    if (!this.#heard && stale && this.#goesAgain()) return
    const failure = this.#failureOf(stale || unsent === true)
    if (this.#goesElsewhere(failure, error.code)) return
    if (!this.#heard) this.#note(error.code)
    this.#settle(failure)
    this.#handler.onError(error, stale, unsent)
  }

  #begin(): void {
    const { way, body } = this.#asked
    way.pool.active++
    const lease = this.#take(body)
    if (lease !== undefined) {
      this.#go({ lease, body })
      return
    }
    way.pool.refused++
    const { name } = way.pool.settings
    const text = `${name}: each of its targets has all the requests that it may have`
    // Not within the call: whoever sends does not know yet that it has.
    soon(() => {
      if (this.#isOver) return
      this.#settle(undefined)
      this.#handler.onError(new YoriError('YORI_UPSTREAM_NO_TARGET', text), false, true)
    })
  }

  #take(body: UpstreamBody): Lease | undefined {
    const { pool, key } = this.#asked.way
    const mayTry = body.kind !== 'stream'
    return pool.take({ without: this.#tried, key, mayTry })
  }

  #go({ lease, body }: Next, fresh = false): void {
    const { request, send, way, now } = this.#asked
    this.#lease = lease
    this.#tried.add(lease.index)
    this.#sentAt = now()
    this.#upstream = send(request(way.to(lease.index), body, fresh), this)
  }

  /** To the same target over a new connection: the old one had died unused. */
  #goesAgain(): boolean {
    const lease = this.#lease
    const body = this.#isFresh || lease === undefined ? undefined : this.#asked.again()
    if (lease === undefined || body === undefined) return false
    this.#isFresh = true
    this.#asked.log?.retried()
    this.#go({ lease, body }, true)
    return true
  }

  /** False, and nothing has changed: what this target says is what the client is told. */
  #goesElsewhere(failure: Failure, outcome: string): boolean {
    const next = this.#heard ? undefined : this.#next(failure)
    if (next === undefined) return false
    this.#note(outcome)
    // What it still says of it is nobody's.
    if (failure.kind === 'status') this.#upstream?.abort()
    this.#lease?.end({ kind: 'failed', failure })
    this.#retried++
    this.#asked.way.pool.retries++
    this.#isFresh = false
    this.#go(next)
    return true
  }

  #next(failure: Failure): Next | undefined {
    const { way, again } = this.#asked
    const { pool } = way
    const from = this.#lease
    if (from === undefined || !pool.mayRetry(failure, from, this.#retried))
      return undefined
    const lease = pool.take({ without: this.#tried, key: way.key, mayTry: false })
    if (lease === undefined) return undefined
    // One that tries a target must not be lost for it; the pool sees to it that they are few.
    const hasPlace = this.#isRetry || from.isTrial || pool.budget.take(pool.active)
    const body = hasPlace ? again() : undefined
    if (hasPlace && !this.#isRetry && !from.isTrial) {
      if (body === undefined) pool.budget.give()
      else this.#isRetry = true
    }
    if (body !== undefined) return { lease, body }
    lease.end({ kind: 'left' })
    return undefined
  }

  #failureOf(isUnsent: boolean): Failure {
    if (this.#heard) return { kind: 'cut' }
    return isUnsent ? { kind: 'unsent' } : { kind: 'unanswered' }
  }

  #note(outcome: string): void {
    const target = this.#lease?.id
    if (target !== undefined) this.#asked.log?.attempted({ target, outcome })
  }

  /** Once. `isLeft`: how it would have gone on is not known. */
  #settle(failure: Failure | undefined, isLeft = false): void {
    if (this.#isOver) return
    this.#isOver = true
    const { pool } = this.#asked.way
    pool.active--
    if (this.#isRetry) pool.budget.give()
    if (failure !== undefined) this.#lease?.end({ kind: 'failed', failure })
    else this.#lease?.end({ kind: isLeft ? 'left' : 'answered' })
  }
}

/** The client broke it off, or we did: it says nothing of the target. */
function isOurs({ source, code }: YoriError): boolean {
  return (
    source === 'internal' || (source === 'client' && code !== 'YORI_DESTINATION_REFUSED')
  )
}
