/**
 * OTLP's messages by their description, written and read by protobufjs: numbers and types are
 * those of open-telemetry/opentelemetry-proto (`trace.proto`, `metrics.proto`, `common.proto`).
 */
import protobuf from 'protobufjs'

const { root } = protobuf.parse(`
syntax = "proto3";
package otlp;
message Traces { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
  string name = 5; SpanKind kind = 6; fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; uint32 dropped_events_count = 12;
  uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
}
enum SpanKind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
message Status { string message = 2; StatusCode code = 3; }
enum StatusCode { UNSET = 0; OK = 1; ERROR = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
}
message Gauge { repeated NumberPoint data_points = 1; }
message Sum {
  repeated NumberPoint data_points = 1; Temporality aggregation_temporality = 2; bool is_monotonic = 3;
}
message Histogram { repeated HistogramPoint data_points = 1; Temporality aggregation_temporality = 2; }
enum Temporality { NONE = 0; DELTA = 1; CUMULATIVE = 2; }
message NumberPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof value { double as_double = 4; sfixed64 as_int = 6; }
  repeated KeyValue attributes = 7;
}
message HistogramPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4;
  optional double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
  repeated KeyValue attributes = 9; optional double min = 11; optional double max = 12;
}
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message Scope {
  string name = 1; string version = 2; repeated KeyValue attributes = 3;
  uint32 dropped_attributes_count = 4;
}
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
`)

/** In JSON these are hex, and not base64 as other bytes. */
const HEX = new Set(['traceId', 'spanId', 'parentSpanId'])

function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      HEX.has(key) && typeof one === 'string' ? Buffer.from(one, 'hex') : withBytes(one),
    ]),
  )
}

/** @throws where the JSON has a member that its message has not */
function refuseUnknown(type: protobuf.Type, value: object, path: string): void {
  for (const [key, one] of Object.entries(value)) {
    const field = type.fields[key]?.resolve()
    if (field === undefined) throw new Error(`${path} has no member ${key}`)
    const { resolvedType } = field
    if (!(resolvedType instanceof protobuf.Type)) continue
    for (const inner of Array.isArray(one) ? (one as unknown[]) : [one])
      refuseUnknown(resolvedType, inner as object, `${path}.${key}`)
  }
}

export type OtlpMessage = 'Traces' | 'Metrics'

/** Plain values of what the bytes say: enumerations by name, 64 bits as text, bytes as hex. */
export function otlpOfBytes(name: OtlpMessage, bytes: Uint8Array): unknown {
  const type = root.lookupType(`otlp.${name}`)
  const said = type.toObject(type.decode(Buffer.from(bytes)), {
    ...{ enums: String, longs: String, arrays: false, defaults: false },
  })
  return JSON.parse(
    JSON.stringify(said, (key, value: unknown) => {
      // A zero that is written is one that is not.
      if ((value === 0 && key.startsWith('dropped')) || value === 'UNSET')
        return undefined
      const { type: kind, data } = (value ?? {}) as { type?: string; data?: number[] }
      return kind === 'Buffer' ? Buffer.from(data ?? []).toString('hex') : value
    }),
  ) as unknown
}

/** @throws unless the JSON is one of the message; the same as if it had come as bytes */
export function otlpOfJson(name: OtlpMessage, json: object): unknown {
  const type = root.lookupType(`otlp.${name}`)
  refuseUnknown(type, json, name)
  const message = type.fromObject(withBytes(json) as Record<string, unknown>)
  const wrong = type.verify(message)
  if (wrong !== null) throw new Error(wrong)
  return otlpOfBytes(name, type.encode(message).finish())
}
