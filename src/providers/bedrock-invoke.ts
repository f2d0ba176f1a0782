/**
 * Bedrock's InvokeModel: a model answers in its vendor's own shape, which the body itself
 * tells. A stream wraps each of the vendor's events, in base64, into a message.
 */
import type { Resting } from '../core/resting.js'
import { messagesShape, readMessagesRequest } from './anthropic.js'
import {
  converseShape,
  readConverseEvent,
  readConverseRequest,
} from './bedrock-converse.js'
import { cohereShape } from './cohere.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { chatShape, readChatRequest } from './openai-chat.js'
import type { Api, ReaderLimits, RequestFacts } from './provider.js'
import { parseText } from './reader.js'
import type { Shape } from './reader.js'
import { RequestBuilder, readContent } from './request.js'

/** The vendor's shape by the fields it cannot do without. */
export function* readInvokeRequest(body: Json, api: Api): Resting<RequestFacts> {
  if (body.anthropic_version !== undefined) return yield* readMessagesRequest(body, api)
  if (body.inferenceConfig !== undefined || body.schemaVersion !== undefined)
    return yield* readConverseRequest(body)
  if (Array.isArray(body.messages)) return yield* readChatRequest(body)
  const builder = new RequestBuilder()
  const titan = asRecord(body.textGenerationConfig)
  builder.maxTokens = firstCount(
    body.max_tokens,
    body.max_gen_len,
    body.max_tokens_to_sample,
    titan?.maxTokenCount,
  )
  for (const field of [
    body.system,
    body.inputText,
    body.prompt,
    body.message,
    body.texts,
  ])
    builder.message('user', yield* readContent(field, builder))
  return builder.build(api)
}

export const invokeShape: Shape = {
  body(value, facts) {
    vendorShape(value).body(value, facts)
    readInvocationMetrics(value, facts)
  },
  event(value, facts) {
    // Each `chunk` message holds one event of the vendor's own stream, in base64.
    const inner = chunkValue(value, facts.limits) ?? value
    if (inner === value && value.bytes !== undefined) facts.unread++
    const shape = vendorShape(inner)
    if (shape.event === undefined) shape.body(inner, facts)
    else shape.event(inner, facts, '')
    readInvocationMetrics(inner, facts)
  },
}

function chunkValue(value: Json, limits: ReaderLimits): Json | undefined {
  const bytes = asText(value.bytes)
  if (bytes === undefined) return undefined
  const decoded = Buffer.from(bytes, 'base64')
  return asRecord(parseText(decoded.toString(), decoded, limits))
}

function readInvocationMetrics(value: Json, facts: FactsBuilder): void {
  const metrics = asRecord(value['amazon-bedrock-invocationMetrics'])
  if (metrics === undefined) return
  facts.ended = true
  // A body of OpenAI's kind counts its cached tokens inside, the metrics beside.
  facts.inputTokens ??= asCount(metrics.inputTokenCount)
  facts.outputTokens = firstCount(metrics.outputTokenCount, facts.outputTokens)
  facts.cachedTokens = firstCount(metrics.cacheReadInputTokenCount, facts.cachedTokens)
  facts.cacheWriteTokens = firstCount(
    metrics.cacheWriteInputTokenCount,
    facts.cacheWriteTokens,
  )
}

function vendorShape(value: Json): Shape {
  if (Array.isArray(value.choices))
    return asRecord(value.choices[0])?.text === undefined ? chatShape : plainShape
  if (value.type === 'message' || isAnthropicEvent(value.type)) return messagesShape
  if (value.output !== undefined && value.stopReason !== undefined) return converseShape
  if (isNovaEvent(value)) return novaEventShape
  if (value.finish_reason !== undefined && value.text !== undefined) return cohereShape
  if (typeof value.event_type === 'string') return cohereShape
  return plainShape
}

function isAnthropicEvent(type: unknown): boolean {
  return (
    typeof type === 'string' &&
    (type.startsWith('message_') || type.startsWith('content_block_'))
  )
}

const NOVA_EVENTS = [
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
] as const

function isNovaEvent(value: Json): boolean {
  return NOVA_EVENTS.some((name) => value[name] !== undefined)
}

/** Amazon's Nova, invoked, streams Converse's events as `{<type>: {...}}`. */
const novaEventShape: Shape = {
  body(value, facts) {
    for (const name of NOVA_EVENTS) {
      const event = asRecord(value[name])
      if (event !== undefined) readConverseEvent(event, facts, name)
    }
  },
}

/** Titan, Llama, AI21, DeepSeek, Mistral's and Cohere's older shapes: a text and counts. */
const plainShape: Shape = {
  body(value, facts) {
    const first =
      asRecord(asList(value.results)[0]) ??
      asRecord(asList(value.outputs)[0]) ??
      asRecord(asList(value.generations)[0]) ??
      asRecord(asList(value.completions)[0]) ??
      asRecord(asList(value.choices)[0])
    // AI21's older models put text and tokens, each with its own place, into `data`.
    const data = asRecord(first?.data)
    facts.text.append(
      firstText(first?.outputText, first?.text, data?.text, value.outputText) ??
        firstText(value.generation, value.completion, value.text) ??
        '',
    )
    facts.finishReason = firstText(
      first?.completionReason,
      first?.stop_reason,
      first?.finish_reason,
      asRecord(first?.finishReason)?.reason,
      value.completionReason,
      value.stop_reason,
      value.finish_reason,
      facts.finishReason,
    )
    facts.inputTokens = firstCount(
      value.inputTextTokenCount,
      value.prompt_token_count,
      facts.inputTokens,
    )
    facts.outputTokens = firstCount(
      first?.tokenCount,
      value.totalOutputTextTokenCount,
      value.generation_token_count,
      facts.outputTokens,
    )
  },
}
