#!/bin/sh
# Usage: findings/otlp-json-nan-is-null.sh     (Node 20 or later, npm)
# @opentelemetry/otlp-transformer 0.223.1: a span attribute that is NaN or Infinity leaves the
# protobuf serialiser as that number, and the JSON serialiser as `"doubleValue":null`. In proto3's
# JSON mapping null is a member that is not there, and NaN would be the text "NaN": whoever reads
# the JSON has an attribute with a key and no value, and the two encodings of one span say different
# things. Ratios (cache hits of no request, tokens a second of an instant) are where NaN comes from:
# leave such an attribute out before the exporter sees it.
# On the way: 64-bit integers stand as JSON numbers, where the mapping writes decimal text, and a
# whole number past 64 bits (1e21) still goes out as intValue.
# Seen: JSON null null 5 1e+21; protobuf NaN Infinity.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund @opentelemetry/otlp-transformer@0.223.1
cat >ask.js <<'JS'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'

const ids = { traceId: '1234567890abcdef1234567890abcdef', spanId: '1234567890abcdef', traceFlags: 1 }
const span = {
  name: 'a call', kind: 2, spanContext: () => ids,
  startTime: [1_700_000_000, 0], endTime: [1_700_000_001, 0], duration: [1, 0], ended: true,
  status: { code: 0 }, links: [], events: [],
  attributes: { ratio: NaN, rate: Infinity, count: 5, many: 1e21 },
  resource: { attributes: {}, asyncAttributesPending: false },
  instrumentationScope: { name: 'example' },
  droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0,
}
const text = Buffer.from(JsonTraceSerializer.serializeRequest([span])).toString()
const { attributes } = JSON.parse(text).resourceSpans[0].scopeSpans[0].spans[0]
const json = attributes.map(({ value }) => String(Object.values(value)[0]))

// AnyValue.double_value is field 4 of wire type 1, eight bytes, little-endian.
const bytes = Buffer.from(ProtobufTraceSerializer.serializeRequest([span]))
const numbers = []
for (const key of ['ratio', 'rate']) {
  const at = bytes.indexOf(0x21, bytes.indexOf(key) + key.length)
  numbers.push(String(bytes.readDoubleLE(at + 1)))
}
console.log(`JSON ${json.join(' ')}; protobuf ${numbers.join(' ')}`)
JS
seen=$(node ask.js)
echo "$seen"
[ "$seen" = 'JSON null null 5 1e+21; protobuf NaN Infinity' ]
