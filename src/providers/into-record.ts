/** Puts what the readers found into an exchange's record, field by field. */
import type { ExchangeRecord } from '../core/record.js'
import type { Catalogue } from './catalogue.js'
import type { RequestFacts, ResponseFacts } from './provider.js'

export function recordRequest(record: ExchangeRecord, facts: RequestFacts): void {
  if (facts.model !== undefined) record.model = facts.model
  if (facts.stream !== undefined) record.stream = facts.stream
}

/**
 * The model that answered takes the place of the one that was asked for, since it is the one
 * that is paid; a price under either name serves.
 */
export function recordResponse(
  record: ExchangeRecord,
  facts: ResponseFacts,
  catalogue: Catalogue | undefined,
): void {
  const { usage } = facts
  const asked = record.model
  if (facts.model !== undefined) record.model = facts.model
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
    catalogue?.costOf(provider, asked, usage)
  if (cost !== undefined) record.costMicroUsd = cost
  if (facts.finishReason !== undefined) record.finishReason = facts.finishReason
  if (facts.toolCalls.length > 0)
    record.toolCalls = facts.toolCalls.map((call) => call.name)
  if (!facts.complete) record.truncated = true
}
