/** Puts what the readers found into an exchange's record, field by field. */
import type { ExchangeRecord } from '../core/record.js'
import { cutAt } from './bounded-text.js'
import type { Catalogue } from './catalogue.js'
import type { RequestFacts, ResponseFacts } from './provider.js'

/** `previewChars` of the user's newest text are kept. */
export function recordRequest(
  record: ExchangeRecord,
  facts: RequestFacts,
  previewChars: number,
): void {
  if (facts.model !== undefined) record.model = facts.model
  if (facts.stream !== undefined) record.stream = facts.stream
  const preview = cutAt(facts.lastUserText, previewChars)
  if (preview !== '') record.promptPreview = preview
}

/**
 * The model that was asked for stays; a price under the name of the one that answered counts
 * first, since it is the one that is paid.
 */
export function recordResponse(
  record: ExchangeRecord,
  facts: ResponseFacts,
  catalogue: Catalogue | undefined,
): void {
  const { usage } = facts
  if (facts.model !== undefined) record.model ??= facts.model
  if (facts.streamed) record.stream = true
  if (usage.inputTokens !== undefined) record.inputTokens = usage.inputTokens
  if (usage.outputTokens !== undefined) record.outputTokens = usage.outputTokens
  if (usage.cachedTokens !== undefined) record.cachedTokens = usage.cachedTokens
  if (usage.reasoningTokens !== undefined) record.reasoningTokens = usage.reasoningTokens
  if (usage.inputTokens !== undefined || usage.outputTokens !== undefined)
    record.tokensEstimated = usage.estimated
  const provider = record.provider ?? ''
  const cost =
    catalogue?.costOf(provider, facts.model, usage) ??
    catalogue?.costOf(provider, record.model, usage)
  if (cost !== undefined) record.costMicroUsd = cost
  if (facts.finishReason !== undefined) record.finishReason = facts.finishReason
  if (facts.toolCalls.length > 0)
    record.toolCalls = facts.toolCalls.map((call) => call.name)
  if (facts.error !== undefined) record.reason ??= facts.error.message
  if (!facts.complete) record.truncated = true
}
