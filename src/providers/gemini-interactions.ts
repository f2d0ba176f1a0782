/**
 * Gemini's Interactions: ai.google.dev/gemini-api/docs/interactions. A stream of steps, each
 * opened, filled by deltas and closed; the closing event holds status and usage, not the text.
 */
import type { Resting } from '../core/resting.js'
import { noteStatus } from './end-of.js'
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
import type { FactsBuilder } from './facts.js'
import type { RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { tierIn } from './tier.js'
import { RequestBuilder, readCommon, readContent, readTools } from './request.js'

/**
 * `input` is a text, one turn or part, or a list of them; an `agent` stands for the model
 * where none is named.
 */
export function* readInteractionRequest(body: Json): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  readCommon(body, builder)
  builder.model ??= asText(body.agent)
  builder.stored = asFlag(body.store)
  builder.previousResponseId = asText(body.previous_interaction_id)
  if (typeof body.system_instruction === 'string') builder.system(body.system_instruction)
  for (const item of Array.isArray(body.input)
    ? (body.input as unknown[])
    : [body.input]) {
    if (builder.due()) yield
    const turn = asRecord(item)
    const role = asText(turn?.role) ?? 'user'
    const content = turn?.content ?? turn?.parts ?? item
    if (content !== undefined)
      builder.message(
        role === 'model' ? 'assistant' : role,
        yield* readContent(content, builder),
      )
  }
  yield* readTools(body.tools, builder)
  return builder.build('interactions')
}

export const interactionsShape: Shape = {
  body: readInteraction,
  event(value, facts) {
    switch (asText(value.event_type)) {
      case 'interaction.created':
      case 'interaction.start':
        readInteraction(asRecord(value.interaction) ?? {}, facts)
        facts.finishReason = undefined
        return
      case 'step.start':
      case 'content.start':
        readStep(asRecord(value.step) ?? asRecord(value.content), value, facts)
        return
      case 'step.delta':
      case 'content.delta':
        readDelta(asRecord(value.delta), value, facts)
        return
      case 'interaction.completed':
      case 'interaction.complete':
        facts.ended = true
        readInteraction(asRecord(value.interaction) ?? {}, facts)
        return
      default:
        return
    }
  },
}

function readInteraction(interaction: Json, facts: FactsBuilder): void {
  facts.model = firstText(interaction.model, facts.model)
  facts.responseId = firstText(interaction.id, facts.responseId)
  facts.tier = tierIn(interaction) ?? tierIn(asRecord(interaction.usage)) ?? facts.tier
  noteStatus(interaction.status, facts)
  for (const step of asList(interaction.steps ?? interaction.outputs))
    readStep(asRecord(step), {}, facts)
  const usage = asRecord(interaction.usage)
  if (usage === undefined) return
  facts.reasoningBeside = true
  facts.inputTokens = firstCount(usage.total_input_tokens, facts.inputTokens)
  facts.outputTokens = firstCount(usage.total_output_tokens, facts.outputTokens)
  facts.cachedTokens = firstCount(usage.total_cached_tokens, facts.cachedTokens)
  facts.reasoningTokens = firstCount(usage.total_thought_tokens, facts.reasoningTokens)
}

function readStep(step: Json | undefined, event: Json, facts: FactsBuilder): void {
  switch (step?.type) {
    case 'text':
      facts.text.append(asText(step.text) ?? '')
      return
    case 'model_output':
      for (const part of asList(step.content)) readStep(asRecord(part), event, facts)
      return
    case 'function_call':
      facts.toolCall(asCount(event.index) ?? facts.toolCallCount, {
        name: asText(step.name),
        id: asText(step.id),
        argumentsText: objectText(step.arguments),
      })
      return
    default:
      if (typeof step?.type === 'string' && step.type.endsWith('_call'))
        facts.serverTool(step.type.slice(0, -'_call'.length))
  }
}

/** An opening step has no arguments yet, or an empty object in their place. */
function objectText(value: unknown): string | undefined {
  const object = asRecord(value)
  if (object === undefined) return asText(value)
  return Object.keys(object).length === 0 ? undefined : JSON.stringify(object)
}

function readDelta(delta: Json | undefined, event: Json, facts: FactsBuilder): void {
  switch (delta?.type) {
    case 'text':
      facts.text.append(asText(delta.text) ?? '')
      return
    case 'function_call':
      facts.toolCall(asCount(event.index) ?? 0, {
        name: asText(delta.name),
        id: asText(delta.id),
        argumentsText: objectText(delta.arguments),
      })
      return
    case 'arguments_delta':
      facts.toolCallMore(
        asCount(event.index) ?? 0,
        firstText(delta.arguments, delta.partial_arguments) ?? '',
      )
      return
    default:
      facts.beside(asText(delta?.text))
  }
}
