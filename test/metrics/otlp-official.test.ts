/** What is exported, held against OpenTelemetry's own serialisers, in JSON and in bytes. */
import assert from 'node:assert/strict'
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { Counter, Histogram, looked } from '../../src/metrics/instruments.js'
import { metricsBody, spanOf, tracesBody } from '../../src/metrics/otlp-json.js'
import { GenaiMetrics } from '../../src/metrics/genai-metrics.js'
import { closed } from '../audit/support.js'
import { otlpOfBytes, otlpOfJson } from '../support/otlp-proto.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const OWN = 'b7ad6b7169203331'
const START = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const OURS = { version: '1.2.3', instance: '4711.1' }
const START_TIME = [Math.floor(START / 1000), 6_000_000]
const END_TIME = [Math.floor(START / 1000), 818_000_000]
const SCOPE = { name: 'yori', version: '1.2.3' }
const RESOURCE = {
  attributes: {
    'service.name': 'yori',
    'service.version': '1.2.3',
    'service.instance.id': '4711.1',
  },
  asyncAttributesPending: false,
}

const jsonIn = (bytes: Uint8Array | undefined): object =>
  JSON.parse(Buffer.from(bytes ?? []).toString()) as object

/** As a collector takes it: whole numbers are doubles there, and text is a number. */
const asDoubles = (said: unknown): unknown =>
  JSON.parse(
    JSON.stringify(said, (key, value: unknown) =>
      key === 'intValue' ? String(value) : value,
    ),
  ) as unknown

describe('the export by OTLP, beside what OpenTelemetry itself writes', () => {
  for (const failed of [false, true])
    it(`says the same of ${failed ? 'a call that failed' : 'a call'}`, () => {
      const seen = closed({
        ...{ startedAt: START, latencyMs: 812, call: true, api: 'chat' },
        ...{ provider: 'openai', model: 'gpt-4o', stream: true, responseId: 'r-1' },
        ...{ inputTokens: 120, outputTokens: 30, costMicroUsd: 810, firstTokenMs: 12.5 },
        ...{ toolCalls: ['search', 'run'], sessionId: 'talk', requestId: 'q-1' },
        ...(failed
          ? { outcome: 'error' as const, code: 'YORI_UPSTREAM_RESET' as const }
          : {}),
        traceparent: `00-${TRACE}-${PARENT}-01`,
      })
      const fresh = { traceId: 'a'.repeat(32), spanId: OWN }
      const ours = tracesBody([spanOf(seen, { fresh, content: false })], OURS)
      const attributes = {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.request.stream': true,
        'gen_ai.response.id': 'r-1',
        ...(seen.finishReason === undefined
          ? {}
          : { 'gen_ai.response.finish_reasons': [seen.finishReason] }),
        'gen_ai.response.time_to_first_chunk': 0.0125,
        'gen_ai.usage.input_tokens': 120,
        'gen_ai.usage.output_tokens': 30,
        'gen_ai.conversation.id': 'talk',
        'server.address': seen.endpointDomain,
        'client.address': seen.device.ip,
        'http.request.method': seen.method,
        ...(seen.status === undefined
          ? {}
          : { 'http.response.status_code': seen.status }),
        ...(failed ? { 'error.type': 'YORI_UPSTREAM_RESET' } : {}),
        'yori.request.id': 'q-1',
        'yori.outcome': failed ? 'error' : 'response',
        ...(seen.policyName === undefined ? {} : { 'yori.policy.name': seen.policyName }),
        ...(seen.policyDecision === undefined
          ? {}
          : { 'yori.policy.decision': seen.policyDecision }),
        'yori.cost.micro_usd': 810,
        'yori.tool.calls': ['search', 'run'],
      }
      const context = { traceId: TRACE, traceFlags: 1 }
      const official = {
        name: 'chat gpt-4o',
        kind: 2,
        spanContext: () => ({ ...context, spanId: OWN }),
        parentSpanContext: { ...context, spanId: PARENT, isRemote: true },
        ...{ startTime: START_TIME, endTime: END_TIME, duration: [0, 812_000_000] },
        status: failed ? { code: 2, message: 'YORI_UPSTREAM_RESET' } : { code: 0 },
        ...{ attributes, links: [], events: [], ended: true, resource: RESOURCE },
        instrumentationScope: SCOPE,
        ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
      }
      const read = otlpOfJson('Traces', ours)
      const bytes = ProtobufTraceSerializer.serializeRequest([official] as never)
      assert.deepEqual(read, otlpOfBytes('Traces', bytes ?? new Uint8Array()))
      const json = jsonIn(JsonTraceSerializer.serializeRequest([official] as never)) as {
        resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[]
      }
      const span = json.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}
      const own = (ours as typeof json).resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}
      for (const [key, value] of Object.entries(own))
        if (key !== 'status') assert.deepEqual(value, asDoubles(span[key]), key)
    })

  it('says the same of a counter, a gauge and a histogram', () => {
    const counter = new Counter({ name: 'x_total', help: 'X.', labels: ['a'] })
    counter.add(['b'], 3)
    counter.add(['c'], 2.5)
    const histogram = new Histogram(
      { name: 'y_seconds', help: 'Y.', labels: ['a'] },
      [0.5, 1, 2],
    )
    for (const value of [0.25, 0.75, 0.5, 9]) histogram.observe(['b'], value)
    const gauge = looked('gauge', 'z_bytes', 'Z.', [[{ kind: 'k' }, -7]])
    const times = { startedAt: START, now: START + 812 }
    const families = [counter.family(), gauge, histogram.family()]
    const ours = metricsBody(families, times, OURS)
    const at = { startTime: START_TIME, endTime: END_TIME }
    const described = (name: string, description: string, unit: string) => ({
      ...{ name, description, unit, valueType: 1, type: 'COUNTER', advice: {} },
    })
    const official = {
      resource: RESOURCE,
      scopeMetrics: [
        {
          scope: SCOPE,
          metrics: [
            {
              descriptor: described('x_total', 'X.', '1'),
              ...{ dataPointType: 3, aggregationTemporality: 1, isMonotonic: true },
              dataPoints: [
                { ...at, attributes: { a: 'b' }, value: 3 },
                { ...at, attributes: { a: 'c' }, value: 2.5 },
              ],
            },
            {
              descriptor: described('z_bytes', 'Z.', 'By'),
              ...{ dataPointType: 2, aggregationTemporality: 1 },
              dataPoints: [{ ...at, attributes: { kind: 'k' }, value: -7 }],
            },
            {
              descriptor: described('y_seconds', 'Y.', 's'),
              ...{ dataPointType: 0, aggregationTemporality: 1 },
              dataPoints: [
                {
                  ...at,
                  attributes: { a: 'b' },
                  value: {
                    buckets: { boundaries: [0.5, 1, 2], counts: [2, 1, 0, 1] },
                    ...{ count: 4, sum: 10.5 },
                  },
                },
              ],
            },
          ],
        },
      ],
    }
    const read = otlpOfJson('Metrics', ours)
    const bytes = ProtobufMetricsSerializer.serializeRequest(official as never)
    assert.deepEqual(read, otlpOfBytes('Metrics', bytes ?? new Uint8Array()))
    const json = jsonIn(JsonMetricsSerializer.serializeRequest(official as never))
    assert.deepEqual(read, otlpOfJson('Metrics', json))
  })

  it("has the conventions' histograms of calls, by their units and bounds", () => {
    const genai = new GenaiMetrics()
    const call = { call: true, api: 'messages', provider: 'gemini', model: 'm' }
    genai.ended(closed({ ...call, latencyMs: 812, inputTokens: 17, outputTokens: 4 }))
    genai.ended(closed({ ...call, latencyMs: 20, status: 503 }))
    genai.ended(closed({ ...call, outcome: 'block' }))
    genai.ended(closed({ ...call, call: false }))
    const times = { startedAt: START, now: START + 812 }
    const { resourceMetrics } = otlpOfJson(
      'Metrics',
      metricsBody(genai.families(), times, OURS),
    ) as {
      resourceMetrics: {
        scopeMetrics: {
          metrics: {
            name: string
            unit: string
            histogram: {
              dataPoints: {
                attributes: { key: string; value: { stringValue: string } }[]
                count: string
                explicitBounds: number[]
              }[]
            }
          }[]
        }[]
      }[]
    }
    const told = (resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? []).map(
      ({ name, unit, histogram }) => ({
        name,
        unit,
        bounds: [
          histogram.dataPoints[0]?.explicitBounds[0],
          histogram.dataPoints[0]?.explicitBounds.at(-1),
        ],
        points: histogram.dataPoints.map(({ attributes, count }) => [
          attributes.map(({ key, value }) => `${key}=${value.stringValue}`).join(' '),
          count,
        ]),
      }),
    )
    const of =
      'gen_ai.operation.name=chat gen_ai.provider.name=gcp.gemini gen_ai.request.model=m ' +
      `server.address=${closed().endpointDomain}`
    assert.deepEqual(told, [
      {
        name: 'gen_ai.client.operation.duration',
        unit: 's',
        bounds: [0.01, 81.92],
        points: [
          [of, '1'],
          [`${of} error.type=503`, '1'],
        ],
      },
      {
        name: 'gen_ai.client.token.usage',
        unit: '{token}',
        bounds: [1, 67_108_864],
        points: [
          [`${of} gen_ai.token.type=input`, '1'],
          [`${of} gen_ai.token.type=output`, '1'],
        ],
      },
    ])
  })
})
