export const LESSON_KINDS = [
  'tunnel-pinned',
  'tunnel-not-trusted',
  'tunnel-clock',
] as const
export type LessonKind = (typeof LESSON_KINDS)[number]

/** What is kept of clients that would not have our certificate. Times as in `record.ts`. */
export interface Lesson {
  /** MAC, else IP. */
  readonly device: string
  readonly name: string
  /** Of the program's ClientHello. */
  readonly fingerprint: string
  readonly learned: LessonKind
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
