/**
 * OpenAI's chat completions and the legacy completions, which most of the industry speaks:
 * platform.openai.com/docs/api-reference/chat and /completions. Usage comes with the body, or
 * with the last chunk when the client asked for it; DeepSeek, Groq, Mistral and others give
 * it unasked, some under names of their own.
 */
import { joinedInSlices } from '../core/long-text.js'
import type { Resting } from '../core/resting.js'
import {
  asCount,
  asFlag,
  asList,
  asRecord,
  asText,
  firstCount,
  firstText,
} from './json.js'
import type { Json } from './json.js'
import { isNoEnd } from './end-of.js'
import type { FactsBuilder } from './facts.js'
import { readError } from './provider-error.js'
import type { RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { tierIn } from './tier.js'
import { RequestBuilder, readCommon, readContent, readTools } from './request.js'

/**
 * Chat of OpenAI and of those who follow it. Arguments of former calls of tools count as
 * text of their message.
 */
export function* readChatRequest(outer: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  // Perplexity's asynchronous calls hold the request of the plain one.
  const body =
    (outer.messages === undefined ? asRecord(outer.request) : undefined) ?? outer
  readCommon(body, builder)
  for (const item of asList(body.messages)) {
    if (builder.due()) yield
    const message = asRecord(item)
    if (message !== undefined) yield* readChatMessage(message, builder)
  }
  // xAI's `deferred` is fetched once it is there; a gateway's async is told by its path.
  builder.stored = asFlag(body.deferred) ?? asFlag(body.store)
  yield* readTools(body.tools ?? body.functions, builder)
  if (asRecord(body.web_search_options) !== undefined) builder.tool('web_search')
  return builder.build('chat')
}

function* readChatMessage(message: Json, builder: RequestBuilder): Resting<void> {
  const { content } = message
  const role = asText(message.role) ?? ''
  const own = typeof content === 'string' ? content : yield* readContent(content, builder)
  const texts = own.length > 0 ? [own] : []
  for (const item of asList(message.tool_calls)) {
    if (builder.due()) yield
    const call = asRecord(item)
    const said = firstText(
      asRecord(call?.function)?.arguments,
      asRecord(call?.custom)?.input,
    )
    if (said !== undefined) texts.push(said)
  }
  // Joined once: each time costs as much as all before it.
  const [first = ''] = texts
  const text = texts.length > 1 ? yield* joinedInSlices(texts, '\n') : first
  if (role === 'tool' || role === 'function')
    builder.toolResult(firstText(message.tool_call_id, message.name), text)
  builder.message(role, text)
}

/**
 * The prompt, or prompts, and a suffix, as messages of the user. Prompts in tokens are
 * left out.
 */
export function* readCompletionRequest(body: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  const prompt = body.prompt ?? body.input
  for (const item of Array.isArray(prompt) ? (prompt as unknown[]) : [prompt]) {
    if (builder.due()) yield
    if (typeof item === 'string') builder.message('user', item)
  }
  if (typeof body.suffix === 'string') builder.message('user', body.suffix)
  return builder.build('completions')
}

export const chatShape: Shape = {
  body(outer, facts) {
    // Who answers later puts the answer into what tells how far it is (Perplexity, z.ai).
    facts.goesOn = isNoEnd(outer.status) || isNoEnd(outer.task_status)
    readHead(outer, facts)
    const value = asRecord(outer.response) ?? outer
    readHead(value, facts)
    for (const item of asList(value.choices)) {
      const choice = asRecord(item)
      if (choice === undefined) continue
      const message = asRecord(choice.message) ?? asRecord(choice.delta)
      readChoice(choice, message, facts)
    }
    readUsage(value, facts)
  },
  event(value, facts) {
    readHead(value, facts)
    for (const item of asList(value.choices)) {
      const choice = asRecord(item)
      if (choice === undefined) continue
      readChoice(choice, asRecord(choice.delta), facts)
    }
    readUsage(value, facts)
  },
}

export const completionShape: Shape = {
  body(value, facts) {
    readHead(value, facts)
    for (const item of asList(value.choices)) {
      const choice = asRecord(item)
      if (choice === undefined) continue
      const first = (asCount(choice.index) ?? 0) === 0
      const text = asText(choice.text) ?? ''
      if (first) facts.text.append(text)
      else facts.beside(text)
      const finish = firstText(choice.finish_reason)
      if (finish !== undefined && first) facts.finishReason = finish
    }
    readUsage(value, facts)
  },
}

/**
 * The first words win nothing: Azure's opening chunk has an empty id and model. What is deferred
 * has the id of its request alone (xAI).
 */
function readHead(value: Json, facts: FactsBuilder): void {
  facts.model = firstText(value.model, facts.model)
  facts.tier = tierIn(value) ?? facts.tier
  facts.responseId = firstText(facts.responseId, value.id, value.request_id)
}

function readChoice(choice: Json, message: Json | undefined, facts: FactsBuilder): void {
  const first = (asCount(choice.index) ?? 0) === 0
  const finish = firstText(choice.finish_reason)
  if (finish !== undefined && first) facts.finishReason = finish
  // Gateways put a failure of the model behind them into the choice.
  if (asRecord(choice.error) !== undefined)
    facts.error = readError(choice, true) ?? facts.error
  if (message === undefined) return
  const text = contentText(message.content, facts)
  if (first) facts.text.append(text)
  else facts.beside(text)
  readUnsaid(message, facts)
  readCalls(message, asCount(choice.index) ?? 0, facts)
  for (const item of asList(message.executed_tools)) {
    const tool = asRecord(item)
    facts.serverTool(firstText(tool?.name, tool?.type) ?? '')
  }
}

/** What the model wrote beside its answer: a count of its tokens includes it. */
function readUnsaid(message: Json, facts: FactsBuilder): void {
  const thought = firstText(message.reasoning_content, message.reasoning) ?? ''
  facts.beside(thought)
  if (thought === '')
    for (const item of asList(message.reasoning_details)) {
      const detail = asRecord(item)
      facts.beside(firstText(detail?.text, detail?.summary))
    }
  facts.beside(asText(message.refusal))
  facts.beside(asText(asRecord(message.audio)?.transcript))
}

/** A text, or Mistral's parts, of which only `text` is the answer. */
function contentText(content: unknown, facts: FactsBuilder): string {
  if (typeof content === 'string') return content
  let joined = ''
  for (const item of asList(content)) {
    const part = asRecord(item)
    if (part === undefined) continue
    const text = asText(part.text)
    if (text !== undefined) joined += text
    else for (const thought of asList(part.thinking)) countThought(thought, facts)
  }
  return joined
}

function countThought(thought: unknown, facts: FactsBuilder): void {
  facts.beside(asText(asRecord(thought)?.text))
}

function readCalls(message: Json, choice: number, facts: FactsBuilder): void {
  const calls = asList(message.tool_calls)
  for (let i = 0; i < calls.length; i++) {
    const call = asRecord(calls[i])
    if (call === undefined) continue
    const inner = asRecord(call.function) ?? asRecord(call.custom)
    facts.toolCallAt(`${choice}.${callKey(call, i)}`, {
      name: asText(inner?.name),
      id: asText(call.id),
      argumentsText: argumentsText(inner?.arguments ?? inner?.input),
    })
  }
  const legacy = asRecord(message.function_call)
  // Some servers put an empty one into every answer.
  if (firstText(legacy?.name, legacy?.arguments) !== undefined && legacy !== undefined)
    facts.toolCall(`${choice}.function`, {
      name: asText(legacy.name),
      argumentsText: argumentsText(legacy.arguments),
    })
}

/** Chunks of one call share an index; where a provider leaves it out, the place does. */
function callKey(call: Json, place: number): number {
  return asCount(call.index) ?? place
}

/** A text; some providers put the object itself. */
function argumentsText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return asRecord(value) === undefined ? undefined : JSON.stringify(value)
}

/**
 * Cached and cache-written tokens lie inside `prompt_tokens`, reasoning inside the output.
 * Groq and Moonshot have other places for it in a stream.
 */
export function readUsage(value: Json, facts: FactsBuilder): void {
  const usage =
    asRecord(value.usage) ??
    asRecord(asRecord(value.x_groq)?.usage) ??
    asRecord(asRecord(asList(value.choices)[0])?.usage)
  if (usage === undefined) {
    readTimings(asRecord(value.timings), facts)
    return
  }
  if (usage.prompt_tokens !== undefined) facts.cacheBeside = false
  facts.inputTokens = firstCount(usage.prompt_tokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.completion_tokens, facts.outputTokens)
  const input = asRecord(usage.prompt_tokens_details)
  facts.cachedTokens = firstCount(
    input?.cached_tokens,
    usage.prompt_cache_hit_tokens,
    usage.cached_tokens,
    usage.num_cached_tokens,
    facts.cachedTokens,
  )
  facts.cacheWriteTokens = firstCount(input?.cache_write_tokens, facts.cacheWriteTokens)
  const output = asRecord(usage.completion_tokens_details)
  facts.reasoningTokens = firstCount(
    output?.reasoning_tokens,
    usage.reasoning_tokens,
    facts.reasoningTokens,
  )
  facts.reasoningBeside = countsReasoningBeside(usage, facts)
  facts.costMicroUsd = namedCost(usage) ?? facts.costMicroUsd
}

/** Is the reasoning not in the output? xAI's is not; the total alone tells. */
export function countsReasoningBeside(usage: Json, facts: FactsBuilder): boolean {
  const { inputTokens, outputTokens, reasoningTokens } = facts
  if (inputTokens === undefined || outputTokens === undefined) return false
  if (reasoningTokens === undefined || reasoningTokens === 0) return false
  return usage.total_tokens === inputTokens + outputTokens + reasoningTokens
}

/** llama.cpp's server times each answer, and counts in doing so; `cache_n` were kept. */
function readTimings(timings: Json | undefined, facts: FactsBuilder): void {
  const read = asCount(timings?.prompt_n)
  const cached = asCount(timings?.cache_n)
  if (read !== undefined) facts.inputTokens ??= read + (cached ?? 0)
  facts.cachedTokens ??= cached
  facts.outputTokens ??= asCount(timings?.predicted_n)
}

/**
 * Micro-dollars that the answer itself names, or undefined. xAI counts in ticks of 10^-10
 * dollars; OpenRouter and Perplexity say dollars; a million of them or more is no cost.
 */
export function namedCost(usage: Json): number | undefined {
  const ticks = asCount(usage.cost_in_usd_ticks)
  if (ticks !== undefined) return Math.round(ticks / 10_000)
  const dollars = asRecord(usage.cost)?.total_cost ?? usage.cost
  return typeof dollars === 'number' && dollars >= 0 && dollars < 1e6
    ? Math.round(dollars * 1e6)
    : undefined
}
