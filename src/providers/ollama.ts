/**
 * Ollama: github.com/ollama/ollama, docs/api.md. Its own calls stream JSON lines unless told
 * not to; under `/v1` it speaks OpenAI's API.
 */
import type { Resting } from '../core/resting.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { openaiApi, openaiShape, readOpenaiRequest } from './openai.js'
import { otherShape } from './other.js'
import { withoutQuery } from './paths.js'
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
  base64Bytes,
  readCommon,
  readTools,
  unreadRequest,
} from './request.js'

export const ollama: Provider = {
  name: 'ollama',
  recognises: (head) =>
    head.host === 'ollama.com' || head.host === 'api.ollama.com'
      ? (ollamaApi(head) ?? openaiApi(head) ?? 'other')
      : undefined,
  apiOf: (head) => ollamaApi(head) ?? openaiApi(head),
  ...requestsBy(readOllamaRequest),
  reader: (context) => readResponse(shapeFor(context.api, context.path), context),
}

/** Only Ollama's own paths, so that a server in the house is told by them. */
export function ollamaApi(head: ExchangeHead): Api | undefined {
  switch (withoutQuery(head.path)) {
    case '/api/chat':
      return 'chat'
    case '/api/generate':
      return 'completions'
    case '/api/embed':
    case '/api/embeddings':
      return 'embeddings'
    case '/api/tags':
    case '/api/show':
    case '/api/ps':
    case '/api/pull':
      return 'models'
    default:
      return undefined
  }
}

function ownPath(path: string): boolean {
  return withoutQuery(path).startsWith('/api/')
}

function shapeFor(api: Api, path: string): Shape {
  if (!ownPath(path)) return openaiShape(api)
  return api === 'chat' || api === 'completions' || api === 'embeddings'
    ? ollamaShape
    : otherShape
}

function* readOllamaRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const { api, path } = context
  const value = asRecord(body)
  if (value === undefined) return unreadRequest(api)
  if (!ownPath(path)) return yield* readOpenaiRequest(value, context)
  const builder = new RequestBuilder()
  readCommon(value, builder)
  builder.model ??= asText(value.name)
  if (api === 'chat' || api === 'completions') builder.stream = value.stream !== false
  builder.maxTokens ??= asCount(asRecord(value.options)?.num_predict)
  builder.system(asText(value.system) ?? '')
  for (const text of [value.prompt, value.suffix, value.input])
    if (typeof text === 'string') builder.message('user', text)
  for (const text of asList(value.input)) {
    if (builder.due()) yield
    if (typeof text === 'string') builder.message('user', text)
  }
  readImages(value.images, builder)
  for (const item of asList(value.messages)) {
    if (builder.due()) yield
    readMessage(asRecord(item), builder)
  }
  yield* readTools(value.tools, builder)
  return builder.build(api)
}

function readMessage(message: Json | undefined, builder: RequestBuilder): void {
  if (message === undefined) return
  const role = asText(message.role) ?? ''
  const text = asText(message.content) ?? ''
  readImages(message.images, builder)
  if (role === 'tool')
    builder.toolResult(firstText(message.tool_call_id, message.tool_name), text)
  builder.message(role, text)
}

function readImages(images: unknown, builder: RequestBuilder): void {
  for (const image of asList(images))
    if (typeof image === 'string')
      builder.attachment({ kind: 'image', bytes: base64Bytes(image) })
}

const ollamaShape: Shape = {
  body(value, facts) {
    facts.model = firstText(value.model, facts.model)
    const message = asRecord(value.message)
    facts.text.append(asText(message?.content) ?? asText(value.response) ?? '')
    const thought = firstText(message?.thinking, value.thinking)
    facts.beside(thought)
    for (const item of asList(message?.tool_calls)) readCall(asRecord(item), facts)
    facts.finishReason = firstText(value.done_reason, facts.finishReason)
    facts.inputTokens = firstCount(value.prompt_eval_count, facts.inputTokens)
    facts.outputTokens = firstCount(value.eval_count, facts.outputTokens)
    if (value.done === true) facts.ended = true
  },
}

/** Calls come whole, their arguments as an object. */
function readCall(call: Json | undefined, facts: FactsBuilder): void {
  const inner = asRecord(call?.function)
  facts.toolCall(facts.toolCallCount, {
    name: asText(inner?.name),
    id: asText(call?.id),
    argumentsText:
      inner?.arguments === undefined ? undefined : JSON.stringify(inner.arguments),
  })
}
