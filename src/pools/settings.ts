/** What the configuration says of a pool of targets, in the words of this room. Pure words. */

export const BALANCES = [
  'round_robin',
  'least_requests',
  'peak_ewma',
  'consistent_hash',
] as const

/** By what one of several targets is chosen. */
export type Balance = (typeof BALANCES)[number]

export interface TargetSettings {
  /** Unique in its pool; in the record, in metrics and in the answer's head. */
  readonly id: string
  /** Its share among those of its priority; 1 or more. */
  readonly weight: number
  /** The lowest number is asked first, the next when none of those may be asked. */
  readonly priority: number
  /** Requests at once; beyond it others are asked. */
  readonly maxRequests: number
  /** Connections at once, and how many requests each can carry. */
  readonly maxConnections: number
  readonly perConnection: number
}

/** Times in milliseconds of one monotonic clock. */
export interface PoolLimits {
  /** Failures in a row after which a target is left out. */
  readonly ejectAfter: number
  /** The share of failures, of 0 to 1, and how many answers it is reckoned of. */
  readonly breakerShare: number
  readonly breakerRequests: number
  readonly breakerWindowMs: number
  /** How long the first time; the n-th time n times as long, up to the most. */
  readonly ejectMs: number
  readonly ejectMostMs: number
  /** One that is back grows to its weight in this time. */
  readonly slowStartMs: number
  /** How often each is looked at by TCP and TLS; 0: never. */
  readonly healthEveryMs: number
  /** Looks in a row that fail before it counts as down. */
  readonly healthFailures: number
  /** Further targets that one request may be sent to. */
  readonly retries: number
  /** Of the requests under way, the share that may be retries at once; and how many may always. */
  readonly retryShare: number
  readonly retriesAtLeast: number
  /** How long a request waits for room at a target, and how many wait at a pool. */
  readonly waitMs: number
  readonly waiting: number
  /** The longest `Retry-After` of a 429 with which another target is asked. */
  readonly retryAfterMostMs: number
}

/** How many requests a target may have, by both of its limits. */
export function roomOf({
  maxRequests,
  maxConnections,
  perConnection,
}: TargetSettings): number {
  return Math.min(maxRequests, maxConnections * perConnection)
}

export interface PoolSettings {
  readonly name: string
  readonly balance: Balance
  readonly targets: readonly TargetSettings[]
  readonly limits: PoolLimits
}
