/**
 * Calls that no model answers (lists, files, batches, counts of tokens) and those that YORI
 * has no reader for: an id, the model that it names, and a usage where there is one.
 */
import { asList, firstText } from './json.js'
import type { Json } from './json.js'
import { isNoEnd } from './end-of.js'
import type { FactsBuilder } from './facts.js'
import { readUsage } from './openai-chat.js'
import { readResponsesUsage } from './openai-responses.js'
import type { Shape } from './reader.js'

export const otherShape: Shape = {
  body: readOther,
}

/**
 * Takes what any JSON answer may say: `id`, `model` (not that of a list's items), a
 * status that is no end, and usage in either of OpenAI's forms.
 */
export function readOther(value: Json, facts: FactsBuilder): void {
  facts.responseId = firstText(value.id, facts.responseId)
  // OpenAI's batches, and Mistral's.
  facts.resultsFile = firstText(value.output_file_id, firstText(value.output_file))
  facts.goesOn = isNoEnd(value.status) || isNoEnd(value.task_status)
  // A list of things is no answer of the model that the first of them names.
  if (asList(value.data).length === 0) facts.model = firstText(value.model, facts.model)
  readUsage(value, facts)
  readResponsesUsage(value, facts)
}
