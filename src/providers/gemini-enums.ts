/**
 * Enums of Google's answers by number, as they come where a client asks for
 * `$alt=json;enum-encoding=int`: FinishReason and BlockedReason of
 * google/ai/generativelanguage/v1beta/generative_service.proto, and of
 * google/cloud/aiplatform/v1/{content,prediction_service}.proto, which number them otherwise.
 */
import { asCount, asText } from './json.js'

/** Names by number; 0, which is "unspecified", has an empty one. */
export interface EnumNames {
  readonly finishReason: readonly string[]
  readonly blockReason: readonly string[]
}

const FIRST_REASONS = ['', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER']
const FIRST_BLOCKS = ['', 'SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT']

export const GEMINI_ENUMS: EnumNames = {
  finishReason: [
    ...FIRST_REASONS,
    ...['LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MALFORMED_FUNCTION_CALL'],
    ...['IMAGE_SAFETY', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'],
  ],
  blockReason: [...FIRST_BLOCKS, 'IMAGE_SAFETY'],
}

export const VERTEX_ENUMS: EnumNames = {
  finishReason: [
    ...FIRST_REASONS,
    ...['BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MALFORMED_FUNCTION_CALL'],
    ...['MODEL_ARMOR'],
  ],
  blockReason: [...FIRST_BLOCKS, 'MODEL_ARMOR'],
}

/** A name as it is, or of a number; an unknown number as its digits, 0 as nothing. */
export function enumName(value: unknown, names: readonly string[]): string | undefined {
  const text = asText(value)
  if (text !== undefined) return text === '' ? undefined : text
  const number = asCount(value)
  if (number === undefined || number === 0) return undefined
  return names[number] ?? String(number)
}
