/** Time as an argument: production passes `systemClock`, tests advance their own. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump. */
  now(): number
  /** Milliseconds from an arbitrary start. Never goes back; for durations and deadlines. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
