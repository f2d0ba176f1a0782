/**
 * Which of several targets is asked next. Each balancer is given those that may be asked and
 * knows nothing of why others may not. Pure, but for whose turn it is.
 */
import type { Balance } from './settings.js'

/** One that may be asked. */
export interface Candidate {
  readonly id: string
  /** Above 0: its share, smaller while it starts slowly. */
  readonly weight: number
  /** Requests that it is answering. */
  readonly active: number
  /** Of its answers' heads, in milliseconds; undefined: none has come. */
  readonly latencyMs: number | undefined
}

export interface Balancer {
  /** One of `candidates`, of which there is at least one. `key`: what belongs together. */
  choose<One extends Candidate>(candidates: readonly One[], key: string): One
}

export function balancerOf(balance: Balance): Balancer {
  switch (balance) {
    case 'round_robin':
      return new RoundRobin()
    case 'least_requests':
      return new Least(({ active, weight }) => (active + 1) / weight)
    case 'peak_ewma':
      return new Least(expectedWait)
    case 'consistent_hash':
      return { choose: rendezvous }
  }
}

/**
 * In turns, each as often as its weight says and spread evenly: whoever is chosen waits until
 * the others have caught up ("smooth weighted round robin", as nginx does it).
 */
class RoundRobin implements Balancer {
  readonly #owed = new Map<string, number>()

  choose<One extends Candidate>(candidates: readonly One[]): One {
    let total = 0
    let best: One | undefined
    let most = -Infinity
    for (const one of candidates) {
      total += one.weight
      const owed = (this.#owed.get(one.id) ?? 0) + one.weight
      this.#owed.set(one.id, owed)
      if (owed > most) {
        most = owed
        best = one
      }
    }
    const chosen = best as One
    this.#owed.set(chosen.id, most - total)
    return chosen
  }
}

/** The smallest by a measure; of equal ones each in turn. */
class Least implements Balancer {
  readonly #measure: (one: Candidate) => number
  #turn = 0

  constructor(measure: (one: Candidate) => number) {
    this.#measure = measure
  }

  choose<One extends Candidate>(candidates: readonly One[]): One {
    const start = this.#turn++ % candidates.length
    let best = candidates[start] as One
    let least = this.#measure(best)
    for (let i = 1; i < candidates.length; i++) {
      const one = candidates[(start + i) % candidates.length] as One
      const measured = this.#measure(one)
      if (measured < least) {
        least = measured
        best = one
      }
    }
    return best
  }
}

/** Of one that has answered nothing yet: one request may find out, more must not pile up. */
const UNKNOWN_LOADED_MS = 60_000

/** How long a request would wait there, by its latency and by what it has to do already. */
function expectedWait({ latencyMs, active, weight }: Candidate): number {
  const each = latencyMs ?? (active === 0 ? 0 : UNKNOWN_LOADED_MS)
  return (each * (active + 1)) / weight
}

/**
 * The same key leads to the same target, and when one goes only its keys move: each target draws
 * a number for the key, and the highest has it (rendezvous hashing, Thaler and Ravishankar 1998;
 * with weights by Schindelhauer and Schomaker 2005).
 */
function rendezvous<One extends Candidate>(candidates: readonly One[], key: string): One {
  let best = candidates[0] as One
  let most = -Infinity
  for (const one of candidates) {
    const drawn = -one.weight / Math.log(drawOf(`${one.id}\0${key}`))
    if (drawn > most) {
      most = drawn
      best = one
    }
  }
  return best
}

/** Evenly between 0 and 1, both left out: FNV-1a of 32 bits, mixed as by MurmurHash3. */
function drawOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32
}
