/**
 * An exchange as a span in OTLP's JSON, one `TracesData` a line, as its file exporter writes them.
 * Ids come from the client's `traceparent` and from the request's id, so that the same row gives
 * the same span however often it is exported. Pure.
 * https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
import { hash } from 'node:crypto'
import { genaiAttributes, genaiOperation } from '../../core/genai-names.js'
import {
  KIND_CLIENT,
  STATUS_ERROR,
  TRACEPARENT,
  attributesOf,
  nanoseconds,
} from '../../core/otlp-values.js'
import type { ExportRow } from './row.js'

const [TRACE_DIGITS, SPAN_DIGITS] = [32, 16] as const

export function otlpTraces(row: ExportRow, version: string): object {
  const digits = hash('sha256', `yori ${row.requestId}`, 'hex')
  const [, trace, parent] = TRACEPARENT.exec(row.text('traceparent') ?? '') ?? []
  const operation = genaiOperation(row.text('api'))
  const model = row.text('model')
  const span = {
    traceId: trace ?? digits.slice(0, TRACE_DIGITS),
    spanId: digits.slice(-SPAN_DIGITS),
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name: model === undefined ? operation : `${operation} ${model}`,
    kind: KIND_CLIENT,
    startTimeUnixNano: nanoseconds(row.startedMs),
    endTimeUnixNano: nanoseconds(row.endedMs),
    attributes: attributesOf(attributes(row)),
    status: row.isFine
      ? {}
      : { code: STATUS_ERROR, message: row.text('code') ?? row.outcome },
  }
  const resource = {
    attributes: attributesOf({ 'service.name': 'yori', 'service.version': version }),
  }
  const scopeSpans = [{ scope: { name: 'yori', version }, spans: [span] }]
  return { resourceSpans: [{ resource, scopeSpans }] }
}

function attributes(row: ExportRow) {
  const status = row.number('response_status')
  const failed = row.isFine ? undefined : (row.text('code') ?? status?.toString())
  const stream = row.number('stream')
  return {
    ...genaiAttributes({
      api: row.text('api'),
      provider: row.text('provider'),
      model: row.text('model'),
      stream: stream === undefined ? undefined : stream === 1,
      responseId: row.text('response_id'),
      finishReason: row.text('finish_reason'),
      firstTokenMs: row.number('first_token_ms'),
      inputTokens: row.number('prompt_tokens'),
      outputTokens: row.number('response_tokens'),
      cachedTokens: row.number('cached_tokens'),
      cacheWriteTokens: row.number('cache_write_tokens'),
      reasoningTokens: row.number('reasoning_tokens'),
      sessionId: row.text('session_id'),
      agentId: row.text('agent_id'),
    }),
    'server.address': row.text('endpoint_domain'),
    'client.address': row.text('device_ip'),
    'http.request.method': row.text('http_method'),
    'http.response.status_code': status,
    'error.type': failed,
    'yori.request.id': row.requestId,
    'yori.outcome': row.outcome,
    'yori.policy.name': row.text('policy_name'),
    'yori.policy.decision': row.text('policy_decision'),
    'yori.cost.micro_usd': row.number('cost_micro_usd'),
    'yori.tool.calls': row.names('tool_calls'),
    'yori.prompt.preview': row.text('prompt_preview'),
  }
}
