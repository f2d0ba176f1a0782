/**
 * The two ways in which providers talk over a WebSocket. *Live*: a conversation of pieces,
 * which is one exchange. *Turns*: each message of the client is a request of its own.
 */
import type { Detector } from '../../detect/detector.js'
import type { Recognised } from '../../providers/index.js'
import { liveReader } from '../../providers/live.js'
import type { ExchangeFacts } from '../words/exchange-about.js'
import { inSlices } from '../../core/resting.js'
import type { BodyText } from '../../providers/body-text.js'
import { SAID_LIMITS, saidOf } from '../reading/said.js'
import { noContent } from '../words/content.js'
import type { Content } from '../words/content.js'
import type { Turn } from './websocket-turn.js'

export type Speech = 'live' | 'turns'

/** Undefined: nobody here understands what is said there. */
export function speechOf(
  recognised: Recognised | undefined,
  { path }: Pick<ExchangeFacts, 'path'>,
): Speech | undefined {
  if (recognised === undefined) return undefined
  if (recognised.api === 'responses') return 'turns'
  return liveReader(recognised, path) === undefined ? undefined : 'live'
}

/**
 * What a message of the client says: text for the model, a request, or undefined where nobody
 * can tell.
 */
export type Heard = string | undefined | Turn | Spoken

/** A message with all of its text, or as it came, where somebody looks at that. */
export class Spoken {
  readonly prompt: string
  /** Undefined: nobody looks at it. */
  readonly #words: BodyText | undefined
  readonly #detector: Detector | undefined
  readonly #message: string | undefined
  readonly #model: string | undefined

  constructor(prompt: string, about: SpokenAbout) {
    this.prompt = prompt
    this.#words = about.words
    this.#detector = about.detector
    this.#message = about.message
    this.#model = about.model
  }

  /** For a decision on this message alone. */
  async content(): Promise<Content> {
    const { prompt } = this
    const told = {
      ...noContent(),
      ...{ prompt, promptChars: prompt.length, message: this.#message },
      model: this.#model,
    }
    if (this.#words === undefined) return told
    const said = await inSlices(
      saidOf(this.#words.units, undefined, {
        ...SAID_LIMITS,
        detector: this.#detector,
      }),
    )
    return { ...told, said }
  }
}

export interface SpokenAbout {
  readonly words: BodyText | undefined
  readonly detector: Detector | undefined
  readonly message: string | undefined
  /** That it is for, as far as it was named up to now. */
  readonly model: string | undefined
}

/** Makes sense of whole text messages, in the order in which both sides sent them. */
export interface SocketReader {
  fromClient(text: string): Heard
  fromServer(text: string): void
  /** Call once. `whole`: both sides closed in order. Fills the record in; never rejects. */
  end(whole: boolean): Promise<SocketSaid> | SocketSaid
}

export interface SocketSaid {
  /** Messages that no reader knows. */
  readonly unread: number
  readonly content: Pick<Content, 'model' | 'prompt' | 'promptChars' | 'said'>
}
