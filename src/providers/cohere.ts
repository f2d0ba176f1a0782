/**
 * Cohere: docs.cohere.com/v2/reference/chat, /v1/reference/chat. Version 2 streams
 * server-sent events, version 1 JSON lines. `usage.tokens` is what the model worked on and
 * what is recorded; `billed_units` is what is paid for.
 */
import type { Resting } from '../core/resting.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import { jsonText } from './json-text.js'
import type { FactsBuilder } from './facts.js'
import { openaiApi, openaiShape, readOpenaiRequest } from './openai.js'
import { otherShape } from './other.js'
import { withoutQuery } from './paths.js'
import { readChatRequest } from './openai-chat.js'
import { readError } from './provider-error.js'
import { requestsBy } from './provider.js'
import type {
  Api,
  ExchangeHead,
  Provider,
  RequestContext,
  RequestFacts,
} from './provider.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import {
  RequestBuilder,
  readCommon,
  readContent,
  readTools,
  unreadRequest,
} from './request.js'

const HOSTS: ReadonlySet<string> = new Set(['api.cohere.com', 'api.cohere.ai'])

export const cohere: Provider = {
  name: 'cohere',
  recognises: (head) => (HOSTS.has(head.host) ? (cohereApi(head) ?? 'other') : undefined),
  apiOf: cohereApi,
  ...requestsBy(readCohereRequest),
  reader: (context) => readResponse(shapeFor(context.api, context.path), context),
}

/**
 * By the path alone, of both versions; `/compatibility/` speaks OpenAI's. Undefined for
 * none of Cohere's. docs.cohere.com/reference.
 */
export function cohereApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  if (path.includes('/compatibility/')) return openaiApi(head)
  if (path.endsWith('/chat')) return 'chat'
  if (path.endsWith('/generate')) return 'completions'
  if (path.endsWith('/embed')) return 'embeddings'
  if (path.endsWith('/rerank')) return 'rerank'
  if (path.endsWith('/tokenize') || path.endsWith('/detokenize')) return 'count-tokens'
  if (path.includes('/models')) return 'models'
  return undefined
}

function shapeFor(api: Api, path: string): Shape {
  if (path.includes('/compatibility/')) return openaiShape(api)
  if (api === 'chat') return cohereShape
  if (api === 'completions') return generateShape
  return api === 'embeddings' || api === 'rerank' ? embedShape : otherShape
}

function* readCohereRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const value = asRecord(body)
  if (value === undefined) return unreadRequest(context.api)
  if (context.path.includes('/compatibility/'))
    return yield* readOpenaiRequest(value, context)
  if (Array.isArray(value.messages)) return yield* readChatRequest(value)
  const builder = new RequestBuilder()
  readCommon(value, builder)
  builder.conversationId = asText(value.conversation_id)
  builder.system(asText(value.preamble) ?? '')
  for (const item of asList(value.chat_history)) {
    if (builder.due()) yield
    const turn = asRecord(item)
    const role = asText(turn?.role)?.toLowerCase() ?? ''
    builder.message(role === 'chatbot' ? 'assistant' : role, asText(turn?.message) ?? '')
  }
  for (const item of asList(value.tool_results)) {
    if (builder.due()) yield
    const outputs = asRecord(item)?.outputs
    const text = outputs === undefined ? '' : yield* jsonText(outputs)
    builder.toolResult(asText(asRecord(asRecord(item)?.call)?.name), text)
    builder.message('tool', text)
  }
  for (const text of [value.message, value.prompt, value.query, value.text])
    if (typeof text === 'string') builder.message('user', text)
  for (const text of asList(value.texts)) {
    if (builder.due()) yield
    if (typeof text === 'string') builder.message('user', text)
  }
  for (const input of asList(value.inputs)) {
    if (builder.due()) yield
    builder.message('user', yield* readContent(asRecord(input)?.content, builder))
  }
  for (const document of asList(value.documents)) {
    if (builder.due()) yield
    const text = asText(document) ?? asText(asRecord(document)?.text)
    if (text !== undefined) builder.message('document', text)
  }
  yield* readTools(value.tools, builder)
  return builder.build(context.api)
}

export const cohereShape: Shape = {
  ignores: (name) => name === 'content-start' || name === 'content-end',
  body: readChat,
  event(value, facts) {
    if (typeof value.event_type === 'string') readFirstVersionEvent(value, facts)
    else readEvent(value, facts)
  },
}

/** Both versions: `message` with parts is the second, `text` the first. */
function readChat(value: Json, facts: FactsBuilder): void {
  facts.responseId = firstText(value.response_id, value.id, facts.responseId)
  facts.finishReason = firstText(value.finish_reason, facts.finishReason)
  const message = asRecord(value.message)
  if (message !== undefined) readMessage(message, facts)
  facts.text.append(asText(value.text) ?? '')
  if (message === undefined) readFirstVersionCalls(value.tool_calls, facts)
  readUsage(asRecord(value.usage) ?? asRecord(value.meta), facts)
}

function readMessage(message: Json, facts: FactsBuilder): void {
  for (const item of asList(message.content)) {
    const part = asRecord(item)
    facts.text.append(asText(part?.text) ?? '')
    facts.beside(asText(part?.thinking))
  }
  facts.beside(asText(message.tool_plan))
  const calls = asList(message.tool_calls)
  for (let i = 0; i < calls.length; i++) readCall(asRecord(calls[i]), i, facts)
}

function readCall(call: Json | undefined, key: number, facts: FactsBuilder): void {
  const inner = asRecord(call?.function)
  facts.toolCall(key, {
    name: asText(inner?.name),
    id: asText(call?.id),
    argumentsText: asText(inner?.arguments),
  })
}

function readEvent(value: Json, facts: FactsBuilder): void {
  const delta = asRecord(value.delta)
  const message = asRecord(delta?.message)
  const key = asCount(value.index) ?? 0
  switch (value.type) {
    case 'message-start':
      facts.responseId = firstText(value.id, facts.responseId)
      return
    case 'content-delta': {
      const content = asRecord(message?.content)
      facts.text.append(asText(content?.text) ?? '')
      facts.beside(asText(content?.thinking))
      return
    }
    case 'tool-plan-delta':
      facts.beside(asText(message?.tool_plan))
      return
    case 'tool-call-start':
    case 'tool-call-delta':
      readCall(asRecord(message?.tool_calls), key, facts)
      return
    case 'message-end':
      facts.ended = true
      facts.finishReason = firstText(delta?.finish_reason, facts.finishReason)
      facts.error = readError(delta ?? {}, false) ?? facts.error
      readUsage(asRecord(delta?.usage), facts)
      return
    default:
      return
  }
}

function readFirstVersionEvent(value: Json, facts: FactsBuilder): void {
  switch (value.event_type) {
    case 'stream-start':
      facts.responseId = firstText(value.generation_id, facts.responseId)
      return
    case 'text-generation':
      facts.text.append(asText(value.text) ?? '')
      return
    case 'stream-end':
      facts.ended = true
      facts.restart()
      readChat(asRecord(value.response) ?? {}, facts)
      facts.finishReason = firstText(value.finish_reason, facts.finishReason)
      return
    default:
      return
  }
}

function readFirstVersionCalls(calls: unknown, facts: FactsBuilder): void {
  for (const item of asList(calls)) {
    const call = asRecord(item)
    const parameters = call?.parameters
    facts.toolCall(facts.toolCallCount, {
      name: asText(call?.name),
      argumentsText: parameters === undefined ? undefined : JSON.stringify(parameters),
    })
  }
}

function readUsage(usage: Json | undefined, facts: FactsBuilder): void {
  if (usage === undefined) return
  const tokens = asRecord(usage.tokens)
  const billed = asRecord(usage.billed_units)
  facts.inputTokens = firstCount(tokens?.input_tokens, billed?.input_tokens)
  facts.outputTokens = firstCount(tokens?.output_tokens, billed?.output_tokens)
  facts.billedInputTokens = asCount(billed?.input_tokens)
  facts.billedOutputTokens = asCount(billed?.output_tokens)
  facts.cachedTokens = firstCount(usage.cached_tokens, facts.cachedTokens)
}

/** The legacy `/v1/generate`. */
const generateShape: Shape = {
  body(value, facts) {
    facts.responseId = firstText(value.id, facts.responseId)
    const first = asRecord(asList(value.generations)[0])
    facts.text.append(firstText(first?.text, value.text) ?? '')
    facts.finishReason = firstText(first?.finish_reason, value.finish_reason)
    readUsage(asRecord(value.meta), facts)
  },
}

const embedShape: Shape = {
  body(value, facts) {
    facts.responseId = firstText(value.id, facts.responseId)
    readUsage(asRecord(value.meta), facts)
  },
}
