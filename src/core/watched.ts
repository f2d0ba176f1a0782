/** What is looked at about once a second, and who looks. */
export interface Watched {
  /** Its place among those that are watched; whoever watches it keeps that. */
  watchedAt?: number
  /** Called about once a second with monotonic milliseconds; ends itself when overdue. */
  tick(now: number): void
}

export interface Watch {
  watch(subject: Watched): void
  unwatch(subject: Watched): void
  /** The time that `tick` is called with. */
  now(): number
}
