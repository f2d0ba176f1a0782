/**
 * A reader that is fed in pieces and has a bound: what it gives depends on the bytes, never on
 * where they were cut. Each row is asked one below the bound, at it and one above it, whole and
 * cut at every offset.
 */
import assert from 'node:assert/strict'
import { everySplit } from './splits.js'

export interface BoundRow {
  /** The bound's name, and what it counts when that is not plain. */
  readonly bound: string
  /** Bytes that are so many over the bound: -1, 0 or 1. */
  readonly bytes: (over: number) => Uint8Array
  /** What a fresh reader gives for these pieces, to be compared. */
  readonly read: (pieces: readonly Uint8Array[]) => unknown
  /** What it must give below, at and above the bound. */
  readonly gives: readonly [below: unknown, at: unknown, above: unknown]
}

const SIZES = [
  ['one below', -1],
  ['at', 0],
  ['one above', 1],
] as const

/** `readers`: by what reads, its rows. */
export function boundTable(readers: Readonly<Record<string, readonly BoundRow[]>>): void {
  for (const [title, rows] of Object.entries(readers))
    describe(`the bounds of ${title}`, () => {
      for (const { bound, bytes, read, gives } of rows)
        for (const [index, [where, over]] of SIZES.entries())
          it(`YORI keeps ${bound}: ${where}, at every cut`, async () => {
            const all = bytes(over)
            assert.deepEqual(await read([all]), gives[index], 'whole')
            for (const pieces of everySplit(all)) {
              const cut = pieces.map(({ length }) => length).join('+')
              assert.deepEqual(await read(pieces), gives[index], cut)
            }
          })
    })
}
