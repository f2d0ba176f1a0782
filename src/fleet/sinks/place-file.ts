/**
 * How far a sink is, in a file of its own: the place in the record, and the last signed head. It is
 * replaced whole once what it counts has been taken; a crash between the two sends that again.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { FEED_START } from '../../audit/feed.js'
import type { FeedPlace } from '../../audit/feed.js'

export interface SinkPlace extends FeedPlace {
  /** The link of the last head that was sent; 0: none. */
  readonly head: number
}

const START: SinkPlace = { ...FEED_START, head: 0 }

/** Of another record or another server it counts nothing: all of it is sent. */
export function readPlace(file: string, record: string, where: string): SinkPlace {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<
      SinkPlace & { record: string; where: string }
    >
    const { seq, part, head } = kept
    const isWhole = [seq, part, head].every((number) => Number.isSafeInteger(number))
    const isHere = kept.record === record && kept.where === where
    return isHere && isWhole ? ({ seq, part, head } as SinkPlace) : START
  } catch {
    return START
  }
}

/** Throws what the file system throws. */
export function keepPlace(
  file: string,
  kept: SinkPlace & { readonly record: string; readonly where: string },
): void {
  writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
