import assert from 'node:assert/strict'
import { costOf } from '../../src/providers/cost.js'
import type { ModelPrice } from '../../src/providers/cost.js'
import type { Usage } from '../../src/providers/provider.js'

const NONE: Usage = { inputEstimated: false, outputEstimated: false }
/** $3 in, $0.30 read from the cache, $3.75 written, $6 for an hour, $15 out. */
const SONNET: ModelPrice = {
  input: 3_000_000,
  cached: 300_000,
  cacheWrite: 3_750_000,
  cacheWriteHour: 6_000_000,
  output: 15_000_000,
  long: { fromTokens: 200_000, input: 6_000_000, output: 22_500_000 },
}
const GPT: ModelPrice = { input: 2_500_000, cached: 1_250_000, output: 10_000_000 }

describe('costOf', () => {
  const cases: readonly [
    string,
    Partial<Usage>,
    ModelPrice | undefined,
    number | undefined,
  ][] = [
    ['input and output', { inputTokens: 1000, outputTokens: 100 }, GPT, 3500],
    [
      'cached tokens inside the input at their own price',
      { inputTokens: 1000, outputTokens: 0, cachedTokens: 400 },
      GPT,
      600 * 2.5 + 400 * 1.25,
    ],
    [
      'cached and written tokens, each at its own price',
      {
        inputTokens: 1300,
        outputTokens: 10,
        cachedTokens: 1000,
        cacheWriteTokens: 200,
      },
      SONNET,
      100 * 3 + 1000 * 0.3 + 200 * 3.75 + 10 * 15,
    ],
    [
      'tokens written for an hour',
      {
        inputTokens: 300,
        outputTokens: 0,
        cacheWriteTokens: 300,
        cacheWriteHourTokens: 100,
      },
      SONNET,
      200 * 3.75 + 100 * 6,
    ],
    [
      'reasoning inside the output not twice',
      { inputTokens: 0, outputTokens: 10, reasoningTokens: 5 },
      GPT,
      100,
    ],
    [
      'a long prompt, its cached part counted, at the other price',
      { inputTokens: 200_001, outputTokens: 10, cachedTokens: 199_001 },
      SONNET,
      1000 * 6 + 199_001 * 6 + 10 * 22.5,
    ],
    [
      'what is billed where that is another count',
      {
        inputTokens: 1452,
        outputTokens: 33,
        billedInputTokens: 33,
        billedOutputTokens: 22,
      },
      GPT,
      Math.round(33 * 2.5 + 22 * 10),
    ],
    ['a cost that the provider names', { inputTokens: 1, costMicroUsd: 77 }, GPT, 77],
    [
      'nothing without a price',
      { inputTokens: 1, outputTokens: 1 },
      undefined,
      undefined,
    ],
    ['nothing without a count of what came out', { inputTokens: 1 }, GPT, undefined],
    ['nothing without a count', { outputTokens: 1 }, GPT, undefined],
    ['input alone for embeddings', { inputTokens: 8 }, { input: 100_000, output: 0 }, 1],
    [
      'half a micro-dollar rounded up',
      { inputTokens: 1 },
      { input: 500_000, output: 0 },
      1,
    ],
    ['less than half rounded down', { inputTokens: 1 }, { input: 499_999, output: 0 }, 0],
    [
      'counts beyond what a double holds',
      { inputTokens: 9_007_199_254_740_991 },
      { input: 1_000_001, output: 0 },
      Number((9_007_199_254_740_991n * 1_000_001n + 500_000n) / 1_000_000n),
    ],
    [
      'more cached than input as cached only',
      { inputTokens: 10, outputTokens: 0, cachedTokens: 20 },
      GPT,
      25,
    ],
  ]
  for (const [title, usage, price, expected] of cases) {
    it(`YORI charges ${title}`, () => {
      assert.equal(costOf({ ...NONE, ...usage }, price), expected)
    })
  }

  it('is exact at any count: to the last micro-dollar, as whole numbers are', () => {
    const counts = [0, 1, 199_999, 333_333, 4_503_599_627, 2 ** 43 + 1, 2 ** 53 - 1]
    for (const inputTokens of counts)
      for (const outputTokens of counts)
        for (const price of [GPT, { input: 1, output: 999_999 }]) {
          const [inPrice, outPrice] = [price.input, price.output]
          const sum =
            BigInt(inputTokens) * BigInt(inPrice) +
            BigInt(outputTokens) * BigInt(outPrice)
          const exact = Number((sum + 500_000n) / 1_000_000n)
          assert.equal(costOf({ ...NONE, inputTokens, outputTokens }, price), exact)
        }
  })
})
