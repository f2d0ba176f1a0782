/** "Did you mean": the nearest of some known words. Pure. */

const LONGEST_WORD = 64

/** The nearest within a third of the word's length in edits; else one that begins with it. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined
  let best: string | undefined
  let least = (word.length < 3 ? 0 : Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (candidate.length > LONGEST_WORD) continue
    const edits = distance(plain(word), plain(candidate))
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  return best ?? candidates.find((candidate) => begins(candidate, word))
}

/** `retention` is most of `retention_days`. */
function begins(candidate: string, word: string): boolean {
  return word.length >= 4 && plain(candidate).startsWith(plain(word))
}

/** `retentionDays`, `retention-days` and `retention_days` are one word. */
function plain(word: string): string {
  return word.replaceAll(/[-_ ]/g, '').toLowerCase()
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function distance(a: string, b: string): number {
  let older: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min(
        at(row, j - 1) + 1,
        at(last, j) + 1,
        at(last, j - 1) + (same ? 0 : 1),
      )
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) edits = Math.min(edits, at(older, j - 2) + 1)
      row.push(edits)
    }
    older = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
