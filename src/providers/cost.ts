/**
 * What an exchange cost, exact to the micro-dollar: whole numbers in, one rounding at the end.
 * Knows arithmetic only; prices are the catalogue's, token counts the readers'.
 */
import type { Usage } from './provider.js'

/** Micro-dollars for a million tokens: $2.50 a million is 2,500,000. */
export interface TokenPrices {
  readonly input: number
  readonly output: number
  /** Read from the provider's cache; absent: as `input`. */
  readonly cached?: number | undefined
  /** Written to it; absent: as `input`. */
  readonly cacheWrite?: number | undefined
  /** Written for an hour (Anthropic); absent: as `cacheWrite`. */
  readonly cacheWriteHour?: number | undefined
}

/** The prices of a model, of its standard tier. */
export interface ModelPrice extends TokenPrices {
  /** Other prices for all tokens of a request whose prompt has more than `fromTokens`. */
  readonly long?: (TokenPrices & { readonly fromTokens: number }) | undefined
}

const PER = 1_000_000
const HALF = PER / 2

/**
 * Micro-dollars, rounded half up; undefined when price, input or output are not known, but for
 * an output that costs nothing (embeddings). A cost that the provider itself names counts
 * before any price; what it bills before what was processed.
 * @throws RangeError for counts or prices that are no whole numbers
 */
export function costOf(usage: Usage, price: ModelPrice | undefined): number | undefined {
  if (usage.costMicroUsd !== undefined) return usage.costMicroUsd
  const input = usage.billedInputTokens ?? usage.inputTokens
  if (price === undefined || input === undefined) return undefined
  const cached = usage.cachedTokens ?? 0
  const cacheWritten = usage.cacheWriteTokens ?? 0
  const plain = Math.max(0, input - cached - cacheWritten)
  const prices =
    price.long !== undefined && input > price.long.fromTokens ? price.long : price
  const written = usage.billedOutputTokens ?? usage.outputTokens
  if (written === undefined && prices.output > 0) return undefined
  const output = written ?? 0
  const hour = Math.min(cacheWritten, usage.cacheWriteHourTokens ?? 0)
  const cacheWrite = prices.cacheWrite ?? prices.input
  // prettier-ignore
  return rounded([
    plain, prices.input,
    cached, prices.cached ?? prices.input,
    cacheWritten - hour, cacheWrite,
    hour, prices.cacheWriteHour ?? cacheWrite,
    output, prices.output,
  ])
}

/** `factors`: tokens and their price in turn. A double is exact as far as nearly all go. */
function rounded(factors: readonly number[]): number {
  let sum = HALF
  let isExact = true
  for (let i = 0; i + 1 < factors.length; i += 2) {
    const [tokens, price] = [factors[i] as number, factors[i + 1] as number]
    const more = tokens * price
    sum += more
    isExact &&= Number.isSafeInteger(tokens) && Number.isSafeInteger(price)
    isExact &&= Number.isSafeInteger(more) && Number.isSafeInteger(sum)
  }
  return isExact ? (sum - (sum % PER)) / PER : roundedWhole(factors)
}

function roundedWhole(factors: readonly number[]): number {
  let sum = BigInt(HALF)
  for (let i = 0; i + 1 < factors.length; i += 2)
    sum += BigInt(factors[i] as number) * BigInt(factors[i + 1] as number)
  return Number(sum / BigInt(PER))
}

/** The dearest of each kind of token among some models, whatever the length of a prompt. */
export function dearestOf(prices: Iterable<ModelPrice>): Required<TokenPrices> {
  const most = { input: 0, output: 0, cached: 0, cacheWrite: 0, cacheWriteHour: 0 }
  for (const price of prices)
    for (const { input, output, ...cache } of [price, price.long ?? price]) {
      const { cached = input, cacheWrite = input } = cache
      const { cacheWriteHour = cacheWrite } = cache
      most.input = Math.max(most.input, input)
      most.output = Math.max(most.output, output)
      most.cached = Math.max(most.cached, cached)
      most.cacheWrite = Math.max(most.cacheWrite, cacheWrite)
      most.cacheWriteHour = Math.max(most.cacheWriteHour, cacheWriteHour)
    }
  return most
}

/** `times`: a whole number. */
export function timesAsDear(price: ModelPrice, times: number): ModelPrice {
  if (times === 1) return price
  const { long } = price
  const dearer = tokensAsDear(price, times)
  if (long === undefined) return dearer
  return {
    ...dearer,
    long: { ...tokensAsDear(long, times), fromTokens: long.fromTokens },
  }
}

function tokensAsDear(
  { input, output, cached, cacheWrite, cacheWriteHour }: TokenPrices,
  times: number,
): TokenPrices {
  const dearer = (price: number | undefined): number | undefined => price && price * times
  return {
    input: input * times,
    output: output * times,
    cached: dearer(cached),
    cacheWrite: dearer(cacheWrite),
    cacheWriteHour: dearer(cacheWriteHour),
  }
}
