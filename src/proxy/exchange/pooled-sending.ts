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
  ConnectionLimits,
  UpstreamBody,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from '../../net/upstream-words.js'
import { mayFallBack, retryAfterMs } from '../../pools/failures.js'
import type { Failure } from '../../pools/failures.js'
import type { Lease } from '../../pools/pool.js'
import type { Outgoing, PooledWay } from '../words/pooled-way.js'
import type { AttemptLog } from './attempts.js'
import { coursesOf } from '../words/pooled-courses.js'
import type { Course, ServedBy } from '../words/pooled-courses.js'
import { withOurs } from './pooled-head.js'
import type { Told } from './pooled-head.js'
import { PoolWait } from './pool-wait.js'
import type { HowItEnded } from './sent-again.js'

/** A client that waits less than this for an answer to begin, and goes, says nothing of a target. */
const PATIENCE_MS = 1_000

export interface Sent {
  /** Over a new connection. */
  readonly fresh: boolean
  readonly headTimeoutMs: number | undefined
  readonly limits: ConnectionLimits
}

export interface PooledRequest {
  readonly way: PooledWay
  /** The money for it is spent: those alone are asked that cost nothing, and are for that. */
  readonly isSpent?: boolean
  readonly body: UpstreamBody
  /** The body once more from its beginning; undefined: it is not to be had any more. */
  readonly again: () => UpstreamBody | undefined
  /** The request for a target. */
  readonly request: (to: Outgoing, body: UpstreamBody, how: Sent) => UpstreamRequest
  readonly send: (request: UpstreamRequest, handler: UpstreamHandler) => UpstreamExchange
  /** It may be sent once more, though it may have been acted on. */
  readonly maySendAgain: (request: UpstreamRequest, how: HowItEnded) => boolean
  readonly log: AttemptLog | undefined
  /** Who serves it is another than was asked, by the name of its door; undefined: no other. */
  readonly servedBy: (other: ServedBy | undefined) => void
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
  /** Where it is, and where it may go from there, in order. */
  #course: Course
  #left: Course[]
  /** Places that were asked, or are not to be, of the pool that it is at. */
  #tried = new Set<number>()
  /** Targets that were asked, of that pool and of all. */
  #asks = 0
  #allAsks = 0
  #lease: Lease | undefined
  #upstream: UpstreamExchange | undefined
  /** Nobody may be asked for it. */
  readonly #isBarred: boolean
  /** It waits for room at the pool. */
  #wait: PoolWait | undefined
  /** What was sent last, and when. */
  #request: UpstreamRequest | undefined
  #sentAt = 0
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
    const [first, ...others] = coursesOf(asked.way, asked)
    this.#course = first ?? { way: asked.way }
    this.#isBarred = first === undefined
    this.#left = others
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
    this.#wait?.leave()
    const waitedMs = this.#asked.now() - this.#sentAt
    const isMissed = this.#wait === undefined && !this.#heard && waitedMs >= PATIENCE_MS
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
    this.#handler.onHead(status, message, withOurs(rawHeaders, this.#told))
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
    this.#handler.onUpgrade(withOurs(rawHeaders, this.#told), socket)
  }

  onError(error: YoriError, stale: boolean, unsent?: boolean): void {
    if (this.#isOver) return
    if (isOurs(error)) {
      this.#note(error.code)
      this.#settle(undefined, true)
      this.#handler.onError(error, stale, unsent)
      return
    }
    const isUnsent = unsent === true
    if (!this.#heard && stale && this.#maySendAgain(isUnsent) && this.#goesAgain()) return
    const failure = this.#failureOf(error, isUnsent)
    if (this.#goesElsewhere(failure, error.code)) return
    if (!this.#heard) this.#note(error.code)
    this.#settle(failure)
    this.#handler.onError(error, stale, unsent)
  }

  get #told(): Told {
    const { other } = this.#course
    return {
      upstream: this.#lease?.id ?? '',
      retries: this.#allAsks - 1,
      fallback: other && nameOf(other),
    }
  }

  #begin(): void {
    this.#enter(this.#course)
    if (this.#isBarred) this.#hasNoRoom('YORI_UPSTREAM_NO_TARGET')
    else this.#seek()
  }

  /** At the pool where it is, now or once there is room; else at the next. */
  #seek(): void {
    for (;;) {
      if (this.#goesNow() || this.#waits()) return
      if (!this.#passesOver()) break
    }
    this.#hasNoRoom('YORI_UPSTREAM_NO_TARGET')
  }

  /** For the provider itself, once; others are passed over. */
  #waits(): boolean {
    const { way, other } = this.#course
    const { waitMs, waiting: most } = way.pool.settings.limits
    if (other !== undefined) return false
    const serve = (): boolean => this.#goesNow()
    this.#wait = PoolWait.begin(way.pool.line, { most, waitMs, serve }, () => {
      this.#wait = undefined
      if (this.#passesOver()) this.#seek()
      else this.#hasNoRoom('YORI_UPSTREAM_BUSY')
    })
    return this.#wait !== undefined
  }

  /** False: there is no other. */
  #passesOver(): boolean {
    this.#course.way.pool.counts.noTarget++
    const next = this.#left.shift()
    if (next === undefined) return false
    this.#leave()
    this.#enter(next)
    return true
  }

  /** False: none of the targets of the pool that it is at has room. */
  #goesNow(): boolean {
    const body = this.#course.taken?.body ?? this.#asked.body
    const lease = this.#take(body.kind !== 'stream')
    if (lease === undefined) return false
    this.#wait = undefined
    this.#go({ lease, body })
    return true
  }

  #hasNoRoom(code: 'YORI_UPSTREAM_BUSY' | 'YORI_UPSTREAM_NO_TARGET'): void {
    const { name, limits } = this.#course.way.pool.settings
    const text =
      code === 'YORI_UPSTREAM_BUSY'
        ? `${name}: each of its targets had all the requests that it may have for ${limits.waitMs / 1000} s`
        : `${name}: each of its targets has all the requests that it may have`
    // Not within the call: whoever sends does not know yet that it has.
    soon(() => {
      if (this.#isOver) return
      this.#settle(undefined)
      const error = new YoriError(code, text, { retryAfterS: 1 })
      this.#handler.onError(error, false, true)
    })
  }

  /** It counts as one of that pool from now on. */
  #enter(course: Course): void {
    this.#course = course
    this.#tried = new Set(course.way.without)
    this.#asks = 0
    course.way.pool.active++
    this.#asked.servedBy(course.other)
  }

  #leave(): void {
    const { pool } = this.#course.way
    pool.active--
    if (this.#isRetry) pool.budget.give()
    this.#isRetry = false
  }

  #take(mayTry: boolean): Lease | undefined {
    const { pool, key } = this.#course.way
    return pool.take({ without: this.#tried, key, mayTry })
  }

  #go({ lease, body }: Next, fresh = false): void {
    const { request, send, now } = this.#asked
    const { way } = this.#course
    this.#lease = lease
    this.#tried.add(lease.index)
    if (!fresh) {
      this.#asks++
      this.#allAsks++
    }
    const sent = request(way.to(lease.index), body, {
      fresh,
      headTimeoutMs: way.headTimeoutMs,
      limits: limitsOf(way, lease.index),
    })
    this.#request = sent
    this.#sentAt = now()
    this.#upstream = send(sent, this)
  }

  #again(): UpstreamBody | undefined {
    return this.#course.taken?.body ?? this.#asked.again()
  }

  #maySendAgain(isUnsent: boolean): boolean {
    const { now, maySendAgain } = this.#asked
    const request = this.#request
    const afterMs = now() - this.#sentAt
    return request !== undefined && maySendAgain(request, { isUnsent, afterMs })
  }

  /** To the same target over a new connection: the old one had died unused. */
  #goesAgain(): boolean {
    const lease = this.#lease
    const body = this.#isFresh || lease === undefined ? undefined : this.#again()
    if (lease === undefined || body === undefined) return false
    this.#isFresh = true
    this.#asked.log?.retried()
    this.#go({ lease, body }, true)
    return true
  }

  /** False, and nothing has changed: what this target says is what the client is told. */
  #goesElsewhere(failure: Failure, outcome: string): boolean {
    if (this.#heard) return false
    const next = this.#next(failure)
    const other = next === undefined ? this.#nextCourse(failure) : undefined
    if (next === undefined && other === undefined) return false
    this.#note(outcome)
    // What it still says of it is nobody's.
    if (failure.kind === 'status') this.#upstream?.abort()
    this.#lease?.end({ kind: 'failed', failure })
    this.#isFresh = false
    if (next !== undefined) {
      this.#course.way.pool.counts.retries++
      this.#go(next)
    } else if (other !== undefined) {
      this.#leave()
      this.#enter(other.course)
      this.#course.way.pool.counts.fallbacks++
      this.#go(other)
    }
    return true
  }

  /** Another target of the same pool. */
  #next(failure: Failure): Next | undefined {
    const { pool } = this.#course.way
    const from = this.#lease
    if (from === undefined || !pool.mayRetry(failure, from, this.#asks - 1))
      return undefined
    const lease = this.#take(false)
    if (lease === undefined) return undefined
    // One that tries a target must not be lost for it; the pool sees to it that they are few.
    const isFree = this.#isRetry || from.isTrial
    const hasPlace = isFree || pool.budget.take(pool.active)
    const body = hasPlace ? this.#again() : undefined
    if (hasPlace && !isFree) {
      if (body === undefined) pool.budget.give()
      else this.#isRetry = true
    }
    if (body !== undefined) return { lease, body }
    lease.end({ kind: 'left' })
    return undefined
  }

  /** Another provider; those that have no target for it now are passed over. */
  #nextCourse(failure: Failure): (Next & { readonly course: Course }) | undefined {
    if (!mayFallBack(failure)) return undefined
    for (;;) {
      const course = this.#left.shift()
      if (course === undefined) return undefined
      const { pool, key, without } = course.way
      const body = course.taken?.body ?? this.#asked.again()
      const lease = body && pool.take({ without, key, mayTry: body.kind !== 'stream' })
      if (lease !== undefined && body !== undefined) return { course, lease, body }
      pool.counts.noTarget++
    }
  }

  #failureOf({ code }: YoriError, isUnsent: boolean): Failure {
    if (this.#heard) return { kind: 'cut' }
    if (code === 'YORI_UPSTREAM_BUSY') return { kind: 'full' }
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
    this.#leave()
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

function nameOf({ provider, model }: ServedBy): string {
  // A field's value: a model may be called anything.
  return model === undefined || !/^[\x21-\x7e]{1,128}$/.test(model)
    ? provider
    : `${provider}/${model}`
}

function limitsOf({ pool }: PooledWay, index: number): ConnectionLimits {
  const { targets, limits } = pool.settings
  return {
    connections: targets[index]?.maxConnections ?? Infinity,
    waitMs: limits.waitMs,
  }
}
