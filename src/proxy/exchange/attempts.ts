/**
 * What becomes of one request as it goes from target to target, for its row: whom it was sent
 * to, and what came of that.
 */

export interface Attempted {
  readonly target: string
  /** A status, or a code of ours. */
  readonly outcome: string
}

export interface AttemptLog {
  attempted(attempt: Attempted): void
  /** To the same target again, over a new connection. */
  retried(): void
}
