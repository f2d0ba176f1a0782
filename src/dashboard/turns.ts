/** What a turn of a conversation adds to the one before it, and what fills it. Pure. */

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

export interface Filling {
  readonly role: string
  /** UTF-16 code units, as texts count them; what is no text is not counted. */
  readonly characters: number
}

/** How much of a conversation each role has said; who said most comes first. */
export function filledBy(messages: readonly Turn[]): readonly Filling[] {
  const sums = new Map<string, number>()
  for (const { role, text } of messages)
    sums.set(role, (sums.get(role) ?? 0) + text.length)
  return [...sums]
    .map(([role, characters]) => ({ role, characters }))
    .filter(({ characters }) => characters > 0)
    .sort((a, b) => b.characters - a.characters)
}

/** The cached part of what went in, from 0 to 1; undefined where nobody said. */
export function cacheShare(cached: unknown, all: unknown): number | undefined {
  if (typeof cached !== 'number' || typeof all !== 'number' || all <= 0) return undefined
  return Math.min(1, Math.max(0, cached / all))
}
