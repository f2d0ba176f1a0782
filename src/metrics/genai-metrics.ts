/**
 * Calls by the histograms that OpenTelemetry's conventions name, for a collector. They begin with
 * the export: Prometheus is told the same by our own names.
 */
import {
  GENAI_ERROR_TYPE,
  GENAI_LABELS,
  GENAI_METRICS,
  GENAI_SECONDS,
  GENAI_TOKENS,
  GENAI_TOKEN_TYPE,
  genaiOperation,
  genaiProvider,
} from '../core/genai-names.js'
import type { SeenExchange } from '../proxy/words/observer.js'
import { Histogram } from './instruments.js'
import type { Family } from './instruments.js'
import { errorTypeOf } from './otlp-json.js'

export class GenaiMetrics {
  readonly #duration = new Histogram(
    {
      name: GENAI_METRICS.duration,
      help: 'GenAI operation duration.',
      unit: 's',
      labels: [...GENAI_LABELS, GENAI_ERROR_TYPE],
    },
    GENAI_SECONDS,
  )
  readonly #tokens = new Histogram(
    {
      name: GENAI_METRICS.tokens,
      help: 'Number of input and output tokens used.',
      unit: '{token}',
      labels: [...GENAI_LABELS, GENAI_TOKEN_TYPE],
    },
    GENAI_TOKENS,
  )
  readonly #firstChunk = new Histogram(
    {
      name: GENAI_METRICS.firstChunk,
      help: 'Time to the first words of a stream.',
      unit: 's',
      labels: GENAI_LABELS,
    },
    GENAI_SECONDS,
  )

  /** A call has ended; what was blocked asked nobody, and is none. */
  ended(seen: SeenExchange): void {
    const { api, provider = 'unknown', model = '', endpointDomain, outcome } = seen
    if (seen.call !== true || outcome === 'block') return
    const own = [genaiOperation(api), genaiProvider(provider), model, endpointDomain]
    const { latencyMs, firstTokenMs, inputTokens, outputTokens } = seen
    if (latencyMs !== undefined)
      this.#duration.observe([...own, errorTypeOf(seen) ?? ''], latencyMs / 1000)
    if (firstTokenMs !== undefined) this.#firstChunk.observe(own, firstTokenMs / 1000)
    if (inputTokens !== undefined) this.#tokens.observe([...own, 'input'], inputTokens)
    if (outputTokens !== undefined) this.#tokens.observe([...own, 'output'], outputTokens)
  }

  families(): Family[] {
    return [this.#duration, this.#tokens, this.#firstChunk].map((one) => one.family())
  }
}
