/**
 * OpenAI's API by its paths, and the family that speaks it under other hosts and prefixes;
 * many of them serve Anthropic's Messages beside it, told by the path.
 * What a chat or a response holds is in `openai-chat.ts` and `openai-responses.ts`; here are
 * the smaller calls: embeddings, moderations, images, audio, models, files.
 */
import type { Resting } from '../core/resting.js'
import { messagesShape, readMessagesRequest } from './anthropic.js'
import { filesShape } from './batch-results.js'
import { asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { assistantsShape, readAssistantsRequest } from './openai-assistants.js'
import {
  chatShape,
  completionShape,
  readChatRequest,
  readCompletionRequest,
  readUsage,
} from './openai-chat.js'
import {
  readResponsesRequest,
  readResponsesUsage,
  responsesShape,
} from './openai-responses.js'
import type { FactsBuilder } from './facts.js'
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
import { liveApi, modelInQuery, readSessionRequest, sessionShape } from './elsewhere.js'
import { otherShape } from './other.js'
import { withoutQuery } from './paths.js'
import { readResponse } from './reader.js'
import type { Shape } from './reader.js'
import { RequestBuilder, readCommon, readContent, unreadRequest } from './request.js'

export const openai: Provider = openaiLike(
  'openai',
  (host) => host === 'api.openai.com' || host.endsWith('.api.openai.com'),
)

/** A provider that speaks OpenAI's API on hosts of its own, under whatever path prefix. */
export function openaiLike(name: string, owns: (host: string) => boolean): Provider {
  return {
    name,
    recognises: (head) => (owns(head.host) ? (openaiApi(head) ?? 'other') : undefined),
    apiOf: openaiApi,
    ...requestsBy(readOpenaiRequest),
    reader: openaiReader,
  }
}

/** The last segments of the path that name a call, the longer before the shorter. */
const CALLS: readonly (readonly [string, Api])[] = [
  ['/chat/completions', 'chat'],
  // xAI's, where an answer that was deferred is fetched.
  ['/chat/deferred-completion', 'chat'],
  ['/v1/messages/count_tokens', 'count-tokens'],
  ['/v1/messages/batches', 'batches'],
  ['/v1/messages', 'messages'],
  ['/responses/input_tokens', 'count-tokens'],
  ['/responses/compact', 'responses'],
  ['/responses', 'responses'],
  ['/completions', 'completions'],
  ['/embeddings', 'embeddings'],
  ['/moderations', 'moderations'],
  ['/rerank', 'rerank'],
  ['/images', 'images'],
  ['/audio', 'audio'],
  ['/videos', 'video'],
  ['/assistants', 'assistants'],
  ['/threads', 'assistants'],
  ['/models', 'models'],
  ['/files', 'files'],
  ['/uploads', 'files'],
  ['/vector_stores', 'files'],
  ['/batches', 'batches'],
  ['/realtime/client_secrets', 'session'],
  ['/realtime/calls', 'session'],
  ['/realtime/sessions', 'session'],
  ['/realtime/transcription_sessions', 'session'],
  // Azure's, of before it had OpenAI's own paths.
  ['/realtimeapi/sessions', 'session'],
  ['/realtimertc', 'session'],
  ['/realtime', 'realtime'],
]

/** The call that the path names at a segment boundary, wherever its prefix ends. */
export function openaiApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  for (const [call, api] of CALLS) {
    const at = path.indexOf(call)
    if (at < 0) continue
    const after = path[at + call.length]
    if (after !== undefined && after !== '/') continue
    return api === 'realtime' || api === 'session' ? liveApi(head, api) : api
  }
  return undefined
}

/**
 * A request of any API of the family, Anthropic's Messages among them. Azure's older
 * paths name the model; where a live conversation is opened, the query does.
 */
export function* readOpenaiRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const value = asRecord(body)
  if (value === undefined) return unreadRequest(context.api, modelInPath(context))
  if (context.api === 'session') return yield* readSessionRequest(value, context.path)
  const facts = yield* readByApi(value, context.api)
  if (facts.model !== undefined) return facts
  return { ...facts, model: azureDeployment(context.path) }
}

function modelInPath({ api, path }: RequestContext): string | undefined {
  const isLive = api === 'session' || api === 'realtime'
  return isLive ? modelInQuery(path) : azureDeployment(path)
}

function* readByApi(body: Json, api: Api): Resting<RequestFacts> {
  switch (api) {
    case 'chat':
      return yield* readChatRequest(body)
    case 'completions':
      return yield* readCompletionRequest(body)
    case 'responses':
      return yield* readResponsesRequest(body)
    case 'messages':
      return yield* readMessagesRequest(body, api)
    case 'count-tokens':
      return body.messages === undefined
        ? { ...(yield* readResponsesRequest(body)), api }
        : yield* readMessagesRequest(body, api)
    case 'assistants':
      return yield* readAssistantsRequest(body)
    default:
      return yield* readSmallRequest(body, api)
  }
}

/** Azure's older paths: `/openai/deployments/<name>/chat/completions`. */
function azureDeployment(path: string): string | undefined {
  const segments = withoutQuery(path).split('/')
  const at = segments.indexOf('deployments')
  return at < 0 ? undefined : segments[at + 1]
}

function* readSmallRequest(body: Json, api: Api): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  for (const field of [body.input, body.prompt, body.query, body.instructions])
    for (const item of Array.isArray(field) ? (field as unknown[]) : [field]) {
      if (builder.due()) yield
      const text = yield* readContent(item, builder)
      if (text.length > 0) builder.message('user', text)
    }
  return builder.build(api)
}

/** What reads the answers of any API of the family. */
export function openaiReader(context: ResponseContext): ResponseReader {
  return readResponse(openaiShape(context.api), context)
}

/** `otherShape` for an API that has none of its own. */
export function openaiShape(api: Api): Shape {
  switch (api) {
    case 'chat':
      return chatShape
    case 'completions':
      return completionShape
    case 'responses':
      return responsesShape
    case 'messages':
      return messagesShape
    case 'embeddings':
    case 'moderations':
    case 'rerank':
    case 'images':
    case 'audio':
      return smallShape
    case 'assistants':
      return assistantsShape
    case 'files':
      return filesShape
    case 'session':
      return sessionShape
    default:
      return otherShape
  }
}

/** Model and usage; what was made is media or numbers. */
const smallShape: Shape = {
  body: readSmall,
  event(value, facts) {
    readSmall(value, facts)
    const type = asText(value.type) ?? ''
    if (type === 'transcript.text.delta') facts.text.append(asText(value.delta) ?? '')
    if (type.endsWith('.completed') || type.endsWith('.done')) facts.ended = true
  },
}

function readSmall(value: Json, facts: FactsBuilder): void {
  facts.model = firstText(value.model, facts.model)
  facts.responseId = firstText(value.id, facts.responseId)
  const transcript = asText(value.text)
  if (transcript !== undefined) {
    facts.text.clear()
    facts.text.append(transcript)
  }
  readUsage(value, facts)
  readResponsesUsage(value, facts)
}
