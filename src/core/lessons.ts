/** What is kept of clients that would not have our certificate. Times as in `record.ts`. */
export interface Lesson {
  /** MAC, else IP. */
  readonly device: string
  readonly name: string
  /** Of the program's ClientHello. */
  readonly fingerprint: string
  readonly learned: 'tunnel-pinned' | 'tunnel-not-trusted'
  readonly learnedAt: number
  /** Left alone until then. */
  readonly until: number
  readonly forMs: number
}

export interface Lessons {
  readonly lessons: readonly Lesson[]
  /** Devices that have used the root whose fingerprint is `root`. */
  readonly trusting: readonly string[]
  readonly root: string
}
