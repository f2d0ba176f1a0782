/**
 * What processors say, nearly right: frames, answers and introductions of the agent protocol,
 * replies of external processing, of guardrails over HTTP. Each comes to a verdict or to a
 * `ProcessorFailure`; frames are the same however their bytes are cut; no verdict holds a field
 * that HTTP cannot have, or a status that no block has.
 */
import assert from 'node:assert/strict'
import { readReply } from '../../src/processors/ext-proc-messages.js'
import { guardrailQuestion } from '../../src/processors/guardrail-messages.js'
import { FRAME, frame, FrameReader, GRPC } from '../../src/processors/uds-frames.js'
import type { FrameLayout } from '../../src/processors/uds-frames.js'
import { readAnswer, readIntroduction } from '../../src/processors/uds-messages.js'
import { ProcessorFailure } from '../../src/processors/words.js'
import type { Asked, FieldChange, Verdict } from '../../src/processors/words.js'
import type { FuzzTarget } from './target.js'

const MAX_FRAME = 64 * 1024

const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] })
const ASKED: Asked = {
  requestId: 'r',
  head: {
    ...{ method: 'POST', path: '/v1', host: 'api.example', protocol: 'HTTP/2' },
    ...{ fields: [], clientAddress: '192.0.2.1', clientPort: 1, traceparent: undefined },
    ...{ provider: 'openai', model: 'm', startedAt: 0 },
  },
  asksHead: true,
  body: { bytes: Buffer.from(BODY), total: BODY.length, isCut: false },
}

const ANSWERS = [
  { version: 2, decision: 'allow', audit: { tags: ['a'], confidence: 0.5 } },
  {
    decision: { block: { status: 451, body: 'no', headers: { 'x-a': 'b' } } },
    request_headers: [{ set: { name: 'x', value: 'y' } }, { remove: { name: 'z' } }],
    request_body_mutation: { data: 'e30=', chunk_index: 0 },
  },
  { decision: { redirect: { url: 'https://a.example/', status: 307 } } },
  { decision: 'allow', websocket_decision: { close: { code: 1008, reason: 'no' } } },
  { decision: { challenge: { challenge_type: 'adult', params: {} } }, needs_more: true },
]
const INTRODUCTION = {
  ...{ protocol_version: 2, success: true, error: null, encoding: 'json' },
  capabilities: { name: 'n', version: '1', supported_events: [1, 2], limits: {} },
}
const REPLIES = [
  { action: 'NONE' },
  { action: 'BLOCKED', blocked_reason: 'no' },
  { action: 'GUARDRAIL_INTERVENED', texts: ['other'] },
  { verdict: false, data: { reason: 'no' } },
  { verdict: true, transformedData: { request: { json: { a: 1 } } } },
]
/** `ProcessingResponse` in bytes, by the published numbers of its fields. */
const MESSAGES = [
  // request_headers { response { header_mutation { set_headers { header { x: y } } } } }
  '0a0e0a0c120a0a080a060a01781a0179',
  // request_body { response { body_mutation { body: "{}" } } }
  '1a080a061a040a027b7d',
  // immediate_response { status { code: 451 } body: "no" details: "d" }
  '3a0c0a0308c3031a026e6f2a0164',
]

export const processorsTarget: FuzzTarget = {
  name: 'processors',
  about: 'what processors say, in each dialect',
  seeds: () => [
    ...[...ANSWERS, INTRODUCTION, ...REPLIES].map((one) =>
      Buffer.from(JSON.stringify(one)),
    ),
    ...ANSWERS.map((one) => frame(FRAME.answer, JSON.stringify(one))),
    ...MESSAGES.map((hex) => Buffer.from(hex, 'hex')),
    ...MESSAGES.map((hex) => grpc(Buffer.from(hex, 'hex'))),
  ],
  check: (input, random) => {
    for (const layout of [undefined, GRPC]) sameFrames(input, layout, random)
    for (const read of READERS) {
      const verdict = orFailure(() => read(input))
      if (verdict !== undefined) holds(verdict)
    }
    orFailure(() => readIntroduction(input))
  },
}

const READERS: readonly ((bytes: Buffer) => Verdict | undefined)[] = [
  (bytes) => readAnswer(bytes, 'r'),
  (bytes) => {
    const reply = readReply(bytes)
    return reply.kind === 'other' ? undefined : reply.verdict
  },
  ...(['litellm', 'portkey'] as const).map((shape) => (bytes: Buffer) => {
    const said = parsed(bytes)
    return said === undefined
      ? undefined
      : guardrailQuestion(shape, ASKED).read(said.value)
  }),
]

function parsed(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(bytes.toString()) as unknown }
  } catch {
    return undefined
  }
}

function grpc(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function orFailure<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof ProcessorFailure) return undefined
    throw cause
  }
}

/** Whole, and a few bytes at a time. */
function sameFrames(
  input: Buffer,
  layout: FrameLayout | undefined,
  random: () => number,
): void {
  const pieces: Buffer[] = []
  for (let at = 0; at < input.length;) {
    const length = 1 + Math.floor(random() * 16)
    pieces.push(input.subarray(at, at + length))
    at += length
  }
  assert.deepEqual(framesOf(pieces, layout), framesOf([input], layout))
}

function framesOf(pieces: readonly Buffer[], layout: FrameLayout | undefined): string[] {
  const reader = new FrameReader(MAX_FRAME, layout)
  const told: string[] = []
  try {
    for (const piece of pieces)
      for (const { type, payload } of reader.push(piece)) {
        assert.ok(payload.length <= MAX_FRAME)
        told.push(`${type} ${payload.toString('hex')}`)
      }
  } catch (cause) {
    if (!(cause instanceof ProcessorFailure)) throw cause
    told.push(cause.kind)
  }
  return told
}

function holds({ ruling, requestFields, responseFields, audit }: Verdict): void {
  const fields: FieldChange[] = [...requestFields, ...responseFields]
  if (ruling.kind === 'block') {
    fields.push(...ruling.fields)
    const { status = 400, text = 'x' } = ruling
    assert.ok(status >= 400 && status <= 599)
    assert.match(text, /^[^\p{Cc}\p{Zl}\p{Zp}]{1,500}$/u)
  }
  if (ruling.kind === 'redirect') assert.match(ruling.url, /^(?:https?:\/\/|\/)/i)
  for (const { name, value } of fields) {
    // RFC 9110 §5.1 and §5.5.
    assert.match(name, /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/)
    assert.match(value, /^[\t\x20-\x7e]{0,8192}$/)
  }
  assert.ok(audit.tags.length <= 16 && audit.ruleIds.length <= 16)
}
