/**
 * OpenAI's Responses: platform.openai.com/docs/api-reference/responses and
 * /responses-streaming. The closing event holds the whole response again, so that everything
 * before it is a draft that counts only when the stream breaks off.
 */
import type { Resting } from '../core/resting.js'
import { noteStatus } from './end-of.js'
import { asFlag, asList, asRecord, asText, firstCount, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { countsReasoningBeside, namedCost } from './openai-chat.js'
import { readError } from './provider-error.js'
import type { RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { tierIn } from './tier.js'
import { RequestBuilder, readCommon, readContent, readTools } from './request.js'

/**
 * Instructions, the variables of a stored prompt, and the input: outputs of tools count
 * as messages of the role `tool`, calls of former answers as the assistant's.
 */
export function* readResponsesRequest(body: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  builder.stored = asFlag(body.store)
  builder.previousResponseId = asText(body.previous_response_id)
  const conversation = body.conversation
  builder.conversationId = asText(conversation) ?? asText(asRecord(conversation)?.id)
  if (typeof body.instructions === 'string') builder.system(body.instructions)
  const variables = asRecord(asRecord(body.prompt)?.variables)
  if (variables !== undefined) yield* readVariables(variables, builder)
  if (typeof body.input === 'string') builder.message('user', body.input)
  for (const item of asList(body.input)) {
    if (builder.due()) yield
    const input = asRecord(item)
    if (input !== undefined) yield* readInputItem(input, builder)
  }
  yield* readTools(body.tools, builder)
  return builder.build('responses')
}

/** What goes into a prompt that the provider keeps: texts, images and files. */
function* readVariables(variables: Json, builder: RequestBuilder): Resting<void> {
  for (const value of Object.values(variables)) {
    if (builder.due()) yield
    const text = yield* readContent(value, builder)
    if (text.length > 0) builder.message('user', text)
  }
}

function* readInputItem(item: Json, builder: RequestBuilder): Resting<void> {
  const type = asText(item.type)
  if (type === undefined || type === 'message') {
    const text = yield* readContent(item.content, builder)
    builder.message(asText(item.role) ?? 'user', text)
  } else if (type.endsWith('_output')) {
    const output = yield* readContent(item.output, builder)
    builder.toolResult(asText(item.call_id), output)
    builder.message('tool', output)
  } else if (type.endsWith('_call')) {
    const said = firstText(item.arguments, item.input, item.query) ?? ''
    builder.message('assistant', said)
  } else if (type.startsWith('input_')) {
    builder.message('user', yield* readContent([item], builder))
  }
}

/** Draft pieces, steps and repetitions that the events that are read say as well. */
const IGNORED: ReadonlySet<string> = new Set([
  'response.in_progress',
  'response.queued',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.done',
  'response.output_text.annotation.added',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.done',
  'response.refusal.done',
  'response.audio.delta',
  'response.image_generation_call.partial_image',
])

export const responsesShape: Shape = {
  ignores: (name) => IGNORED.has(name),
  body: readResponse,
  event(value, facts) {
    const type = asText(value.type) ?? ''
    switch (type) {
      case 'response.created':
        readIdentity(asRecord(value.response) ?? {}, facts)
        return
      case 'response.output_text.delta':
        facts.text.append(asText(value.delta) ?? '')
        return
      case 'response.refusal.delta':
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        facts.beside(asText(value.delta))
        return
      case 'response.output_item.added':
        readOpenedCall(value.item, indexOf(value), facts)
        return
      case 'response.output_item.done':
        readDoneItem(value.item, indexOf(value), facts)
        return
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        facts.toolCall(indexOf(value), { argumentsText: asText(value.delta) })
        return
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        readClosing(asRecord(value.response) ?? {}, facts)
        return
      case 'error':
        facts.error = readError(value, true)
        return
      default:
        return
    }
  },
}

/** An opening item is not filled yet: only the client's own calls have a name by then. */
function readOpenedCall(item: unknown, key: string, facts: FactsBuilder): void {
  if (isClientCall(asRecord(item))) readCallItem(item, key, facts)
}

/** The text of a reasoning item has come in pieces. */
function readDoneItem(item: unknown, key: string, facts: FactsBuilder): void {
  if (asRecord(item)?.type !== 'reasoning') readCallItem(item, key, facts)
}

function isClientCall(item: Json | undefined): boolean {
  return item?.type === 'function_call' || item?.type === 'custom_tool_call'
}

function indexOf(value: Json): string {
  return `item.${firstCount(value.output_index) ?? 0}`
}

function readClosing(response: Json, facts: FactsBuilder): void {
  facts.ended = true
  // Some providers close with an empty output: then the draft is all there is.
  if (asList(response.output).length > 0) facts.restart()
  readResponse(response, facts)
}

function readIdentity(response: Json, facts: FactsBuilder): void {
  facts.model = firstText(response.model, facts.model)
  facts.tier = tierIn(response) ?? facts.tier
  facts.responseId = firstText(response.id, facts.responseId)
}

function readResponse(response: Json, facts: FactsBuilder): void {
  readIdentity(response, facts)
  const output = asList(response.output)
  for (let i = 0; i < output.length; i++) {
    const item = asRecord(output[i])
    if (item?.type === 'message') {
      for (const part of asList(item.content)) readOutputPart(asRecord(part), facts)
    } else readCallItem(item, `item.${i}`, facts)
  }
  noteStatus(response.status, facts)
  const error = asRecord(response.error)
  if (error !== undefined) facts.error = readError({ error }, true)
  readResponsesUsage(response, facts)
}

function readOutputPart(part: Json | undefined, facts: FactsBuilder): void {
  if (part?.type === 'output_text') facts.text.append(asText(part.text) ?? '')
  else facts.beside(asText(part?.refusal))
}

/** Function and custom calls are the client's to run; the other kinds the provider runs. */
function readCallItem(value: unknown, key: string, facts: FactsBuilder): void {
  const item = asRecord(value)
  const type = asText(item?.type)
  if (item === undefined || type === undefined) return
  if (isClientCall(item)) {
    const said = asText(item.arguments) ?? asText(item.input)
    facts.toolCall(key, {
      name: asText(item.name),
      id: firstText(item.call_id, item.id),
      argumentsText: said,
      replace: said !== undefined && said.length > 0,
    })
  } else if (type === 'reasoning') {
    for (const part of [...asList(item.summary), ...asList(item.content)]) {
      facts.nextBeside()
      facts.beside(asText(asRecord(part)?.text))
    }
  } else if (type.endsWith('_call')) {
    facts.serverTool(firstText(item.name) ?? type.slice(0, -'_call'.length))
  }
}

/** Cached and cache-written tokens lie inside `input_tokens`, reasoning inside the output. */
export function readResponsesUsage(value: Json, facts: FactsBuilder): void {
  const usage = asRecord(value.usage)
  if (usage === undefined) return
  if (usage.input_tokens !== undefined) facts.cacheBeside = false
  facts.inputTokens = firstCount(usage.input_tokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.output_tokens, facts.outputTokens)
  const input =
    asRecord(usage.input_tokens_details) ?? asRecord(usage.input_token_details)
  facts.cachedTokens = firstCount(input?.cached_tokens, facts.cachedTokens)
  facts.cacheWriteTokens = firstCount(input?.cache_write_tokens, facts.cacheWriteTokens)
  const output =
    asRecord(usage.output_tokens_details) ?? asRecord(usage.output_token_details)
  facts.reasoningTokens = firstCount(output?.reasoning_tokens, facts.reasoningTokens)
  if (usage.input_tokens !== undefined)
    facts.reasoningBeside = countsReasoningBeside(usage, facts)
  facts.costMicroUsd = namedCost(usage) ?? facts.costMicroUsd
}
