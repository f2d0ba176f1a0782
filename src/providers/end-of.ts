/** Which words of a status are an end, for APIs that answer before they have one. Pure. */

/** OpenAI's responses, runs, batches and videos; Gemini's interactions and batches; Perplexity. */
const NO_END: ReadonlySet<string> = new Set([
  'queued',
  'in_progress',
  'cancelling',
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
