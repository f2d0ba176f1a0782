/**
 * OpenAI's Realtime: platform.openai.com/docs/api-reference/realtime. The closing event of a
 * turn says all of it again, so that its drafts are not read.
 */
import { atOnce } from '../core/resting.js'
import { cutAt } from './bounded-text.js'
import type { FactsBuilder } from './facts.js'
import { endOf } from './end-of.js'
import { asCount, asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import type { LiveSession } from './live-session.js'
import { readError } from './provider-error.js'
import { readContent, readTools } from './request.js'

/** The objects that events are about: a type is `object.what-happened`, or the object alone. */
const SUBJECTS: ReadonlySet<string> = new Set([
  'session',
  'transcription_session',
  'conversation',
  'input_audio_buffer',
  'output_audio_buffer',
  'response',
  'rate_limits',
  'mcp_list_tools',
  'error',
  // xAI asks whether there is still somebody.
  'ping',
  'pong',
])

/** By what stands before the first dot of its `type`. */
export function isOpenaiFrame(frame: Json): boolean {
  return SUBJECTS.has(asText(frame.type)?.split('.', 1)[0] ?? '')
}

/**
 * Takes one frame into account, in `session`: what the client sent for the model in
 * `said`, answers from the closing event of a turn where it has one. Kinds that say
 * nothing of these are passed over.
 */
export function openaiFrame(
  side: 'client' | 'server',
  frame: Json,
  session: LiveSession,
): void {
  if (side === 'client') openaiClient(frame, session)
  else openaiServer(frame, session)
}

function openaiClient(frame: Json, session: LiveSession): void {
  switch (asText(frame.type)) {
    case 'session.update':
    case 'transcription_session.update':
      readSettings(asRecord(frame.session), session)
      return
    case 'conversation.item.create': {
      const item = asRecord(frame.item)
      const output = asText(item?.output)
      if (output !== undefined) session.request.toolResult(asText(item?.call_id), output)
      const role = asText(item?.role)
      const text = output ?? atOnce(readContent(item?.content, session.request))
      if (role === 'system') session.systemText(text)
      else session.userText(text)
      return
    }
    case 'response.create': {
      const response = asRecord(frame.response)
      readSettings(response, session)
      for (const item of asList(response?.input))
        session.userText(atOnce(readContent(asRecord(item)?.content, session.request)))
      return
    }
    default:
      return
  }
}

function readSettings(settings: Json | undefined, session: LiveSession): void {
  if (settings === undefined) return
  session.request.model = firstText(settings.model, session.request.model)
  session.systemText(asText(settings.instructions) ?? '')
  atOnce(readTools(settings.tools, session.request))
}

function openaiServer(frame: Json, session: LiveSession): void {
  const answer = session.answer
  switch (asText(frame.type)) {
    case 'session.created':
    case 'session.updated':
      answer.model = firstText(asRecord(frame.session)?.model, answer.model)
      return
    case 'conversation.item.input_audio_transcription.completed':
      session.userText(asText(frame.transcript) ?? '')
      return
    case 'session.output_transcript.delta':
      answer.text.append(asText(frame.delta) ?? '')
      return
    case 'session.input_transcript.delta':
      session.userText(asText(frame.delta) ?? '')
      return
    case 'response.done':
      openaiTurn(frame, session)
      return
    case 'error':
      answer.error = readError(frame, true)
      return
    default:
      return
  }
}

/** The closing event of a turn says all of it again: drafts are not read at all. */
function openaiTurn(frame: Json, session: LiveSession): void {
  const response = asRecord(frame.response)
  const answer = session.answer
  const usage = usageOf(response, frame)
  if (isToldAgain(asText(response?.id), usage, session)) return
  answer.responseId = firstText(response?.id, answer.responseId)
  answer.finishReason = endOf(response?.status) ?? answer.finishReason
  session.request.conversationId ??= asText(response?.conversation_id)
  for (const value of asList(response?.output)) openaiOutput(asRecord(value), session)
  const failure = asRecord(asRecord(response?.status_details)?.error)
  if (failure !== undefined) answer.error = readError({ error: failure }, true)
  session.endTurn(failure !== undefined)
  session.addUsage({
    input: usage?.input_tokens,
    output: usage?.output_tokens,
    cached: asRecord(usage?.input_token_details)?.cached_tokens,
    reasoning: asRecord(usage?.output_token_details)?.reasoning_tokens,
  })
}

/** What a turn used is counted once. Some servers give all turns one id. */
function isToldAgain(
  id: string | undefined,
  usage: Json | undefined,
  session: LiveSession,
): boolean {
  const input = asCount(usage?.input_tokens)
  if (id === undefined || input === undefined) return false
  return !session.isFirst(`${cutAt(id, 128)} ${input} ${asCount(usage?.output_tokens)}`)
}

/** xAI's stands beside the response, whose own is empty. */
function usageOf(response: Json | undefined, frame: Json): Json | undefined {
  const own = asRecord(response?.usage)
  const isCounted = own?.input_tokens !== undefined || own?.output_tokens !== undefined
  return isCounted ? own : (asRecord(frame.usage) ?? own)
}

function openaiOutput(item: Json | undefined, session: LiveSession): void {
  const answer = session.answer
  if (item?.type === 'function_call') {
    answer.toolCall(answer.toolCallCount, {
      name: asText(item.name),
      id: asText(item.call_id),
      argumentsText: asText(item.arguments),
    })
    return
  }
  for (const value of asList(item?.content)) {
    const part = asRecord(value)
    answerLine(firstText(part?.text, part?.transcript) ?? '', answer)
  }
}

/** Turns stand on lines of their own. */
function answerLine(text: string, answer: FactsBuilder): void {
  if (text.length > 0 && answer.text.chars > 0) answer.text.append('\n')
  answer.text.append(text)
}
