/** What a turn of a conversation adds to the one before it. Pure. */

export interface Turn {
  readonly role: string
  readonly text: string
}

export interface Compared {
  /** So many messages at the beginning are the same in both. */
  readonly same: number
  /** Of the turn before, those that are gone: it was rewritten, or shortened. */
  readonly gone: readonly Turn[]
}

/**
 * Clients send the whole history each time: what both begin with is not new. The answer of the
 * turn before comes back as a message of this one.
 */
export function compared(before: readonly Turn[], now: readonly Turn[]): Compared {
  let same = 0
  while (same < before.length && same < now.length) {
    const [was, is] = [before[same], now[same]]
    if (was?.role !== is?.role || was?.text.trim() !== is?.text.trim()) break
    same++
  }
  return { same, gone: before.slice(same) }
}
