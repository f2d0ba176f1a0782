/**
 * Anthropic's Messages, token counting and the legacy text completions:
 * docs.anthropic.com/en/api/messages, /messages-streaming, /complete. Cache reads and writes
 * are counted beside `input_tokens`, not inside.
 */
import type { Resting } from '../core/resting.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import { isNoEnd } from './end-of.js'
import { FactsBuilder } from './facts.js'
import { chatShape, readChatRequest } from './openai-chat.js'
import { otherShape, readOther } from './other.js'
import { withoutQuery } from './paths.js'
import { readError } from './provider-error.js'
import { requestsBy } from './provider.js'
import type {
  Api,
  ExchangeHead,
  Provider,
  RequestContext,
  RequestFacts,
  ResponseContext,
  ResponseReader,
} from './provider.js'
import { tierIn } from './tier.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import {
  RequestBuilder,
  readCommon,
  readContent,
  readTools,
  unreadRequest,
} from './request.js'

export const anthropic: Provider = {
  name: 'anthropic',
  recognises: (head) =>
    head.host === 'api.anthropic.com' ? (anthropicApi(head) ?? 'other') : undefined,
  apiOf: anthropicApi,
  ...requestsBy(readAnthropicRequest),
  reader: anthropicReader,
}

/** By the path alone; undefined for one that is none of Anthropic's. */
export function anthropicApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  if (path.endsWith('/messages')) return 'messages'
  if (path.endsWith('/messages/count_tokens')) return 'count-tokens'
  if (path.includes('/messages/batches')) return 'batches'
  if (path.endsWith('/v1/complete')) return 'completions'
  // Spoken beside its own, as OpenAI's.
  if (path.endsWith('/chat/completions')) return 'chat'
  if (path.startsWith('/v1/models')) return 'models'
  if (path.startsWith('/v1/files')) return 'files'
  return undefined
}

/**
 * A request of any of its APIs; OpenAI's chat, which it speaks too, as such. Without a
 * body that is an object, facts that hold the API alone.
 */
export function* readAnthropicRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const value = asRecord(body)
  if (value === undefined) return unreadRequest(context.api)
  if (context.api === 'chat') return yield* readChatRequest(value)
  return yield* readMessagesRequest(value, context.api)
}

/**
 * Messages, text completions, counts of tokens, and batches, whose requests are read one
 * after the other into one list. The model of a batch is that of its first.
 * docs.anthropic.com/en/api/messages, /creating-message-batches.
 */
export function* readMessagesRequest(body: Json, api: Api): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  builder.system(yield* readContent(body.system, builder))
  if (typeof body.prompt === 'string') builder.message('user', body.prompt)
  yield* readMessages(body, builder)
  // A batch holds whole requests; each is asked like one.
  for (const item of asList(body.requests)) {
    if (builder.due()) yield
    const params = asRecord(asRecord(item)?.params)
    if (params === undefined) continue
    builder.model ??= asText(params.model)
    builder.system(yield* readContent(params.system, builder))
    yield* readMessages(params, builder)
  }
  yield* readTools(body.tools, builder)
  for (const item of asList(body.mcp_servers)) {
    const server = asRecord(item)
    builder.mcpServer(asText(server?.name), asText(server?.url))
  }
  return builder.build(api)
}

function* readMessages(body: Json, builder: RequestBuilder): Resting<void> {
  for (const item of asList(body.messages)) {
    if (builder.due()) yield
    const message = asRecord(item)
    if (message === undefined) continue
    const { content } = message
    const text =
      typeof content === 'string' ? content : yield* readContent(content, builder)
    builder.message(asText(message.role) ?? '', text)
  }
}

/** What reads the answers of any of its APIs. */
export function anthropicReader(context: ResponseContext): ResponseReader {
  return readResponse(anthropicShape(context.api), context)
}

/** `otherShape` for an API that has none of its own. */
export function anthropicShape(api: Api): Shape {
  if (api === 'messages') return messagesShape
  if (api === 'chat') return chatShape
  if (api === 'batches') return batchesShape
  return api === 'completions' ? completeShape : otherShape
}

export const messagesShape: Shape = {
  ignores: (name) => name === 'ping' || name === 'content_block_stop',
  body: readMessage,
  event(value, facts) {
    switch (value.type) {
      case 'message_start':
        readMessage(asRecord(value.message) ?? {}, facts)
        facts.outputProvisional = true
        return
      case 'content_block_start':
        readBlock(asRecord(value.content_block), blockKey(value), facts)
        return
      case 'content_block_delta':
        readDelta(asRecord(value.delta), blockKey(value), facts)
        return
      case 'message_delta':
        facts.finishReason = firstText(
          asRecord(value.delta)?.stop_reason,
          facts.finishReason,
        )
        facts.outputProvisional = false
        readUsage(asRecord(value.usage), facts)
        return
      case 'message_stop':
        facts.ended = true
        return
      case 'error':
        facts.error = readError(value, true)
        return
      default:
        return
    }
  },
}

function blockKey(value: Json): number {
  return asCount(value.index) ?? 0
}

function readMessage(message: Json, facts: FactsBuilder): void {
  facts.model = firstText(message.model, facts.model)
  facts.responseId = firstText(message.id, facts.responseId)
  const blocks = asList(message.content)
  for (let i = 0; i < blocks.length; i++) readBlock(asRecord(blocks[i]), i, facts)
  facts.finishReason = firstText(message.stop_reason, facts.finishReason)
  readUsage(asRecord(message.usage), facts)
}

function readBlock(block: Json | undefined, key: number, facts: FactsBuilder): void {
  switch (block?.type) {
    case 'text':
      facts.text.append(asText(block.text) ?? '')
      return
    case 'thinking':
      facts.nextBeside()
      facts.beside(asText(block.thinking))
      return
    case 'compaction':
      facts.nextBeside()
      facts.beside(asText(block.content))
      return
    case 'tool_use':
      facts.toolCall(key, {
        name: asText(block.name),
        id: asText(block.id),
        argumentsText: inputText(block.input),
      })
      return
    case 'server_tool_use':
    case 'mcp_tool_use':
      facts.serverTool(firstText(block.name) ?? '')
      return
    default:
      return
  }
}

/** A stream opens a block with an empty object and sends the input in pieces. */
function inputText(input: unknown): string | undefined {
  const object = asRecord(input)
  if (object === undefined) return undefined
  return Object.keys(object).length === 0 ? undefined : JSON.stringify(object)
}

function readDelta(delta: Json | undefined, key: number, facts: FactsBuilder): void {
  switch (delta?.type) {
    case 'text_delta':
      facts.text.append(asText(delta.text) ?? '')
      return
    case 'thinking_delta':
      facts.beside(asText(delta.thinking))
      return
    case 'compaction_delta':
      facts.beside(asText(delta.content))
      return
    case 'input_json_delta':
      facts.toolCallMore(key, asText(delta.partial_json) ?? '')
      return
    default:
      return
  }
}

function readUsage(usage: Json | undefined, facts: FactsBuilder): void {
  if (usage === undefined) return
  facts.tier = tierIn(usage) ?? facts.tier
  facts.cacheBeside = true
  facts.inputTokens = firstCount(usage.input_tokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.output_tokens, facts.outputTokens)
  facts.cachedTokens = firstCount(usage.cache_read_input_tokens, facts.cachedTokens)
  facts.cacheWriteTokens = firstCount(
    usage.cache_creation_input_tokens,
    facts.cacheWriteTokens,
  )
  facts.cacheWriteHourTokens = firstCount(
    asRecord(usage.cache_creation)?.ephemeral_1h_input_tokens,
    facts.cacheWriteHourTokens,
  )
  // Thinking is counted in `output_tokens` too.
  facts.reasoningTokens = firstCount(
    asRecord(usage.output_tokens_details)?.thinking_tokens,
    facts.reasoningTokens,
  )
  readCompactions(usage, facts)
}

/** A compaction of the history is a call of its own, which the totals leave out. */
function readCompactions(usage: Json, facts: FactsBuilder): void {
  let input = 0
  let output = 0
  let read = 0
  let written = 0
  for (const item of asList(usage.iterations)) {
    const iteration = asRecord(item)
    if (iteration?.type !== 'compaction') continue
    input += asCount(iteration.input_tokens) ?? 0
    output += asCount(iteration.output_tokens) ?? 0
    read += asCount(iteration.cache_read_input_tokens) ?? 0
    written += asCount(iteration.cache_creation_input_tokens) ?? 0
  }
  if (input + output + read + written === 0) return
  facts.extraInputTokens = input
  facts.extraOutputTokens = output
  facts.cachedTokens = (asCount(usage.cache_read_input_tokens) ?? 0) + read
  facts.cacheWriteTokens = (asCount(usage.cache_creation_input_tokens) ?? 0) + written
}

/**
 * A batch tells no usage of its own; its results are one message a line, and what all of them
 * used is told only there.
 */
const batchesShape: Shape = {
  body(value, facts) {
    const message = asRecord(asRecord(value.result)?.message)
    if (message === undefined) {
      readOther(value, facts)
      facts.goesOn = isNoEnd(value.processing_status)
      return
    }
    const one = new FactsBuilder(facts.limits)
    readMessage(message, one)
    facts.addAnswer(one)
  },
}

/** The legacy text completions. */
const completeShape: Shape = {
  ignores: (name) => name === 'ping',
  body: readComplete,
  event(value, facts) {
    readComplete(value, facts)
    if (facts.finishReason !== undefined) facts.ended = true
  },
}

function readComplete(value: Json, facts: FactsBuilder): void {
  facts.model = firstText(value.model, facts.model)
  facts.responseId = firstText(value.id, facts.responseId)
  facts.text.append(asText(value.completion) ?? '')
  facts.finishReason = firstText(value.stop_reason, facts.finishReason)
}
