/**
 * Amazon Bedrock: docs.aws.amazon.com/bedrock/latest/APIReference (Converse, InvokeModel and
 * their streams), and the OpenAI- and Anthropic-shaped endpoints of `bedrock-mantle`. Converse
 * has one shape for all models; an invoked model answers in its vendor's own, which the body
 * itself tells.
 */
import { messagesShape, readMessagesRequest } from './anthropic.js'
import { cohereShape } from './cohere.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { chatShape, readChatRequest } from './openai-chat.js'
import { openaiApi, openaiShape, readOpenaiRequest } from './openai.js'
import { otherShape } from './other.js'
import { withoutQuery } from './paths.js'
import type {
  Api,
  ExchangeHead,
  Provider,
  RequestContext,
  RequestFacts,
} from './provider.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import { RequestBuilder, base64Bytes, readContent, unreadRequest } from './request.js'

export const bedrock: Provider = {
  name: 'bedrock',
  recognises: (head) => (ownsHost(head.host) ? (bedrockApi(head) ?? 'other') : undefined),
  readRequest: readBedrockRequest,
  reader: (context) => readResponse(shapeFor(context.api), context),
}

/** `bedrock-runtime[-fips].<region>.amazonaws.com`, `bedrock-mantle.<region>.api.aws`. */
function ownsHost(host: string): boolean {
  if (host.endsWith('.amazonaws.com') || host.endsWith('.amazonaws.com.cn'))
    return host.startsWith('bedrock-runtime.') || host.startsWith('bedrock-runtime-fips.')
  return host.endsWith('.api.aws') && host.startsWith('bedrock-mantle.')
}

function bedrockApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  if (!path.startsWith('/model/')) return openaiApi(head)
  if (path.endsWith('/converse') || path.endsWith('/converse-stream')) return 'converse'
  if (path.endsWith('/invoke') || path.endsWith('/invoke-with-response-stream'))
    return path.includes('embed') ? 'embeddings' : 'invoke'
  if (path.endsWith('/count-tokens')) return 'count-tokens'
  return undefined
}

function shapeFor(api: Api): Shape {
  if (api === 'converse') return converseShape
  if (api === 'invoke' || api === 'embeddings') return invokeShape
  return api === 'count-tokens' ? otherShape : openaiShape(api)
}

/** `/model/<id>/converse`: the id, its `:` and `/` percent-encoded by most clients. */
function modelInPath(path: string): string | undefined {
  const segments = withoutQuery(path).split('/')
  if (segments[1] !== 'model' || segments[2] === undefined) return undefined
  try {
    return decodeURIComponent(segments[2])
  } catch {
    return segments[2]
  }
}

function readBedrockRequest(body: unknown, context: RequestContext): RequestFacts {
  const { api, path } = context
  const model = modelInPath(path)
  const stream = withoutQuery(path).endsWith('-stream')
  const value = asRecord(body)
  if (model === undefined) return readOpenaiRequest(body, context)
  if (value === undefined) return { ...unreadRequest(api, model), stream }
  const facts =
    api === 'converse' ? readConverseRequest(value) : readInvokeRequest(value, api)
  return { ...facts, api, model, stream }
}

function readConverseRequest(body: Json): RequestFacts {
  const builder = new RequestBuilder()
  builder.maxTokens = asCount(asRecord(body.inferenceConfig)?.maxTokens)
  builder.system(readBlocks(body.system, builder))
  for (const item of asList(body.messages)) {
    const message = asRecord(item)
    const text = readBlocks(message?.content, builder)
    builder.message(asText(message?.role) ?? '', text)
  }
  for (const item of asList(asRecord(body.toolConfig)?.tools)) {
    const tool = asRecord(item)
    builder.tool(
      firstText(asRecord(tool?.toolSpec)?.name, asRecord(tool?.systemTool)?.name),
    )
  }
  return builder.build('converse')
}

/** Content blocks are told by their one key: `text`, `image`, `toolUse`, `toolResult`, ... */
function readBlocks(blocks: unknown, builder: RequestBuilder): string {
  let joined = ''
  for (const item of asList(blocks)) {
    const block = asRecord(item)
    const text = block === undefined ? '' : readBlock(block, builder)
    if (text.length > 0) joined = joined.length > 0 ? `${joined}\n${text}` : text
  }
  return joined
}

function readBlock(block: Json, builder: RequestBuilder): string {
  if (typeof block.text === 'string') return block.text
  const result = asRecord(block.toolResult)
  if (result !== undefined) {
    const text = readResultContent(result.content)
    builder.toolResult(asText(result.toolUseId), text)
    return text
  }
  const use = asRecord(block.toolUse)
  if (use?.input !== undefined) return JSON.stringify(use.input)
  readMedia(block, builder)
  return ''
}

function readResultContent(content: unknown): string {
  return asList(content)
    .map((item) => {
      const part = asRecord(item)
      return (
        asText(part?.text) ?? (part?.json === undefined ? '' : JSON.stringify(part.json))
      )
    })
    .filter((text) => text.length > 0)
    .join('\n')
}

function readMedia(block: Json, builder: RequestBuilder): void {
  for (const kind of ['image', 'audio', 'video', 'document'] as const) {
    const media = asRecord(block[kind])
    if (media === undefined) continue
    const data = asText(asRecord(media.source)?.bytes)
    builder.attachment({
      kind: kind === 'document' ? 'file' : kind,
      mediaType: asText(media.format),
      bytes: data === undefined ? undefined : base64Bytes(data),
    })
  }
}

/** The vendor's shape by the fields it cannot do without. */
function readInvokeRequest(body: Json, api: Api): RequestFacts {
  if (body.anthropic_version !== undefined) return readMessagesRequest(body, api)
  if (body.inferenceConfig !== undefined || body.schemaVersion !== undefined)
    return readConverseRequest(body)
  if (Array.isArray(body.messages)) return readChatRequest(body)
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
    builder.message('user', readContent(field, builder))
  return builder.build(api)
}

const converseShape: Shape = {
  body(value, facts) {
    const message = asRecord(asRecord(value.output)?.message)
    const blocks = asList(message?.content)
    for (let i = 0; i < blocks.length; i++) readAnswerBlock(asRecord(blocks[i]), i, facts)
    facts.finishReason = firstText(value.stopReason, facts.finishReason)
    readConverseUsage(asRecord(value.usage), facts)
  },
  event: readConverseEvent,
}

function readAnswerBlock(
  block: Json | undefined,
  key: number,
  facts: FactsBuilder,
): void {
  facts.text.append(asText(block?.text) ?? '')
  const thought = asRecord(asRecord(block?.reasoningContent)?.reasoningText)
  facts.otherChars += asText(thought?.text)?.length ?? 0
  const use = asRecord(block?.toolUse)
  if (use !== undefined && use.type === 'server_tool_use')
    facts.serverTool(firstText(use.name) ?? '')
  else if (use !== undefined)
    facts.toolCall(key, {
      name: asText(use.name),
      id: asText(use.toolUseId),
      argumentsText: use.input === undefined ? undefined : JSON.stringify(use.input),
    })
}

/** By the event's type; as a JSON line without framing, the type is the one key. */
function readConverseEvent(value: Json, facts: FactsBuilder, name: string): void {
  const key = asCount(value.contentBlockIndex) ?? 0
  switch (name) {
    case 'contentBlockStart': {
      const use = asRecord(asRecord(value.start)?.toolUse)
      if (use?.type === 'server_tool_use') facts.serverTool(firstText(use.name) ?? '')
      else if (use !== undefined)
        facts.toolCall(key, { name: asText(use.name), id: asText(use.toolUseId) })
      return
    }
    case 'contentBlockDelta': {
      const delta = asRecord(value.delta)
      facts.text.append(asText(delta?.text) ?? '')
      facts.otherChars += asText(asRecord(delta?.reasoningContent)?.text)?.length ?? 0
      const piece = asText(asRecord(delta?.toolUse)?.input)
      if (piece !== undefined) facts.toolCallMore(key, piece)
      return
    }
    case 'messageStop':
      facts.finishReason = firstText(value.stopReason, facts.finishReason)
      return
    case 'metadata':
      facts.ended = true
      readConverseUsage(asRecord(value.usage), facts)
      return
    default:
      return
  }
}

/** Cache reads and writes are counted beside `inputTokens`. */
function readConverseUsage(usage: Json | undefined, facts: FactsBuilder): void {
  if (usage === undefined) return
  facts.cacheBeside = true
  facts.inputTokens = firstCount(usage.inputTokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.outputTokens, facts.outputTokens)
  facts.cachedTokens = firstCount(
    usage.cacheReadInputTokens,
    usage.cacheReadInputTokenCount,
    facts.cachedTokens,
  )
  facts.cacheWriteTokens = firstCount(
    usage.cacheWriteInputTokens,
    usage.cacheWriteInputTokenCount,
    facts.cacheWriteTokens,
  )
}

const invokeShape: Shape = {
  body(value, facts) {
    vendorShape(value).body(value, facts)
    readInvocationMetrics(value, facts)
  },
  event(value, facts) {
    // Each `chunk` message holds one event of the vendor's own stream, in base64.
    const inner = chunkValue(value) ?? value
    const shape = vendorShape(inner)
    if (shape.event === undefined) shape.body(inner, facts)
    else shape.event(inner, facts, '')
    readInvocationMetrics(inner, facts)
  },
}

/** Longest chunk that is decoded, in base64 characters. */
const MAX_CHUNK_CHARS = 32 * 1024

function chunkValue(value: Json): Json | undefined {
  const bytes = asText(value.bytes)
  if (bytes === undefined || bytes.length > MAX_CHUNK_CHARS) return undefined
  try {
    return asRecord(JSON.parse(Buffer.from(bytes, 'base64').toString()) as unknown)
  } catch {
    return undefined
  }
}

function readInvocationMetrics(value: Json, facts: FactsBuilder): void {
  const metrics = asRecord(value['amazon-bedrock-invocationMetrics'])
  if (metrics === undefined) return
  facts.ended = true
  facts.inputTokens = firstCount(metrics.inputTokenCount, facts.inputTokens)
  facts.outputTokens = firstCount(metrics.outputTokenCount, facts.outputTokens)
}

function vendorShape(value: Json): Shape {
  if (Array.isArray(value.choices)) return chatShape
  if (value.type === 'message' || isAnthropicEvent(value.type)) return messagesShape
  if (value.output !== undefined && value.stopReason !== undefined) return converseShape
  if (isNovaEvent(value)) return novaEventShape
  if (value.finish_reason !== undefined && value.text !== undefined) return cohereShape
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

/** Titan, Llama, Mistral's and Cohere's older shapes: a text and counts under their names. */
const plainShape: Shape = {
  body(value, facts) {
    const first =
      asRecord(asList(value.results)[0]) ??
      asRecord(asList(value.outputs)[0]) ??
      asRecord(asList(value.generations)[0])
    facts.text.append(
      firstText(first?.outputText, first?.text, value.outputText, value.generation) ??
        firstText(value.completion) ??
        '',
    )
    facts.finishReason = firstText(
      first?.completionReason,
      first?.stop_reason,
      first?.finish_reason,
      value.completionReason,
      value.stop_reason,
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
