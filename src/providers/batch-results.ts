/**
 * Results of a batch that are fetched as a file, one answer a line, each with what it used:
 * OpenAI's and Mistral's output files (platform.openai.com/docs/guides/batch), which Azure and
 * Groq have, too; Gemini's are read beside, by its own shape. Pure.
 */
import { FactsBuilder } from './facts.js'
import { asRecord, firstText } from './json.js'
import type { Json } from './json.js'
import { readUsage } from './openai-chat.js'
import { readResponsesUsage } from './openai-responses.js'
import { readOther } from './other.js'
import type { Shape } from './reader.js'

/** A file of OpenAI's API: what it is, or what it holds. */
export const filesShape: Shape = {
  body(value, facts) {
    if (value.custom_id === undefined) readOther(value, facts)
    else readResult(value, facts)
  },
}

function readResult(value: Json, facts: FactsBuilder): void {
  const body = asRecord(asRecord(value.response)?.body)
  if (body === undefined) return
  const one = new FactsBuilder(facts.limits)
  one.model = firstText(body.model, undefined)
  readUsage(body, one)
  readResponsesUsage(body, one)
  facts.addAnswer(one)
}
