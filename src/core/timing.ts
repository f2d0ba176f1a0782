/** How often something took how long: what a histogram is made of. Counts, nothing else. */

/** Seconds, doubling: 5 ms to 655 s. */
export const SECONDS = Array.from({ length: 18 }, (_, n) => 0.005 * 2 ** n)
/** Of what YORI does itself: 0.25 ms to 4 s. */
export const SHORT_SECONDS = Array.from({ length: 15 }, (_, n) => 0.00025 * 2 ** n)

export class Timing {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[]
  /** By bound, those below it that are above the one before; beyond the last: in `count` alone. */
  readonly buckets: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.buckets = new Float64Array(bounds.length)
  }

  /** What is no finite number is left out. */
  observe(value: number): void {
    if (!Number.isFinite(value)) return
    this.sum += value
    this.count++
    const { bounds, buckets } = this
    for (let i = 0; i < bounds.length; i++) {
      if (value > (bounds[i] as number)) continue
      buckets[i] = (buckets[i] as number) + 1
      return
    }
  }
}
