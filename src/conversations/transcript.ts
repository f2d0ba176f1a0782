/**
 * What was said in a recorded exchange, read again from the bodies that were kept. Pure; a
 * body that was cut short gives what is there of it.
 */
import { JSON_LIMITS, parsePrefix } from '../json/json-bounds.js'
import { recognise } from '../providers/index.js'
import type { ToolCall, ToolResult } from '../providers/provider.js'

export interface KeptExchange {
  readonly host: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly requestBody: string | undefined
  readonly responseBody: string | undefined
}

export interface Transcript {
  /** The user's newest words; undefined when the request was not kept or says nothing. */
  readonly asked: string | undefined
  readonly results: readonly ToolResult[]
  readonly answered: string | undefined
  readonly calls: readonly ToolCall[]
}

const NOTHING: Transcript = {
  asked: undefined,
  results: [],
  answered: undefined,
  calls: [],
}

export function readTranscript(kept: KeptExchange): Transcript {
  const { host, method, path, status } = kept
  const found = recognise({ host, method, path })
  if (found === undefined) return NOTHING
  const { provider, api } = found
  let transcript = NOTHING
  if (kept.requestBody !== undefined) {
    const body = parsePrefix(Buffer.from(kept.requestBody), JSON_LIMITS)
    const { lastUserText, toolResults } = provider.readRequest(body, { api, path })
    const asked = lastUserText === '' ? undefined : lastUserText
    transcript = { ...transcript, asked, results: toolResults }
  }
  if (kept.responseBody === undefined) return transcript
  const reader = provider.reader({ api, path, status })
  reader.push(Buffer.from(kept.responseBody))
  const { text, toolCalls } = reader.end()
  const answered = text === '' ? undefined : text
  return { ...transcript, answered, calls: toolCalls }
}
