/**
 * What is known of one target: what it is answering, how it answered, and whether it may be
 * asked. It is left out after failures in a row (or when too large a share fails), each time for
 * longer; then it is looked at, tried with one request, and comes back slowly. Pure; times are
 * milliseconds of one monotonic clock.
 */
import { FailureShare } from './failure-share.js'
import { PeakEwma } from './peak-ewma.js'
import type { PoolLimits } from './settings.js'

/** `out`: not asked. `trial`: asked once, to see. `up`: asked. */
export type Standing = 'up' | 'out' | 'trial'

/** The least share of its weight that one has that is just back. */
const LEAST_SHARE = 0.1

export class TargetState {
  /** Requests that it is answering. */
  active = 0
  /** Times that it was left out, ever. */
  ejections = 0
  /** How requests ended here, ever: `left`, where nobody waited or it was no fault of its. */
  readonly ended = { answered: 0, failed: 0, left: 0 }
  readonly #latency = new PeakEwma()
  readonly #share = new FailureShare()
  #failuresInRow = 0
  /** Times in a row that it was left out: how often it grows. */
  #outInRow = 0
  /** Since when it is not asked; undefined: it is. */
  #outUntil: number | undefined
  #isEjected = false
  #isTried = false
  #backSince: number | undefined
  #restsUntil = 0
  /** It had too much to do, and has not shown that it has not. */
  #isLimited = false
  #looksFailed = 0
  #isLookedGood = true
  #lookedAt = -Infinity
  #isLooking = false

  /** It was left out for how it answered, and not for how it looked. */
  get isEjected(): boolean {
    return this.#outUntil !== undefined && this.#isEjected
  }

  get isOut(): boolean {
    return this.#outUntil !== undefined
  }

  standing(now: number): Standing {
    if (this.#outUntil === undefined)
      return this.#isLimited && now >= this.#restsUntil ? 'trial' : 'up'
    return now < this.#outUntil || !this.#isLookedGood ? 'out' : 'trial'
  }

  /** It is to be tried, and nobody does so. */
  awaitsTrial(now: number): boolean {
    return !this.#isTried && this.standing(now) === 'trial'
  }

  /** When it may be asked again; `now` where it may already. */
  outUntil(now: number): number {
    return Math.max(now, this.#outUntil ?? now)
  }

  /** It said that it has too much to do. */
  rests(now: number): boolean {
    return now < this.#restsUntil
  }

  restsForMs(now: number): number {
    return Math.max(0, this.#restsUntil - now)
  }

  latencyAt(now: number): number | undefined {
    return this.#latency.valueAt(now)
  }

  /** Of its weight, above 0 up to 1: less while it is just back, or fails. */
  shareAt(now: number, limits: PoolLimits): number {
    if (this.#failuresInRow >= limits.ejectAfter) return LEAST_SHARE
    if (this.#backSince === undefined || limits.slowStartMs === 0) return 1
    return Math.min(
      1,
      Math.max(LEAST_SHARE, (now - this.#backSince) / limits.slowStartMs),
    )
  }

  began(isTrial: boolean): void {
    this.active++
    if (isTrial) this.#isTried = true
  }

  answered(latencyMs: number, now: number): void {
    this.#latency.saw(latencyMs, now)
  }

  restsFor(ms: number, now: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, now + ms)
    this.#isLimited = true
  }

  /** Nobody waited for how it would end. */
  left(isTrial: boolean): void {
    this.ended.left++
    this.#isFree(isTrial)
  }

  succeeded(isTrial: boolean, now: number, limits: PoolLimits): void {
    this.ended.answered++
    this.#isFree(isTrial)
    this.#share.saw(false, now, limits.breakerWindowMs)
    this.#failuresInRow = 0
    this.#lookedAt = now
    if (now >= this.#restsUntil) this.#isLimited = false
    if (isTrial) this.#comesBack(now)
    else if (this.#hasStayed(now, limits)) this.#outInRow = 0
  }

  /** True: it is to be left out, if `leaveOut` may be called. */
  failed(isTrial: boolean, now: number, limits: PoolLimits): boolean {
    this.ended.failed++
    this.#isFree(isTrial)
    this.#failuresInRow++
    const share = this.#share.saw(true, now, limits.breakerWindowMs)
    if (this.#outUntil !== undefined) return isTrial
    const { of, failed } = share
    const trips = of >= limits.breakerRequests && failed / of >= limits.breakerShare
    // One that is just back has no more to lose.
    const isOnProbation =
      this.#outInRow > 0 &&
      this.#backSince !== undefined &&
      now - this.#backSince < limits.slowStartMs
    return trips || isOnProbation || this.#failuresInRow >= limits.ejectAfter
  }

  leaveOut(now: number, limits: PoolLimits): void {
    this.#outInRow++
    this.ejections++
    this.#outUntil = now + Math.min(limits.ejectMs * this.#outInRow, limits.ejectMostMs)
    this.#isEjected = true
    this.#isTried = false
    this.#backSince = undefined
    // Where looks are taken, one comes first.
    this.#isLookedGood = limits.healthEveryMs === 0
    this.#lookedAt = -Infinity
    this.#share.forget()
  }

  /** Is it to be looked at now? What is known to answer needs no look. */
  wantsLook(now: number, limits: PoolLimits): boolean {
    if (this.#isLooking || limits.healthEveryMs === 0) return false
    if (this.#outUntil !== undefined && now < this.#outUntil) return false
    return now - this.#lookedAt >= limits.healthEveryMs
  }

  looks(now: number): void {
    this.#isLooking = true
    this.#lookedAt = now
  }

  /** What a look by TCP and TLS found. */
  looked(isGood: boolean, now: number, limits: PoolLimits): void {
    this.#isLooking = false
    this.#looksFailed = isGood ? 0 : this.#looksFailed + 1
    if (isGood) this.#isLookedGood = true
    else if (this.#outUntil !== undefined || this.#looksFailed >= limits.healthFailures)
      this.#isLookedGood = false
    if (this.#isLookedGood || this.#outUntil !== undefined) return
    this.#outUntil = now
    this.#isEjected = false
    this.#backSince = undefined
  }

  #isFree(isTrial: boolean): void {
    this.active--
    if (isTrial) this.#isTried = false
  }

  #comesBack(now: number): void {
    this.#outUntil = undefined
    this.#isEjected = false
    this.#backSince = now
  }

  #hasStayed(now: number, limits: PoolLimits): boolean {
    return this.#backSince !== undefined && now - this.#backSince > limits.ejectMostMs
  }
}
