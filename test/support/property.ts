/**
 * Tests that hold for any input. In the suite the inputs are those of a fixed seed, which stands
 * in the title: what passed once passes always. `npm run fuzz -- properties` draws other seeds;
 * one that failed is named in `failed`, and is a test of its own from then on.
 */
import fc from 'fast-check'

const SEED = 1
const RUNS = 100

export interface PropertyRuns {
  readonly runs?: number
  /** Seeds with which it did not hold once. */
  readonly failed?: readonly number[]
}

const { YORI_PROPERTY_SEED: drawn, YORI_PROPERTY_TIMES: times = '1' } = process.env

export function holds<Input>(
  title: string,
  property: fc.IRawProperty<Input>,
  { runs = RUNS, failed = [] }: PropertyRuns = {},
): void {
  const seeds = drawn === undefined ? [SEED, ...failed] : [Number(drawn)]
  for (const seed of seeds)
    it(`${title} [seed ${seed}]`, () =>
      fc.assert(property, { seed, numRuns: runs * Number(times) }))
}
