/**
 * Requests that open or prepare a live conversation whose media take another way than the
 * request: offers of WebRTC (RFC 8866 session descriptions, posted as they are or in a form),
 * calls of SIP, and ephemeral keys, by which whoever has one speaks from anywhere. What can be
 * read of them is the session that they set up: model, instructions, tools.
 * platform.openai.com/docs/api-reference/realtime-sessions, ai.google.dev/api/live#ephemeral-auth-tokens.
 * Pure.
 */
import type { Resting } from '../core/resting.js'
import { asRecord, asText, firstText } from './json.js'
import type { Json } from './json.js'
import type { FactsBuilder } from './facts.js'
import { readDeclaredTools, readParts } from './gemini-parts.js'
import { withoutQuery } from './paths.js'
import type { Api, ExchangeHead, RequestFacts } from './provider.js'
import type { Shape } from './reader.js'
import { RequestBuilder, readTools } from './request.js'

/** Why a policy cannot rely on what it sees of such a request. */
export const MEDIA_ELSEWHERE =
  'what is said in the conversation that it opens takes another way, which nobody here sees'

/** Ends or passes on a call that was opened before; it opens none. */
const MANAGES = /\/(?:hangup|refer|reject)$/

/** `live`, of a path at which live conversations are had: `session` where it opens one by HTTP. */
export function liveApi(
  { method, path }: ExchangeHead,
  live: 'realtime' | 'session',
): Api {
  if (live === 'realtime' && method !== 'POST') return live
  return method === 'POST' && !MANAGES.test(withoutQuery(path)) ? 'session' : 'other'
}

/** An offer of WebRTC, wherever it is posted (RFC 9725 does so, too). */
export function isOffer({ method, contentType }: ExchangeHead): boolean {
  return method === 'POST' && contentType !== undefined && isSdpType(contentType)
}

/** `application/sdp` (RFC 8866 §8.1), parameters or not, in any case of letters. */
export function isSdpType(mediaType: string): boolean {
  return /^\s*application\/sdp\s*(?:;|$)/i.test(mediaType)
}

const SDP_LINE = /^(?:[a-z]=[^\r\n]*)?\r?$/

/** A whole session description: a version first, and in each line a letter and its value. */
export function isSdp(text: string): boolean {
  return /^v=0\r?\n/.test(text) && text.split('\n').every((line) => SDP_LINE.test(line))
}

/** JSON that holds an offer, on a path that says nothing of it. */
export function isOfferBody({ sdp }: Json): boolean {
  return typeof sdp === 'string' && /^v=0\r?\n/.test(sdp)
}

/**
 * Where an offer alone is posted, or a WebSocket opened, its URL names the model: `?model=`, or
 * Azure's `?deployment=`. Of two that differ nobody knows which counts.
 */
export function modelInQuery(path: string): string | undefined {
  const query = new URLSearchParams(path.slice(withoutQuery(path).length + 1))
  const named = [...query.getAll('model'), ...query.getAll('deployment')]
  return new Set(named).size === 1 ? named[0] : undefined
}

/**
 * The session that a request sets up, of OpenAI or Gemini by its fields; `path` may name
 * the model in its query.
 */
export function* readSessionRequest(body: Json, path: string): Resting<RequestFacts> {
  const builder = new RequestBuilder()
  const setup = geminiSetup(body)
  if (setup === undefined)
    yield* readOpenaiSession(asRecord(body.session) ?? body, builder)
  else yield* readGeminiSetup(setup, builder)
  builder.model ??= modelInQuery(path)
  return builder.build('session')
}

function* readOpenaiSession(session: Json, builder: RequestBuilder): Resting<void> {
  const input = asRecord(asRecord(session.audio)?.input)
  const heard = asRecord(input?.transcription ?? session.input_audio_transcription)
  builder.model = firstText(session.model, heard?.model)
  builder.system(asText(session.instructions) ?? '')
  builder.system(asText(heard?.prompt) ?? '')
  yield* readTools(session.tools, builder)
}

/** What a key for Gemini's Live is bound to: as it is sent, and as its libraries are asked. */
export function geminiSetup(body: Json): Json | undefined {
  const outer =
    asRecord(body.bidiGenerateContentSetup ?? body.bidi_generate_content_setup) ??
    asRecord(body.liveConnectConstraints ?? body.live_connect_constraints)
  return asRecord(outer?.setup) ?? outer
}

function* readGeminiSetup(setup: Json, builder: RequestBuilder): Resting<void> {
  const config = asRecord(setup.config)
  builder.model = asText(setup.model)?.replace(/^models\//, '')
  for (const said of [setup, config]) {
    const system = said?.systemInstruction ?? said?.system_instruction
    builder.system(yield* readParts(asRecord(system)?.parts ?? system ?? [], builder))
    yield* readDeclaredTools(said?.tools, builder)
  }
}

/** What was set up. The answer's key or session description is nobody's business. */
export const sessionShape: Shape = {
  body(value: Json, facts: FactsBuilder): void {
    const session = asRecord(value.session) ?? value
    const transcription = asRecord(
      asRecord(asRecord(session.audio)?.input)?.transcription,
    )
    facts.model = firstText(session.model, transcription?.model, facts.model)
  },
}
