/**
 * Exchanges as spans and families as metrics, in OTLP's JSON: times are decimal text of
 * nanoseconds, ids lower-case hex, counts text. Pure.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import type { SeenExchange } from '../proxy/words/observer.js'
import {
  GENAI_INPUT_MESSAGES,
  genaiAttributes,
  genaiOperation,
} from '../core/genai-names.js'
import type { GenaiCall } from '../core/genai-names.js'
import {
  KIND_CLIENT,
  STATUS_ERROR,
  TRACEPARENT,
  attributesOf,
  nanoseconds,
} from '../core/otlp-values.js'
import type { Plain } from '../core/otlp-values.js'
import type { Family, Sample } from './instruments.js'

export interface Resource {
  readonly version: string
  /** Names this process among others. */
  readonly instance: string
}

const CUMULATIVE = 2
/** Trace flags, and that it is known whether the parent is of another process. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

export interface SpanOptions {
  /** Of a span whose client named no trace. */
  readonly fresh: SpanIds
  /** May what was said be told? */
  readonly content: boolean
}

/** The span of a call to a model. */
export function spanOf(seen: SeenExchange, { fresh, content }: SpanOptions): object {
  const [, trace, parent, flags = '01'] = TRACEPARENT.exec(seen.traceparent ?? '') ?? []
  const operation = genaiOperation(seen.api)
  const name = seen.model === undefined ? operation : `${operation} ${seen.model}`
  const isError = seen.outcome !== 'response' || (seen.status ?? 0) >= 400
  const remote = parent === undefined ? 0 : IS_REMOTE
  return {
    traceId: trace ?? fresh.traceId,
    spanId: fresh.spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind: KIND_CLIENT,
    flags: parseInt(flags, 16) | HAS_IS_REMOTE | remote,
    startTimeUnixNano: nanoseconds(seen.startedAt),
    endTimeUnixNano: nanoseconds(seen.startedAt + (seen.latencyMs ?? 0)),
    attributes: attributesOf(spanAttributes(seen, content)),
    status: isError
      ? { code: STATUS_ERROR, message: seen.code ?? seen.outcome ?? '' }
      : {},
  }
}

/** A code of ours, what became of it, or a status; undefined: it went well. */
export function errorTypeOf({ outcome, code, status }: SeenExchange): string | undefined {
  if (outcome !== 'response') return code ?? outcome
  return status !== undefined && status >= 400 ? String(status) : undefined
}

function callOf(seen: SeenExchange): GenaiCall {
  return {
    api: seen.api,
    provider: seen.provider,
    model: seen.model,
    stream: seen.stream,
    responseId: seen.responseId,
    finishReason: seen.finishReason,
    firstTokenMs: seen.firstTokenMs,
    inputTokens: seen.inputTokens,
    outputTokens: seen.outputTokens,
    cachedTokens: seen.cachedTokens,
    cacheWriteTokens: seen.cacheWriteTokens,
    reasoningTokens: seen.reasoningTokens,
    sessionId: seen.sessionId,
    agentId: seen.agentId,
  }
}

function spanAttributes(seen: SeenExchange, content: boolean): Record<string, Plain> {
  const { outcome, status } = seen
  return {
    ...genaiAttributes(callOf(seen)),
    [GENAI_INPUT_MESSAGES]:
      content && seen.promptPreview !== undefined
        ? JSON.stringify([
            { role: 'user', parts: [{ type: 'text', content: seen.promptPreview }] },
          ])
        : undefined,
    'server.address': seen.endpointDomain,
    'client.address': seen.device.ip,
    'http.request.method': seen.method,
    'http.response.status_code': status,
    'error.type': errorTypeOf(seen),
    'yori.request.id': seen.requestId,
    'yori.outcome': outcome,
    'yori.policy.name': seen.policyName,
    'yori.policy.decision': seen.policyDecision,
    'yori.cost.micro_usd': seen.costMicroUsd,
    'yori.tool.calls': seen.toolCalls,
  }
}

export function tracesBody(spans: readonly object[], resource: Resource): object {
  const scopeSpans = [{ scope: scopeOf(resource), spans }]
  return { resourceSpans: [{ resource: resourceOf(resource), scopeSpans }] }
}

export interface MetricTimes {
  readonly startedAt: number
  readonly now: number
}

export function metricsBody(
  families: readonly Family[],
  times: MetricTimes,
  resource: Resource,
): object {
  const metrics = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => metricOf(family, times))
  const scopeMetrics = [{ scope: scopeOf(resource), metrics }]
  return { resourceMetrics: [{ resource: resourceOf(resource), scopeMetrics }] }
}

function metricOf(
  { name, help, type, unit, samples }: Family,
  times: MetricTimes,
): object {
  const at = {
    startTimeUnixNano: nanoseconds(times.startedAt),
    timeUnixNano: nanoseconds(times.now),
  }
  const base = { name, description: help, unit: unit ?? unitOf(name) }
  if (type === 'histogram') {
    const dataPoints = histogramPoints(samples).map((point) => ({ ...point, ...at }))
    return { ...base, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } }
  }
  const known = samples.filter(({ value }) => Number.isFinite(value))
  const dataPoints = known.map(({ labels, value }) => ({
    attributes: labelsOf(labels),
    ...at,
    asDouble: value,
  }))
  if (type === 'gauge') return { ...base, gauge: { dataPoints } }
  const sum = { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints }
  return { ...base, sum }
}

/** A label without a value is none. */
function labelsOf(labels: Sample['labels']): object[] {
  return attributesOf(Object.fromEntries(labels.filter(([, value]) => value !== '')))
}

/** UCUM. */
function unitOf(name: string): string {
  if (name.includes('_seconds')) return 's'
  if (name.includes('_bytes')) return 'By'
  return '1'
}

interface Point {
  labels: Sample['labels']
  readonly upTo: (readonly [bound: number, count: number])[]
  sum: number
  count: number
}

/** Of cumulative buckets those of the protocol, which are not. */
function histogramPoints(samples: readonly Sample[]): object[] {
  const points = new Map<string, Point>()
  for (const { suffix, labels, value } of samples) {
    const plain = labels.filter(([name]) => name !== 'le')
    const key = JSON.stringify(plain)
    const point = points.get(key) ?? { labels: plain, upTo: [], sum: 0, count: 0 }
    points.set(key, point)
    const bound = labels.find(([name]) => name === 'le')?.[1]
    if (suffix === '_sum') point.sum = value
    else if (suffix === '_count') point.count = value
    else if (bound !== undefined && bound !== '+Inf')
      point.upTo.push([Number(bound), value])
  }
  return [...points.values()].map(({ labels, upTo, sum, count }) => {
    const below = upTo.map(
      ([, upToHere], index) => upToHere - (upTo[index - 1]?.[1] ?? 0),
    )
    const beyond = count - (upTo.at(-1)?.[1] ?? 0)
    return {
      attributes: labelsOf(labels),
      count: String(count),
      sum,
      bucketCounts: [...below, beyond].map(String),
      explicitBounds: upTo.map(([bound]) => bound),
    }
  })
}

function resourceOf({ version, instance }: Resource): object {
  const attributes = attributesOf({
    'service.name': 'yori',
    'service.version': version,
    'service.instance.id': instance,
  })
  return { attributes }
}

const scopeOf = ({ version }: Resource): object => ({ name: 'yori', version })
