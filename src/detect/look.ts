/**
 * A text as it is looked at: folded first, so that what is written oddly is found as well, and
 * each finding at its place in the text as it stands. Pure.
 */
import type { Resting } from '../core/resting.js'
import type { DetectOptions, Detector } from './detector.js'
import { foldingWithPlaces } from './fold-places.js'
import { invisibleIn } from './injection.js'
import type { Finding } from './rule.js'

/** By where they begin. */
export function* lookedAt(
  text: string,
  detector: Detector,
  options: DetectOptions = {},
): Resting<Finding[]> {
  const plain = yield* foldingWithPlaces(text)
  const found = yield* detector.search(plain.text, options)
  if (plain.text === text) return found
  const placed = found.map((one) => ({
    ...one,
    start: plain.start(one.start),
    end: plain.end(one.end),
  }))
  const unseen = yield* invisibleIn(text)
  return [...placed, ...unseen].toSorted((a, b) => a.start - b.start)
}
