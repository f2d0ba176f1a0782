/**
 * What was let past in a conversation because an adult approved it: the conversation repeats
 * it as history with every turn, long after the approval's minutes are over. Digests only;
 * bounded, and forgotten when a conversation has been quiet for as long as it lives.
 */

const MAX_CONVERSATIONS = 1000
const MAX_MARKS = 2048

interface Passed {
  readonly marks: Set<string>
  usedAt: number
}

export class PassedContent {
  readonly #byConversation = new Map<string, Passed>()

  /** `idleMs`: how long a quiet conversation lives. */
  marks(key: string, nowMs: number, idleMs: number): ReadonlySet<string> {
    const passed = this.#byConversation.get(key)
    if (passed === undefined) return NONE
    if (nowMs - passed.usedAt > idleMs) {
      this.#byConversation.delete(key)
      return NONE
    }
    passed.usedAt = nowMs
    return passed.marks
  }

  /** The newest stay where there are too many. */
  add(key: string, marks: Iterable<string>, nowMs: number): void {
    const passed = this.#byConversation.get(key) ?? { marks: new Set(), usedAt: nowMs }
    // Set again, so that the conversation that was quiet longest goes first.
    this.#byConversation.delete(key)
    this.#byConversation.set(key, passed)
    passed.usedAt = nowMs
    for (const mark of marks) {
      passed.marks.delete(mark)
      passed.marks.add(mark)
    }
    for (const oldest of passed.marks) {
      if (passed.marks.size <= MAX_MARKS) break
      passed.marks.delete(oldest)
    }
    const [first] = this.#byConversation.keys()
    if (this.#byConversation.size > MAX_CONVERSATIONS && first !== undefined)
      this.#byConversation.delete(first)
  }
}

const NONE: ReadonlySet<string> = new Set()
