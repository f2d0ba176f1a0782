/** Calls that no model answers: lists, files, batches, counts of tokens. */
import { asList, asRecord, firstCount, firstText } from './json.js'
import type { Shape } from './reader.js'

/** An id, and of a single thing the model that it is or was made with. */
export const otherShape: Shape = {
  body(value, facts) {
    facts.responseId = firstText(value.id, facts.responseId)
    if (asList(value.data).length === 0) facts.model = firstText(value.model, facts.model)
    facts.inputTokens = firstCount(asRecord(value.usage)?.input_tokens, facts.inputTokens)
  },
}
