/** Which words of a status are an end, for APIs that answer before they have one. Pure. */
import type { FactsBuilder } from './facts.js'

/** OpenAI's responses, runs, batches and videos; Gemini's interactions and batches; Perplexity. */
const NO_END: ReadonlySet<string> = new Set([
  'queued',
  'in_progress',
  'cancelling',
  'canceling',
  'validating',
  'finalizing',
  'pending',
  'created',
  'running',
  'processing',
  'in_queue',
])

/** The status when it says how something ended; undefined while it goes on. */
export function endOf(status: unknown): string | undefined {
  if (typeof status !== 'string' || status === '') return undefined
  return NO_END.has(status.toLowerCase()) ? undefined : status
}

/** A status that says that it goes on. */
export function isNoEnd(status: unknown): boolean {
  return typeof status === 'string' && status !== '' && endOf(status) === undefined
}

/** Notes how it ended, or that it goes on; what is no status says nothing. */
export function noteStatus(status: unknown, facts: FactsBuilder): void {
  if (typeof status !== 'string' || status === '') return
  const end = endOf(status)
  facts.goesOn = end === undefined
  facts.finishReason = end ?? facts.finishReason
}
