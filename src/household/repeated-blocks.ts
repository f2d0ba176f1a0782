/**
 * Blocks of the same finding, one shortly after the other: programs send what was refused
 * again, to another model or in another body, and the person is to have one code and the
 * record one row. Bounded; the row that was used longest ago is forgotten.
 */
import type { RefusedFor, RepeatedRow } from '../core/record.js'

/** After the last of them. */
const REPEATED_MS = 60 * 1000
/** After the first of them: a program that never rests gets a new row then. */
const COUNTED_MS = 10 * 60 * 1000
const MAX_ROWS = 512
/** Of all that one row counts: as many as its column holds. */
const MAX_MARKS = 768

/** Rows that are looked through for one that names what is refused now, the newest first. */
const MAX_LIKE = 8

interface Row extends RepeatedRow, RefusedFor {
  repeats: number
  marks: readonly string[]
  readonly firstAt: number
  lastAt: number
}

export class RepeatedBlocks {
  readonly #rows = new Map<string, Row>()

  /**
   * The row in which this block counts; a new one of the given id where it is the first.
   * `isSettled`: an adult has decided on that row; what is blocked after that is another.
   */
  count(
    refusedFor: RefusedFor,
    block: { readonly requestId: string; readonly marks: readonly string[] },
    about: { readonly nowMs: number; readonly isSettled: (requestId: string) => boolean },
  ): RepeatedRow {
    const { nowMs, isSettled } = about
    const { key } = refusedFor
    const known = this.#rows.get(key)
    // Set again, so that the one that was used longest ago goes first.
    this.#rows.delete(key)
    const row =
      known !== undefined && counts(known, nowMs) && !isSettled(known.requestId)
        ? known
        : { ...refusedFor, ...block, repeats: -1, firstAt: nowMs, lastAt: nowMs }
    row.repeats++
    row.lastAt = nowMs
    row.marks = [...new Set([...row.marks, ...block.marks])].slice(0, MAX_MARKS)
    this.#rows.set(key, row)
    const [first] = this.#rows.keys()
    if (this.#rows.size > MAX_ROWS && first !== undefined) this.#rows.delete(first)
    return row
  }

  /** The rows of the last minute in which a block there would count, the newest first. */
  recent(
    place: string,
    about: { readonly nowMs: number; readonly isSettled: (requestId: string) => boolean },
  ): readonly (RepeatedRow & RefusedFor)[] {
    const { nowMs, isSettled } = about
    return [...this.#rows.values()]
      .filter((row) => row.place === place && counts(row, nowMs))
      .filter(({ requestId }) => !isSettled(requestId))
      .slice(-MAX_LIKE)
      .reverse()
  }
}

function counts({ firstAt, lastAt }: Row, nowMs: number): boolean {
  return nowMs - lastAt <= REPEATED_MS && nowMs - firstAt <= COUNTED_MS
}
