/**
 * What counts when a record is told twice: the one place for it. Of codes and reasons the
 * higher rank counts, and among equals the first that was told; of coverage the last, but for
 * what is only a guess.
 */

/** Why a connection ended: how sure is who says so? */
export const CONNECTION_CODE_RANK = {
  /** What was seen on its way: a reset, a stall, a deadline, a fault of ours. */
  seen: 1,
  /** We turned it away: whatever was seen around that is beside the point. */
  refused: 2,
} as const

/** Why an exchange is what it is. */
export const REASON_RANK = {
  /** The provider says so in its answer: an error, a refusal, a call that failed. */
  provider: 1,
  /** A policy says so. */
  policy: 2,
  /** It failed: that it was to be alerted on counts less than that it did not happen. */
  failure: 3,
} as const

/** Why an exchange was not read, or not to its end. */
export const UNSEEN_RANK = {
  /** What stands in the way. */
  seen: 1,
  /** A reader of ours failed: what else it said of it cannot be relied on. */
  failed: 2,
} as const

/** Of what policies decided on parts of one exchange, its row tells the strongest. */
export const DECISION_RANK = { allow: 0, alert: 1, deny: 2 } as const

/** A value together with how much it counts. */
export class Ranked<T> {
  value: T | undefined
  #rank = 0

  /** Gives whether it counts. */
  tell(value: T, rank: number): boolean {
    if (rank <= this.#rank) return false
    this.#rank = rank
    this.value = value
    return true
  }

  /** The same, but among equals the last counts. */
  retell(value: T, rank: number): boolean {
    if (rank < this.#rank) return false
    this.#rank = rank
    this.value = value
    return true
  }
}
