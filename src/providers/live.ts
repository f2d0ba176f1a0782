/**
 * Calls that are conversations over WebSocket text frames: OpenAI's Realtime
 * (platform.openai.com/docs/api-reference/realtime) and Gemini's Live
 * (ai.google.dev/api/live). Knows frames as texts; RFC 6455 is the relay's. One session is
 * one exchange: its texts are joined, its usage is summed over the turns.
 */
import { partialJson } from '../http/json-bounds.js'
import { FactsBuilder, readError } from './facts.js'
import { readFunctionCall, readContents, readDeclaredTools, readParts } from './gemini.js'
import { asList, asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import { READER_LIMITS } from './provider.js'
import type { ReaderLimits, RequestFacts, ResponseFacts } from './provider.js'
import { parseText } from './reader.js'
import { RequestBuilder, readContent, readTools } from './request.js'

export interface LiveFacts {
  readonly request: RequestFacts
  readonly response: ResponseFacts
  /** Answers that the model finished. */
  readonly turns: number
  readonly clientFrames: number
  readonly serverFrames: number
}

export interface LiveReader {
  /**
   * A text frame from the client. Gives back the text in it that goes to the model, for a
   * decision on the frame; empty when there is none, undefined when it cannot be read.
   */
  fromClient(text: string): string | undefined
  fromServer(text: string): void
  /** `whole`: both sides closed in order. */
  end(whole?: boolean): LiveFacts
}

type Dialect = (side: 'client' | 'server', frame: Json, session: Session) => void

/** Frames of both sides of one session, in the order in which they came. */
export class SessionReader implements LiveReader {
  readonly #session: Session
  readonly #dialect: Dialect
  readonly #limits: ReaderLimits

  /** `model` where the URL names it: OpenAI's `?model=`. */
  constructor(kind: 'openai' | 'gemini', model?: string, limits = READER_LIMITS) {
    this.#dialect = kind === 'openai' ? openaiFrame : geminiFrame
    this.#limits = limits
    this.#session = new Session(limits)
    this.#session.request.model = model
  }

  fromClient(text: string): string | undefined {
    const session = this.#session
    session.clientFrames++
    const frame = asRecord(parseText(text, undefined, this.#limits))
    if (frame === undefined) {
      session.answer.unread++
      return undefined
    }
    session.said = ''
    this.#dialect('client', frame, session)
    return session.said
  }

  fromServer(text: string): void {
    const session = this.#session
    session.serverFrames++
    session.answer.events++
    if (text.length > LONG_FRAME_CHARS && isAudio(text)) return
    const frame = asRecord(parseText(text, undefined, this.#limits))
    if (frame === undefined) session.answer.unread++
    else this.#dialect('server', frame, session)
  }

  end(whole = true): LiveFacts {
    const { request, answer, turns, clientFrames, serverFrames } = this.#session
    answer.model ??= request.model
    return {
      request: request.build('realtime'),
      response: answer.build('realtime', undefined, whole),
      turns,
      clientFrames,
      serverFrames,
    }
  }
}

/** Longer frames from the server are mostly sound, and need not be parsed to be told. */
const LONG_FRAME_CHARS = 2_048
const AUDIO = new Set(['response.audio.delta', 'response.output_audio.delta'])

/** By the type at the frame's beginning; what the client sends is always read whole. */
function isAudio(text: string): boolean {
  const type = partialJson(Buffer.from(text.slice(0, 512))).get('type')
  return typeof type === 'string' && AUDIO.has(type)
}

class Session {
  readonly request = new RequestBuilder()
  readonly answer: FactsBuilder
  turns = 0
  clientFrames = 0
  serverFrames = 0
  /** Text for the model in the frame at hand. */
  said = ''

  constructor(limits: ReaderLimits) {
    this.answer = new FactsBuilder(limits)
    this.request.stream = true
  }

  userText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.message('user', text)
  }

  systemText(text: string): void {
    if (text.length === 0) return
    this.said = this.said.length > 0 ? `${this.said}\n${text}` : text
    this.request.system(text)
  }

  /** Token counts of one turn are added to those of the turns before. */
  addUsage(input: unknown, output: unknown, cached: unknown, reasoning: unknown): void {
    const answer = this.answer
    answer.inputTokens = sum(answer.inputTokens, input)
    answer.outputTokens = sum(answer.outputTokens, output)
    answer.cachedTokens = sum(answer.cachedTokens, cached)
    answer.reasoningTokens = sum(answer.reasoningTokens, reasoning)
  }
}

function sum(before: number | undefined, more: unknown): number | undefined {
  if (typeof more !== 'number' || !Number.isSafeInteger(more) || more < 0) return before
  return (before ?? 0) + more
}

function openaiFrame(side: 'client' | 'server', frame: Json, session: Session): void {
  if (side === 'client') openaiClient(frame, session)
  else openaiServer(frame, session)
}

function openaiClient(frame: Json, session: Session): void {
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
      const text = output ?? readContent(item?.content, session.request)
      if (role === 'system') session.systemText(text)
      else session.userText(text)
      return
    }
    case 'response.create': {
      const response = asRecord(frame.response)
      readSettings(response, session)
      for (const item of asList(response?.input))
        session.userText(readContent(asRecord(item)?.content, session.request))
      return
    }
    default:
      return
  }
}

function readSettings(settings: Json | undefined, session: Session): void {
  if (settings === undefined) return
  session.request.model = firstText(settings.model, session.request.model)
  session.systemText(asText(settings.instructions) ?? '')
  readTools(settings.tools, session.request)
}

function openaiServer(frame: Json, session: Session): void {
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
      openaiTurn(asRecord(frame.response), session)
      return
    case 'error':
      answer.error = readError(frame, true)
      return
    default:
      return
  }
}

/** The closing event of a turn says all of it again: drafts are not read at all. */
function openaiTurn(response: Json | undefined, session: Session): void {
  const answer = session.answer
  session.turns++
  answer.responseId = firstText(response?.id, answer.responseId)
  answer.finishReason = firstText(response?.status, answer.finishReason)
  session.request.conversationId ??= asText(response?.conversation_id)
  for (const value of asList(response?.output)) openaiOutput(asRecord(value), session)
  const failure = asRecord(asRecord(response?.status_details)?.error)
  if (failure !== undefined) answer.error = readError({ error: failure }, true)
  const usage = asRecord(response?.usage)
  session.addUsage(
    usage?.input_tokens,
    usage?.output_tokens,
    asRecord(usage?.input_token_details)?.cached_tokens,
    asRecord(usage?.output_token_details)?.reasoning_tokens,
  )
}

function openaiOutput(item: Json | undefined, session: Session): void {
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

function geminiFrame(side: 'client' | 'server', frame: Json, session: Session): void {
  if (side === 'client') geminiClient(frame, session)
  else geminiServer(frame, session)
}

function geminiClient(frame: Json, session: Session): void {
  const setup = asRecord(frame.setup)
  if (setup !== undefined) {
    session.request.model = asText(setup.model)?.replace(/^models\//, '')
    const system = asRecord(setup.systemInstruction ?? setup.system_instruction)
    session.systemText(readParts(system?.parts ?? [], session.request))
    readDeclaredTools(setup.tools, session.request)
  }
  const content = asRecord(frame.clientContent ?? frame.client_content)
  for (const turn of asList(content?.turns)) {
    const text = readParts(asRecord(turn)?.parts ?? [], new RequestBuilder())
    if (text.length > 0)
      session.said = session.said.length > 0 ? `${session.said}\n${text}` : text
    readContents([turn], session.request)
  }
  const input = asRecord(frame.realtimeInput ?? frame.realtime_input)
  session.userText(asText(input?.text) ?? '')
  const results = asRecord(frame.toolResponse ?? frame.tool_response)
  for (const value of asList(results?.functionResponses ?? results?.function_responses)) {
    const text = readParts([{ functionResponse: value }], session.request)
    session.said = session.said.length > 0 ? `${session.said}\n${text}` : text
  }
}

function geminiServer(frame: Json, session: Session): void {
  const answer = session.answer
  const content = asRecord(frame.serverContent)
  const spoken = asText(asRecord(content?.outputTranscription)?.text)
  if (spoken !== undefined) answer.text.append(spoken)
  const heard = asText(asRecord(content?.inputTranscription)?.text)
  if (heard !== undefined) session.userText(heard)
  for (const value of asList(asRecord(content?.modelTurn)?.parts)) {
    const part = asRecord(value)
    const text = asText(part?.text) ?? ''
    if (part?.thought === true) answer.otherChars += text.length
    else answer.text.append(text)
  }
  for (const value of asList(asRecord(frame.toolCall)?.functionCalls))
    readFunctionCall(asRecord(value) ?? {}, answer)
  if (content?.turnComplete === true) {
    session.turns++
    answer.finishReason = 'turnComplete'
  }
  const usage = asRecord(frame.usageMetadata)
  answer.reasoningBeside = true
  session.addUsage(
    usage?.promptTokenCount,
    usage?.responseTokenCount,
    usage?.cachedContentTokenCount,
    usage?.thoughtsTokenCount,
  )
}
