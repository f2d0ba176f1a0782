/**
 * Google's Gemini API and the same calls on Vertex AI: ai.google.dev/api/generate-content,
 * cloud.google.com/vertex-ai/docs/reference. A stream is server-sent events with `alt=sse`
 * and one JSON array without. Thoughts are counted beside the candidates' tokens, cached
 * tokens inside the prompt's. Vertex also serves other vendors' models in their own shapes.
 */
import type { Resting } from '../core/resting.js'
import { anthropicShape, readMessagesRequest } from './anthropic.js'
import { asCount, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import { FactsBuilder } from './facts.js'
import { interactionsShape, readInteractionRequest } from './gemini-interactions.js'
import { openaiApi, openaiShape, readOpenaiRequest } from './openai.js'
import { liveApi, readSessionRequest, sessionShape } from './elsewhere.js'
import { readContents, readDeclaredTools, readParts } from './gemini-parts.js'
import { otherShape } from './other.js'
import { enumName, GEMINI_ENUMS, VERTEX_ENUMS } from './gemini-enums.js'
import type { EnumNames } from './gemini-enums.js'
import { tierIn, tierNamed } from './tier.js'
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
import { RequestBuilder, unreadRequest } from './request.js'

export const gemini: Provider = {
  name: 'gemini',
  recognises: (head) =>
    head.host === 'generativelanguage.googleapis.com' || head.host === 'gemini.google.com'
      ? (geminiApi(head) ?? 'other')
      : undefined,
  apiOf: geminiApi,
  ...requestsBy(readGeminiRequest),
  reader: (context) => readResponse(shapeFor(context.api, context.path), context),
}

export const vertex: Provider = {
  name: 'vertex',
  recognises: (head) =>
    head.host === 'aiplatform.googleapis.com' ||
    head.host.endsWith('-aiplatform.googleapis.com')
      ? (geminiApi(head) ?? 'other')
      : undefined,
  apiOf: geminiApi,
  ...requestsBy(readGeminiRequest),
  reader: (context) => readResponse(shapeFor(context.api, context.path), context),
}

const METHODS: ReadonlyMap<string, Api> = new Map([
  ['generateContent', 'generate'],
  ['streamGenerateContent', 'generate'],
  ['generateText', 'generate'],
  ['rawPredict', 'messages'],
  ['streamRawPredict', 'messages'],
  ['countTokens', 'count-tokens'],
  ['embedContent', 'embeddings'],
  ['batchEmbedContents', 'embeddings'],
  ['batchGenerateContent', 'batches'],
  ['asyncBatchEmbedContent', 'batches'],
  ['predictLongRunning', 'video'],
])

/** `/v1beta/models/<model>:<method>`, OpenAI's paths under `/openai`, and the rest. */
export function geminiApi(head: ExchangeHead): Api | undefined {
  const path = withoutQuery(head.path)
  const named = path.slice(path.lastIndexOf(':') + 1)
  const method = named === 'predict' ? predicted(path) : METHODS.get(named)
  if (path.includes('/count-tokens:')) return 'count-tokens'
  if (method === 'messages' && !path.includes('/publishers/anthropic/')) return 'chat'
  // Code Assist, which Google's own tools speak, names the model in the body.
  if (method !== undefined && path.includes('/v1internal:')) return method
  if (method !== undefined && path.includes('/models/')) return method
  if (path.includes('/openai/') || path.includes('/endpoints/openapi/'))
    return openaiApi(head)
  if (path.includes('BidiGenerateContent')) return 'realtime'
  if (path.endsWith('/auth_tokens')) return liveApi(head, 'session')
  if (path.endsWith('/interactions') || path.includes('/interactions/'))
    return 'interactions'
  if (path.endsWith('/models') || path.includes('/models/')) return 'models'
  if (/\/(?:files|fileSearchStores|cachedContents)(?:[/:]|$)/.test(path)) return 'files'
  return undefined
}

/** Vertex's older call for what is no chat; its model tells which. */
function predicted(path: string): Api {
  const model = modelInPath(path) ?? ''
  if (model.includes('embedding')) return 'embeddings'
  return model.startsWith('imagen') || model.startsWith('imagegeneration')
    ? 'images'
    : 'other'
}

/** `models/gemini-2.5-pro:generateContent` -> `gemini-2.5-pro`; undefined without a model. */
export function modelInPath(path: string): string | undefined {
  const bare = withoutQuery(path)
  const at = bare.lastIndexOf('/models/')
  if (at < 0) return undefined
  const start = at + '/models/'.length
  const colon = bare.indexOf(':', start)
  const model = colon < 0 ? bare.slice(start) : bare.slice(start, colon)
  return model.length > 0 && !model.includes('/') ? model : undefined
}

function shapeFor(api: Api, path: string): Shape {
  if (api === 'generate' || api === 'embeddings') {
    if (!speaksOpenai(path))
      return api === 'generate' ? generateShapeOf(path) : embedShape
    return openaiShape(api)
  }
  if (api === 'images' && !speaksOpenai(path)) return embedShape
  if (api === 'messages') return anthropicShape(api)
  if (api === 'interactions') return interactionsShape
  if (api === 'session') return sessionShape
  if (api === 'chat') return withThoughts(openaiShape(api))
  if (speaksOpenai(path)) return openaiShape(api)
  return api === 'files' ? filesShape : operationShape
}

function generateShapeOf(path: string): Shape {
  return path.includes('/publishers/') || path.includes('/endpoints/')
    ? vertexShape
    : generateShape
}

function speaksOpenai(path: string): boolean {
  return path.includes('/openai/') || path.includes('/endpoints/openapi/')
}

function* readGeminiRequest(
  body: unknown,
  context: RequestContext,
): Resting<RequestFacts> {
  const { api, path } = context
  const value = asRecord(body)
  const streamed = withoutQuery(path).includes(':stream')
  if (value === undefined)
    return { ...unreadRequest(api, modelInPath(path)), stream: streamed }
  if (api === 'interactions') return yield* readInteractionRequest(value)
  if (api === 'session') return yield* readSessionRequest(value, path)
  if (api === 'messages') {
    const facts = yield* readMessagesRequest(value, api)
    const model = facts.model ?? modelInPath(path)
    return { ...facts, model, stream: facts.stream ?? streamed }
  }
  if (api === 'chat' || speaksOpenai(path))
    return yield* readOpenaiRequest(value, context)
  return yield* readGenerateRequest(value, api, path)
}

function* readGenerateRequest(
  outer: Json,
  api: Api,
  path: string,
): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  builder.model = modelInPath(path) ?? plainModel(outer.model)
  const body = asRecord(outer.request) ?? outer
  if (api === 'generate') builder.stream = withoutQuery(path).includes(':stream')
  builder.tier = tierIn(body) ?? tierIn(outer)
  const config = asRecord(body.generationConfig ?? body.generation_config)
  builder.maxTokens = asCount(config?.maxOutputTokens ?? config?.max_output_tokens)
  builder.choices = asCount(config?.candidateCount ?? config?.candidate_count)
  const cached = asText(body.cachedContent ?? body.cached_content)
  if (cached !== undefined) builder.conversationId = cached
  const system = body.systemInstruction ?? body.system_instruction
  builder.system(
    typeof system === 'string'
      ? system
      : yield* readParts(asRecord(system)?.parts, builder),
  )
  yield* readContents(body.contents, builder)
  yield* readContents(asRecord(body.generateContentRequest)?.contents, builder)
  if (body.content !== undefined) yield* readContents([body.content], builder)
  for (const request of asList(body.requests))
    yield* readContents([asRecord(request)?.content], builder)
  const batch = asRecord(body.batch)
  const inputs = asRecord(batch?.inputConfig ?? batch?.input_config)
  for (const item of asList(asRecord(inputs?.requests)?.requests))
    yield* readContents(asRecord(asRecord(item)?.request)?.contents, builder)
  for (const item of asList(body.instances)) {
    if (builder.due()) yield
    const instance = asRecord(item)
    builder.message('user', firstText(instance?.prompt, instance?.content) ?? '')
  }
  yield* readDeclaredTools(body.tools, builder)
  return builder.build(api)
}

/** `models/NAME`, also behind a project of Vertex: NAME. */
export function plainModel(model: unknown): string | undefined {
  const name = asText(model)
  const at = name?.lastIndexOf('models/') ?? -1
  // Of Vertex, behind whose project and place it stands.
  return at === 0 || name?.[at - 1] === '/' ? name?.slice(at + 'models/'.length) : name
}

/** `names`: of the enums that come as numbers, for those who ask for them so. */
function generateShapeWith(names: EnumNames): Shape {
  return {
    body(outer, facts) {
      const value = asRecord(outer.response) ?? outer
      facts.model = firstText(value.modelVersion, facts.model)
      facts.responseId = firstText(value.responseId, facts.responseId)
      for (const item of asList(value.candidates))
        readCandidate(asRecord(item), facts, names)
      const { blockReason } = asRecord(value.promptFeedback) ?? {}
      facts.refused ??= enumName(blockReason, names.blockReason)
      readUsageMetadata(asRecord(value.usageMetadata), facts)
    },
  }
}

export const generateShape = generateShapeWith(GEMINI_ENUMS)
const vertexShape = generateShapeWith(VERTEX_ENUMS)

function readCandidate(
  candidate: Json | undefined,
  facts: FactsBuilder,
  names: EnumNames,
): void {
  if (candidate === undefined) return
  const first = (asCount(candidate.index) ?? 0) === 0
  const finish = enumName(candidate.finishReason, names.finishReason)
  if (finish !== undefined && first) facts.finishReason = finish
  for (const item of asList(asRecord(candidate.content)?.parts)) {
    const part = asRecord(item)
    if (part !== undefined) readAnswerPart(part, first, facts)
  }
}

function readAnswerPart(part: Json, first: boolean, facts: FactsBuilder): void {
  const text = asText(part.text)
  if (text !== undefined) {
    if (first && part.thought !== true) facts.text.append(text)
    else facts.beside(text)
  }
  const call = asRecord(part.functionCall)
  if (call !== undefined) readFunctionCall(call, facts)
  if (part.executableCode !== undefined) facts.serverTool('code_execution')
  const ran = asRecord(part.toolCall)
  if (ran !== undefined) facts.serverTool(firstText(ran.toolType, ran.name) ?? '')
}

/** A call whole, or opened by its name, filled by `partialArgs` and closed by an empty one. */
export function readFunctionCall(call: Json, facts: FactsBuilder): void {
  const name = asText(call.name)
  if (name !== undefined) {
    facts.toolCall(facts.toolCallCount, {
      name,
      id: asText(call.id),
      argumentsText: call.args === undefined ? undefined : JSON.stringify(call.args),
    })
  } else if (call.partialArgs !== undefined) {
    // Values by JSON path: kept as they come, one array a piece.
    facts.toolCallMore(facts.toolCallCount - 1, JSON.stringify(call.partialArgs))
  }
}

/**
 * `usageMetadata` of an answer: thoughts are counted beside the output, cached tokens
 * inside of the input, and what the provider's own tools put in beside it. Later counts
 * replace former ones. ai.google.dev/api/generate-content#UsageMetadata.
 */
export function readUsageMetadata(usage: Json | undefined, facts: FactsBuilder): void {
  if (usage === undefined) return
  facts.tier = tierIn(usage) ?? tierNamed(usage.trafficType) ?? facts.tier
  facts.reasoningBeside = true
  facts.inputTokens = firstCount(usage.promptTokenCount, facts.inputTokens)
  facts.outputTokens = firstCount(
    usage.candidatesTokenCount,
    usage.responseTokenCount,
    facts.outputTokens,
  )
  facts.cachedTokens = firstCount(usage.cachedContentTokenCount, facts.cachedTokens)
  facts.reasoningTokens = firstCount(usage.thoughtsTokenCount, facts.reasoningTokens)
  // What tools of Google's own brought in is paid for as input, and counted beside it.
  facts.extraInputTokens = firstCount(
    usage.toolUsePromptTokenCount,
    facts.extraInputTokens,
  )
}

/**
 * Google's answers in OpenAI's shape: what was thought is in neither count, and in the total
 * alone.
 */
function withThoughts(shape: Shape): Shape {
  const readThoughts = (value: Json, facts: FactsBuilder): void => {
    const usage = asRecord(value.usage)
    const total = asCount(usage?.total_tokens)
    const told = asRecord(usage?.completion_tokens_details)?.reasoning_tokens
    const { inputTokens = 0, outputTokens = 0 } = facts
    if (total === undefined || told !== undefined) return
    const thought = total - inputTokens - outputTokens
    if (thought <= 0) return
    facts.reasoningTokens = thought
    facts.reasoningBeside = true
  }
  return {
    ...shape,
    body(value, facts) {
      shape.body(value, facts)
      readThoughts(value, facts)
    },
    ...(shape.event === undefined
      ? {}
      : {
          event(value: Json, facts: FactsBuilder, name: string) {
            shape.event?.(value, facts, name)
            readThoughts(value, facts)
          },
        }),
  }
}

/**
 * Work that goes on after its request was answered (google.longrunning.Operation): a batch that
 * was asked for inline holds its answers, each with its usage.
 */
const operationShape: Shape = {
  body(value, facts) {
    otherShape.body(value, facts)
    if (value.metadata === undefined && value.done === undefined) return
    facts.responseId = firstText(value.name, facts.responseId)
    facts.goesOn = value.done !== true
    facts.tier = 'batch'
    facts.model = plainModel(asRecord(value.metadata)?.model) ?? facts.model
    const response = asRecord(value.response)
    facts.resultsFile = firstText(response?.responsesFile, facts.resultsFile)
    const inlined = response?.inlinedResponses
    for (const item of asList(asRecord(inlined)?.inlinedResponses ?? inlined)) {
      const answer = asRecord(asRecord(item)?.response)
      if (answer === undefined) continue
      const one = new FactsBuilder(facts.limits)
      generateShape.body(answer, one)
      facts.addAnswer(one)
    }
  },
}

/** A file: what it is, or the results of a batch that it holds, a line each. */
const filesShape: Shape = {
  body(value, facts) {
    const answer = asRecord(value.response)
    if (answer?.usageMetadata === undefined) {
      operationShape.body(value, facts)
      return
    }
    const one = new FactsBuilder(facts.limits)
    generateShape.body(answer, one)
    facts.addAnswer(one)
  },
}

const embedShape: Shape = {
  body(value, facts) {
    readUsageMetadata(asRecord(value.usageMetadata), facts)
    // Vertex counts each text where its vector stands.
    for (const item of asList(value.predictions)) {
      const statistics = asRecord(asRecord(asRecord(item)?.embeddings)?.statistics)
      const count = asCount(statistics?.token_count)
      if (count !== undefined) facts.inputTokens = (facts.inputTokens ?? 0) + count
    }
  },
}
