/**
 * What only looks is done when the loop has served all who were ready, for all of them at once
 * and part by part: nobody waits for it, the other side is woken once for many, and code that
 * runs again and again stays in the processor's caches. It is in the same turn of the loop: what
 * a client asks after it has heard an answer meets what that answer left.
 */

/** In this order for each. */
export type LookingPart = 'asked' | 'judged' | 'answered'

export interface LookedAtLater {
  /** Nothing of it was looked at: what came before it in the turn is done first, to its end. */
  readonly isFresh: boolean
  /** Never throws. */
  look(part: LookingPart): void
}

/** So many are done at once, some 2 ms; more do not wait for the others of their turn. */
const MOST_DUE = 32

export class LookingLater {
  #due: LookedAtLater[] = []

  /** Each at most once, until it has been looked at. */
  add(one: LookedAtLater): void {
    if (this.#due.push(one) === 1) setImmediate(this.#turnEnds)
    else if (this.#due.length >= MOST_DUE) this.now()
  }

  /** For who needs all of it; what waits for a decision that is made has come to its end, too. */
  async whole(): Promise<void> {
    if (this.#due.length === 0) return
    this.now()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** For who needs to know what was there before. */
  now(): void {
    const due = this.#due
    if (due.length === 0) return
    this.#due = []
    for (const one of due) one.look('asked')
    for (const one of due) if (!one.isFresh) one.look('judged')
    for (const one of due) {
      one.look('judged')
      one.look('answered')
    }
  }

  readonly #turnEnds = (): void => this.now()
}

/** Of this process. */
export const lookingLater = new LookingLater()
