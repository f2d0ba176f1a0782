/**
 * What is wrong with the machine or its surroundings while traffic passes all the same: told
 * by `/health`, and by `yori status` in the same words.
 */
export interface Concern {
  readonly kind: 'clock' | 'descriptors' | 'store' | 'ship' | 'counters' | 'bundle'
  /** In words for people, without paths and addresses. */
  readonly says: string
}

/** Anything that may have one. */
export interface MayConcern {
  readonly concern: Concern | undefined
}
