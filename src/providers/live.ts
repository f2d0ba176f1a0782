/**
 * Calls that are conversations over WebSocket text frames: OpenAI's Realtime
 * (platform.openai.com/docs/api-reference/realtime) and Gemini's Live
 * (ai.google.dev/api/live). Knows frames as texts; RFC 6455 is the relay's. One session is
 * one exchange: its texts are joined, its usage is summed over the turns.
 */
import { partialJson } from '../json/json-bounds.js'
import { atOnce } from '../core/resting.js'
import { BodyTextReader } from './body-text.js'
import type { BodyText } from './body-text.js'
import { asRecord } from './json.js'
import type { Json } from './json.js'
import { geminiFrame, isGeminiFrame } from './live-gemini.js'
import { isOpenaiFrame, openaiFrame } from './live-openai.js'
import { LiveSession } from './live-session.js'
import { READER_LIMITS } from './provider.js'
import type { Api, ReaderLimits, RequestFacts, ResponseFacts } from './provider.js'
import { parseText } from './reader.js'

/** What a session came to, its turns together. */
export interface LiveFacts {
  readonly request: RequestFacts
  readonly response: ResponseFacts
  /** Answers that the model finished. */
  readonly turns: number
  readonly clientFrames: number
  readonly serverFrames: number
}

/**
 * One session; frames in the order in which they came. Throws nothing: frames that cannot
 * be read are counted in the response's `unread`.
 */
export interface LiveReader {
  /**
   * A text frame from the client. Gives back the text in it that goes to the model, for a
   * decision on the frame; empty when there is none, undefined when it cannot be read.
   */
  fromClient(text: string): string | undefined
  /** The one that is to answer, as its URL or the client's frames up to now have named it. */
  readonly model: string | undefined
  /** All text of the frame that came from the client last, whether its field is known or not. */
  words(): BodyText
  /** A text frame from the provider; one that is sound alone is not parsed. */
  fromServer(text: string): void
  /** Call once. `whole`: both sides closed in order. */
  end(whole?: boolean): LiveFacts
}

/**
 * The reader of a conversation; undefined when its provider has none. `path` may name the
 * model in its query.
 */
export function liveReader(
  { provider, api }: { readonly provider: { readonly name: string }; readonly api: Api },
  path: string,
): LiveReader | undefined {
  if (api !== 'realtime') return undefined
  if (provider.name === 'gemini' || provider.name === 'vertex')
    return new SessionReader('gemini')
  const model = new URLSearchParams(path.split('?')[1] ?? '').get('model')
  return new SessionReader('openai', model ?? undefined)
}

/** Does its first message name the model, and nothing before it? Gemini's `setup` does. */
export function namesModelLater({
  provider: { name },
  api,
}: {
  readonly provider: { readonly name: string }
  readonly api: Api
}): boolean {
  return api === 'realtime' && (name === 'gemini' || name === 'vertex')
}

/** Why a message does not go on. */
export interface Refusal {
  /** As HTTP would say it. */
  readonly status: number
  readonly code: string
  readonly message: string
}

/**
 * A text frame by which the provider itself would refuse a message; undefined where it has none
 * (Gemini closes). developers.openai.com: the `error` event of Responses and Realtime.
 */
export function refusalFrame(
  recognised: { readonly provider: { readonly name: string } } | undefined,
  { status, code, message }: Refusal,
): string | undefined {
  const name = recognised?.provider.name
  if (name === undefined || name === 'gemini' || name === 'vertex') return undefined
  const type = 'invalid_request_error'
  const error = { type, code, message, param: null }
  return JSON.stringify({ type: 'error', status, error })
}

interface Dialect {
  /** Is it a kind of frame that the reference names? */
  readonly knows: (frame: Json) => boolean
  readonly read: (side: 'client' | 'server', frame: Json, session: LiveSession) => void
}

const DIALECTS = {
  openai: { knows: isOpenaiFrame, read: openaiFrame },
  gemini: { knows: isGeminiFrame, read: geminiFrame },
} as const satisfies Record<string, Dialect>

/** Frames of both sides of one session, in the order in which they came. */
export class SessionReader implements LiveReader {
  readonly #session: LiveSession
  readonly #dialect: Dialect
  readonly #limits: ReaderLimits
  /** Of the client, the last. */
  #frame: Json | undefined

  /** `model` where the URL names it: OpenAI's `?model=`. */
  constructor(kind: keyof typeof DIALECTS, model?: string, limits = READER_LIMITS) {
    this.#dialect = DIALECTS[kind]
    this.#limits = limits
    this.#session = new LiveSession(limits)
    this.#session.request.model = model
  }

  fromClient(text: string): string | undefined {
    const session = this.#session
    session.clientFrames++
    const frame = this.#known(text)
    this.#frame = frame
    if (frame === undefined) return undefined
    session.said = ''
    this.#dialect.read('client', frame, session)
    return session.said
  }

  get model(): string | undefined {
    return this.#session.request.model
  }

  words(): BodyText {
    const words = new BodyTextReader()
    atOnce(words.read(this.#frame))
    return words.end()
  }

  fromServer(text: string): void {
    const session = this.#session
    session.serverFrames++
    session.answer.events++
    if (text.length > LONG_FRAME_CHARS && isAudio(text)) return
    const frame = this.#known(text)
    if (frame !== undefined) this.#dialect.read('server', frame, session)
  }

  /** Other kinds of frame count as unread, as does what is no JSON object. */
  #known(text: string): Json | undefined {
    const frame = asRecord(parseText(text, undefined, this.#limits))
    if (frame !== undefined && this.#dialect.knows(frame)) return frame
    this.#session.answer.unread++
    return undefined
  }

  end(whole = true): LiveFacts {
    this.#session.estimate()
    const { request, answer, turns, clientFrames, serverFrames } = this.#session
    answer.model ??= request.model
    return {
      request: request.build('realtime'),
      response: answer.build(undefined, whole),
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
