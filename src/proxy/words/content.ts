/** What could be read of a request: for the policies, and for the record. */
import type { LongTexts } from '../../core/long-text.js'
import type { Resting } from '../../core/resting.js'
import type { Who } from '../../core/who.js'
import type { SaidFacts, SessionFacts } from '../../policy/input.js'
import type { BodyState, FindingInput } from '../../policy/policy.js'

export interface Content {
  /** Parsed JSON; undefined unless `state` is `whole`. */
  readonly body: unknown
  readonly state: BodyState
  /** Why policies cannot rely on it; undefined when they can. */
  readonly uninspectable: string | undefined
  /** Why its text is all that is known of it; undefined when its structure is, too. */
  readonly unstructured?: string | undefined
  readonly model: string | undefined
  /** All models that it would have answer, `model` among them. */
  readonly modelsNamed?: readonly string[] | undefined
  /** Of a WebSocket that is not open: its first message will name the model. */
  readonly namesModelLater?: boolean | undefined
  /** Bounded text that goes to the model. */
  readonly prompt: string
  /** The newest words of a person; undefined: not known. */
  readonly words?: string | undefined
  /** The long texts of `body`. */
  readonly long?: LongTexts | undefined
  /** Characters of all that text, kept or not. */
  readonly promptChars?: number | undefined
  readonly toolsOffered?: readonly string[] | undefined
  /** The most that an answer may have, as the request says, and how many it asks for. */
  readonly maxTokens?: number | undefined
  readonly choices?: number | undefined
  /** The service tier that it asks for. */
  readonly tier?: string | undefined
  /** Of a WebSocket: the message as it came, where somebody is to see it. */
  readonly message?: string | undefined
  /** All of its text; undefined where nobody looks at it. */
  readonly said?: SaidContent | undefined
  /** The conversation that it goes on with, as it stands now without it. */
  readonly session?: (() => SessionFacts) | undefined
}

/** To whoever makes it. */
export type OwnContent = { -readonly [Field in keyof Content]: Content[Field] }

/** All of a request's text, made ready for policies. */
export interface SaidContent extends SaidFacts {
  readonly findings: readonly FindingInput[]
  /** The same with each of its texts, as policies see it, replaced. */
  again(edit: EditText): Resting<SaidContent>
}

export type EditText = (text: string, who: Who) => string

export function noContent(): Content {
  return {
    body: undefined,
    state: 'absent',
    uninspectable: undefined,
    model: undefined,
    prompt: '',
  }
}

export function unreadable(state: BodyState, why: string): Content {
  return { ...noContent(), state, uninspectable: why }
}

/** Nobody knows how to read the body of such a request. */
export function unrecognised(bytes: number): Content {
  return bytes === 0 ? noContent() : unreadable('invalid', 'no reader knows this API')
}

/** Before it is answered, nothing has been said on a WebSocket. */
export function unreadSocket(): Content {
  return unreadable(
    'absent',
    'the messages of a WebSocket are read after they have passed',
  )
}
