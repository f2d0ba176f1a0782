/** Puts what the readers found into an exchange's record, field by field. */
import type { AttachmentNote, ExchangeRecord } from '../core/record.js'
import { cutAt, endOfText } from './bounded-text.js'
import type { Catalogue } from './catalogue.js'
import type { Attachment, RequestFacts, ResponseFacts } from './provider.js'

/** Attachments and tool calls that a record names. */
const MAX_NOTED = 64

function noteOf({ kind, mediaType, bytes }: Attachment): AttachmentNote {
  return {
    kind,
    ...(mediaType === undefined ? {} : { mediaType: cutAt(mediaType, MAX_NOTED) }),
    ...(bytes === undefined ? {} : { bytes }),
  }
}

/** The end of the newest words of a person is kept, as far as `previewChars`. */
export function recordRequest(
  record: ExchangeRecord,
  facts: RequestFacts,
  previewChars: number,
): void {
  if (facts.model !== undefined) record.model = facts.model
  if (facts.stream !== undefined) record.stream = facts.stream
  const preview = endOfText(facts.newestWords ?? facts.lastUserText, previewChars)
  if (preview !== '') record.promptPreview = preview
  if (facts.attachments.length > 0)
    record.attachments = facts.attachments.slice(0, MAX_NOTED).map(noteOf)
}

/**
 * The model that was asked for stays; a price under the name of the one that answered counts
 * first, since it is the one that is paid.
 */
export function recordResponse(
  record: ExchangeRecord,
  facts: ResponseFacts,
  catalogue: Catalogue | undefined,
  askedTier?: string,
): void {
  const { usage } = facts
  if (facts.model !== undefined) record.model ??= facts.model
  if (facts.streamed) record.stream = true
  if (usage.inputTokens !== undefined) record.inputTokens = usage.inputTokens
  if (usage.outputTokens !== undefined) record.outputTokens = usage.outputTokens
  if (usage.cachedTokens !== undefined) record.cachedTokens = usage.cachedTokens
  if (usage.cacheWriteTokens !== undefined)
    record.cacheWriteTokens = usage.cacheWriteTokens
  if (usage.cacheWriteHourTokens !== undefined)
    record.cacheWriteHourTokens = usage.cacheWriteHourTokens
  if (usage.reasoningTokens !== undefined) record.reasoningTokens = usage.reasoningTokens
  if (usage.inputTokens !== undefined) record.inputEstimated = usage.inputEstimated
  if (usage.outputTokens !== undefined) record.outputEstimated = usage.outputEstimated
  if (facts.tier !== undefined) record.serviceTier = facts.tier
  // Where the answer does not say, what was asked for may have been served.
  const tier = facts.tier ?? askedTier
  const provider = record.provider ?? ''
  const cost =
    catalogue?.costOf(provider, facts.model, usage, tier) ??
    catalogue?.costOf(provider, record.model, usage, tier)
  if (cost !== undefined) record.costMicroUsd = cost
  if (facts.finishReason !== undefined) record.finishReason = facts.finishReason
  if (facts.toolCalls.length > 0)
    record.toolCalls = facts.toolCalls.slice(0, MAX_NOTED).map((call) => call.name)
  if (facts.responseId !== undefined) record.responseId = facts.responseId
  if (facts.error !== undefined) {
    record.reason ??= facts.error.message
    // A stream begins before anybody knows how it ends: its status says nothing of it.
    if (record.outcome === 'response' && (record.status ?? 0) < 400)
      record.outcome = 'error'
  }
  if (facts.refused !== undefined)
    record.reason ??= `the provider refused the prompt: ${cutAt(facts.refused, MAX_NOTED)}`
  if (facts.unread > 0) record.uninspectable ??= 'response'
  if (!facts.complete) record.truncated = true
}

/** Shorter than this, a stream came in one piece, and its pace says nothing. */
const LEAST_STREAM_MS = 20

/** Of a stream, from the model's first words to the end. Rounded to a tenth. */
export function recordPace(record: ExchangeRecord): void {
  const { firstTokenMs, latencyMs, outputTokens } = record
  if (firstTokenMs === undefined || latencyMs === undefined) return
  const ms = latencyMs - firstTokenMs
  if (ms < LEAST_STREAM_MS || outputTokens === undefined || outputTokens < 2) return
  record.tokensPerSecond = Math.round((outputTokens * 10_000) / ms) / 10
}
