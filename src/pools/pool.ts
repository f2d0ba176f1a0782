/**
 * A pool of targets: which of them is asked, what comes of it, and whether another may be asked
 * instead. It opens nothing and waits for nothing: whoever asks it sends, and tells. Pure, with a
 * monotonic clock in milliseconds.
 */
import { balancerOf } from './balancers.js'
import type { Balancer, Candidate } from './balancers.js'
import { isTargetsFault, mayGoElsewhere } from './failures.js'
import type { Failure } from './failures.js'
import { RetryBudget } from './retry-budget.js'
import { roomOf } from './settings.js'
import type { PoolSettings, TargetSettings } from './settings.js'
import { TargetState } from './target.js'
import type { Standing } from './target.js'
import { WaitingLine } from './waiting-line.js'

/** How a request was ended for its target. */
export type Ending =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Whoever asked has gone: it says nothing of the target. */
  | { readonly kind: 'left' }

export interface Asking {
  /** Places in `settings.targets` that are left out: they were asked, or may not be. */
  readonly without: ReadonlySet<number>
  /** What belongs together, for `consistent_hash`. */
  readonly key: string
  /** It can be sent again: it may be what a target that comes back is tried with. */
  readonly mayTry: boolean
}

/** One target as people see it. */
export interface TargetSeen {
  readonly id: string
  readonly weight: number
  readonly priority: number
  readonly standing: Standing
  readonly active: number
  readonly maxRequests: number
  readonly maxConnections: number
  readonly ejections: number
  readonly ended: Readonly<TargetState['ended']>
  /** How long it is left out yet. */
  readonly outForMs: number
  /** How long it is left alone yet because it says so. */
  readonly restsForMs: number
  readonly latencyMs: number | undefined
  /** Of its weight, above 0 to 1. */
  readonly share: number
}

interface Member extends Candidate {
  readonly settings: TargetSettings
  readonly index: number
  readonly state: TargetState
  weight: number
  active: number
  latencyMs: number | undefined
}

/** A request at a target, from its choice to its end. */
export interface Lease {
  readonly index: number
  readonly id: string
  readonly isTrial: boolean
  /** The head of its answer came, so long after it was sent. */
  answered(latencyMs: number): void
  /** It wants to be left alone. */
  rests(ms: number): void
  /** Once; later calls do nothing. */
  end(ending: Ending): void
}

/** What became of requests, ever. */
export interface PoolCounts {
  /** Sent to a further target of it. */
  retries: number
  /** Not, for want of room among the retries. */
  retriesRefused: number
  /** Came from another provider. */
  fallbacks: number
  /** There was no target for them. */
  noTarget: number
}

export function noCounts(): PoolCounts {
  return { retries: 0, retriesRefused: 0, fallbacks: 0, noTarget: 0 }
}

/** Keeps what is known of targets by name, across generations of the configuration. */
export type StateOf = (target: TargetSettings) => TargetState

/** What lasts of a pool beyond one generation. */
export interface PoolLasting {
  readonly counts: PoolCounts
  readonly line: WaitingLine
}

/** The longest that a target is left alone because it says so. */
const MAX_REST_MS = 300_000

export class Pool {
  readonly settings: PoolSettings
  readonly budget: RetryBudget
  /** Requests under way, each once however often it is sent. */
  active = 0
  readonly counts: PoolCounts
  /** Who waits for room at one of its targets. */
  readonly line: WaitingLine
  readonly #members: readonly Member[]
  readonly #balancer: Balancer
  readonly #now: () => number

  constructor(
    settings: PoolSettings,
    now: () => number,
    stateOf: StateOf = fresh,
    { counts, line }: PoolLasting = { counts: noCounts(), line: new WaitingLine() },
  ) {
    this.settings = settings
    this.counts = counts
    this.line = line
    this.budget = new RetryBudget(settings.limits, counts)
    this.#balancer = balancerOf(settings.balance)
    this.#now = now
    this.#members = settings.targets.map((target, index) => ({
      settings: target,
      index,
      id: target.id,
      state: stateOf(target),
      weight: target.weight,
      active: 0,
      latencyMs: undefined,
    }))
    // Nobody would look at who was down by looks of before.
    if (settings.limits.healthEveryMs > 0) return
    for (const { index } of this.#members) this.looked(index, true)
  }

  /**
   * The target to be asked, which counts as asked until the lease has ended. Of the lowest
   * priority that has one which is up; where none is up at all, one that is not. Undefined: there is
   * none left, or each has all the requests that it may have.
   */
  take(asking: Asking): Lease | undefined {
    const now = this.#now()
    const left = this.#members.filter(
      ({ index, state, settings }) =>
        !asking.without.has(index) && state.active < roomOf(settings),
    )
    for (const group of byPriority(left)) {
      const trial = asking.mayTry
        ? group.find(({ state }) => state.awaitsTrial(now))
        : undefined
      if (trial !== undefined) return this.#lease(trial, true)
      const up = group.filter(({ state }) => state.standing(now) === 'up')
      const ready = up.filter(({ state }) => !state.rests(now))
      if (ready.length > 0)
        return this.#lease(this.#chosen(ready, asking.key, now), false)
    }
    // Who rests would say so; who is out may be back: better than nobody.
    const resting = left.filter(({ state }) => state.standing(now) === 'up')
    const last = resting.length > 0 ? resting : left
    if (last.length === 0) return undefined
    return this.#lease(this.#chosen(last, asking.key, now), false)
  }

  /** May it go to another target, as far as this one's answer and the retries so far say? */
  mayRetry(failure: Failure, { isTrial }: Lease, retried: number): boolean {
    const { limits } = this.settings
    const { retryAfterMostMs } = limits
    return (
      retried < limits.retries && mayGoElsewhere(failure, { isTrial, retryAfterMostMs })
    )
  }

  /** Targets that are to be looked at now, `most` of them; each is told by `looked`. */
  toLookAt(most = Infinity): number[] {
    const now = this.#now()
    const { limits } = this.settings
    const due = this.#members
      .filter(({ state }) => state.wantsLook(now, limits))
      .slice(0, most)
    for (const { state } of due) state.looks(now)
    return due.map(({ index }) => index)
  }

  looked(index: number, isGood: boolean): void {
    this.#members[index]?.state.looked(isGood, this.#now(), this.settings.limits)
  }

  /** The least latency that is expected of one that is up; undefined: not known. */
  get latencyMs(): number | undefined {
    const now = this.#now()
    const known = this.#members
      .filter(({ state }) => state.standing(now) === 'up')
      .flatMap(({ state }) => state.latencyAt(now) ?? [])
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** Is there one that is up and has room? */
  get isUp(): boolean {
    const now = this.#now()
    return this.#members.some(
      ({ state, settings }) =>
        state.standing(now) === 'up' &&
        !state.rests(now) &&
        state.active < roomOf(settings),
    )
  }

  seen(): TargetSeen[] {
    const now = this.#now()
    return this.#members.map(({ id, settings, state }) => ({
      id,
      weight: settings.weight,
      priority: settings.priority,
      standing: state.standing(now),
      active: state.active,
      maxRequests: settings.maxRequests,
      maxConnections: settings.maxConnections,
      ejections: state.ejections,
      ended: { ...state.ended },
      outForMs: state.outUntil(now) - now,
      restsForMs: state.restsForMs(now),
      latencyMs: state.latencyAt(now),
      share: state.shareAt(now, this.settings.limits),
    }))
  }

  #chosen(members: readonly Member[], key: string, now: number): Member {
    for (const member of members) {
      const { state, settings } = member
      member.weight = settings.weight * state.shareAt(now, this.settings.limits)
      member.active = state.active
      member.latencyMs = state.latencyAt(now)
    }
    return this.#balancer.choose(members, key)
  }

  #lease({ id, index, state }: Member, isTrial: boolean): Lease {
    state.began(isTrial)
    let isOver = false
    return {
      id,
      index,
      isTrial,
      answered: (latencyMs) => state.answered(latencyMs, this.#now()),
      rests: (ms) => state.restsFor(Math.min(ms, MAX_REST_MS), this.#now()),
      end: (ending) => {
        if (isOver) return
        isOver = true
        this.#ended(state, isTrial, ending)
        this.line.next()
      },
    }
  }

  #ended(state: TargetState, isTrial: boolean, ending: Ending): void {
    const now = this.#now()
    const { limits } = this.settings
    switch (ending.kind) {
      case 'left':
        state.left(isTrial)
        return
      case 'answered':
        state.succeeded(isTrial, now, limits)
        return
      case 'failed':
        if (!isTargetsFault(ending.failure)) state.left(isTrial)
        else if (state.failed(isTrial, now, limits) && this.#mayLeaveOut(state))
          state.leaveOut(now, limits)
    }
  }

  /** At most half of them; one that is out already stays so. */
  #mayLeaveOut(state: TargetState): boolean {
    if (state.isOut) return true
    const out = this.#members.filter((one) => one.state.isEjected).length
    return out + 1 <= this.#members.length / 2
  }
}

function byPriority(members: readonly Member[]): Member[][] {
  const groups = new Map<number, Member[]>()
  for (const member of members) {
    const { priority } = member.settings
    const group = groups.get(priority)
    if (group === undefined) groups.set(priority, [member])
    else group.push(member)
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group)
}

function fresh(): TargetState {
  return new TargetState()
}
