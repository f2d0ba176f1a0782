/**
 * What is added to at each exchange of one provider, looked up once: joining labels for each
 * addition costs more than the addition.
 */
import type { Counter, CounterSeries, Histogram, HistogramSeries } from './instruments.js'

/** Those that tell providers apart. */
export interface ByProvider {
  readonly requests: Counter
  readonly responses: Counter
  readonly calls: Counter
  readonly tokens: Counter
  readonly cost: Counter
  readonly unpriced: Counter
  readonly tools: Counter
  readonly duration: Histogram
  readonly phases: Histogram
  readonly firstByte: Histogram
  readonly firstToken: Histogram
}

export class ProviderSeries {
  readonly calls: CounterSeries
  readonly inputTokens: CounterSeries
  readonly outputTokens: CounterSeries
  readonly cachedTokens: CounterSeries
  readonly cacheWriteTokens: CounterSeries
  readonly reasoningTokens: CounterSeries
  readonly cost: CounterSeries
  readonly unpriced: CounterSeries
  readonly tools: CounterSeries
  readonly duration: HistogramSeries
  readonly firstByte: HistogramSeries
  readonly firstToken: HistogramSeries
  /** Phases. */
  readonly request: HistogramSeries
  readonly judge: HistogramSeries
  readonly waiting: HistogramSeries
  readonly answering: HistogramSeries
  readonly #of: ByProvider
  readonly #provider: string
  readonly #byOutcome = new Map<string, CounterSeries>()
  readonly #byClass = new Map<number, CounterSeries>()

  constructor(of: ByProvider, provider: string) {
    const own = [provider]
    this.#of = of
    this.#provider = provider
    this.calls = of.calls.series(own)
    this.inputTokens = of.tokens.series([provider, 'input'])
    this.outputTokens = of.tokens.series([provider, 'output'])
    this.cachedTokens = of.tokens.series([provider, 'cached'])
    this.cacheWriteTokens = of.tokens.series([provider, 'cache_write'])
    this.reasoningTokens = of.tokens.series([provider, 'reasoning'])
    this.cost = of.cost.series(own)
    this.unpriced = of.unpriced.series(own)
    this.tools = of.tools.series(own)
    this.duration = of.duration.series(own)
    this.firstByte = of.firstByte.series(own)
    this.firstToken = of.firstToken.series(own)
    this.request = of.phases.series(['request', provider])
    this.judge = of.phases.series(['judge', provider])
    this.waiting = of.phases.series(['provider', provider])
    this.answering = of.phases.series(['response', provider])
  }

  ended(outcome: string): CounterSeries {
    const known = this.#byOutcome.get(outcome)
    if (known !== undefined) return known
    const series = this.#of.requests.series([this.#provider, outcome])
    this.#byOutcome.set(outcome, series)
    return series
  }

  /** By the first digit of a status. */
  answered(first: number): CounterSeries {
    const known = this.#byClass.get(first)
    if (known !== undefined) return known
    const series = this.#of.responses.series([this.#provider, `${first}xx`])
    this.#byClass.set(first, series)
    return series
  }
}
