/** Gemini's Live: ai.google.dev/api/live. Transcripts and texts come in pieces, usage a turn. */
import { atOnce } from '../core/resting.js'
import { plainModel, readFunctionCall } from './gemini.js'
import { readContents, readDeclaredTools, readParts } from './gemini-parts.js'
import { asList, asRecord, asText } from './json.js'
import type { Json } from './json.js'
import type { LiveSession } from './live-session.js'
import { RequestBuilder } from './request.js'

/** A message has one of these; clients may write them with underscores. */
const KINDS: ReadonlySet<string> = new Set([
  'setup',
  'clientContent',
  'realtimeInput',
  'toolResponse',
  'setupComplete',
  'serverContent',
  'toolCall',
  'toolCallCancellation',
  'usageMetadata',
  'goAway',
  'sessionResumptionUpdate',
])

/** By the keys at its top, in either spelling (`clientContent`, `client_content`). */
export function isGeminiFrame(frame: Json): boolean {
  return Object.keys(frame).some((key) =>
    KINDS.has(key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())),
  )
}

/**
 * Takes one frame into account, in `session`: what the client sent for the model in
 * `said`, turns and usage of the server's where they end. Kinds that say nothing of these
 * are passed over.
 */
export function geminiFrame(
  side: 'client' | 'server',
  frame: Json,
  session: LiveSession,
): void {
  if (side === 'client') geminiClient(frame, session)
  else geminiServer(frame, session)
}

function geminiClient(frame: Json, session: LiveSession): void {
  const setup = asRecord(frame.setup)
  if (setup !== undefined) {
    session.request.model = plainModel(setup.model)
    const system = asRecord(setup.systemInstruction ?? setup.system_instruction)
    session.systemText(atOnce(readParts(system?.parts ?? [], session.request)))
    atOnce(readDeclaredTools(setup.tools, session.request))
  }
  const content = asRecord(frame.clientContent ?? frame.client_content)
  for (const turn of asList(content?.turns)) {
    const text = atOnce(readParts(asRecord(turn)?.parts ?? [], new RequestBuilder()))
    if (text.length > 0)
      session.said = session.said.length > 0 ? `${session.said}\n${text}` : text
    atOnce(readContents([turn], session.request))
  }
  const input = asRecord(frame.realtimeInput ?? frame.realtime_input)
  session.userText(asText(input?.text) ?? '')
  const results = asRecord(frame.toolResponse ?? frame.tool_response)
  for (const value of asList(results?.functionResponses ?? results?.function_responses)) {
    const text = atOnce(readParts([{ functionResponse: value }], session.request))
    session.said = session.said.length > 0 ? `${session.said}\n${text}` : text
  }
}

function geminiServer(frame: Json, session: LiveSession): void {
  const answer = session.answer
  const content = asRecord(frame.serverContent)
  const spoken = asText(asRecord(content?.outputTranscription)?.text)
  if (spoken !== undefined) answer.text.append(spoken)
  const heard = asText(asRecord(content?.inputTranscription)?.text)
  if (heard !== undefined) session.userText(heard)
  for (const value of asList(asRecord(content?.modelTurn)?.parts)) {
    const part = asRecord(value)
    const text = asText(part?.text) ?? ''
    if (part?.thought === true) answer.beside(text)
    else answer.text.append(text)
  }
  for (const value of asList(asRecord(frame.toolCall)?.functionCalls))
    readFunctionCall(asRecord(value) ?? {}, answer)
  if (content?.turnComplete === true) {
    session.endTurn()
    answer.finishReason = 'turnComplete'
  }
  const usage = asRecord(frame.usageMetadata)
  answer.reasoningBeside = true
  session.addUsage({
    input: usage?.promptTokenCount,
    output: usage?.responseTokenCount ?? usage?.candidatesTokenCount,
    cached: usage?.cachedContentTokenCount,
    reasoning: usage?.thoughtsTokenCount,
    toolInput: usage?.toolUsePromptTokenCount,
  })
}
