/**
 * What is said between YORI and another program that looks at exchanges, whichever dialect
 * carries it. Which exchanges are shown to whom is `processor.ts`; what becomes of a verdict is
 * for the rooms that judge.
 */

/** Moments at which a processor may be told something; requests and messages are asked about. */
export const PROCESSOR_EVENTS = [
  'request_headers',
  'request_body',
  'response_headers',
  'response_body',
  'websocket',
  'complete',
  'log',
] as const

export type ProcessorEvent = (typeof PROCESSOR_EVENTS)[number]

/** A request as a processor sees it: without what nobody said that it may see. */
export interface ShownHead {
  readonly method: string
  /** Origin-form, with the query that may be seen. */
  readonly path: string
  readonly host: string
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string
  /** Lower-case names; flat, in order. */
  readonly fields: readonly string[]
  readonly clientAddress: string
  readonly clientPort: number
  /** The client's own trace. */
  readonly traceparent: string | undefined
  readonly provider: string | undefined
  readonly model: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
}

/** What is shown of a body. */
export interface ShownBody {
  readonly bytes: Buffer
  /** Its whole length where that is known. */
  readonly total: number | undefined
  /** `bytes` are not all of it. */
  readonly isCut: boolean
}

/** A whole message of a client on a WebSocket, without its compression. */
export interface ShownMessage {
  readonly text: string
  /** Of those that were shown, from 0. */
  readonly index: number
}

/** The question about one request: its head, its body, or both; or about one message. */
export interface Asked {
  readonly requestId: string
  readonly head: ShownHead
  readonly asksHead: boolean
  /** Undefined: there is none, or it is not shown. */
  readonly body: ShownBody | undefined
  readonly message?: ShownMessage | undefined
}

/** One change to the fields of a head; names in lower case. */
export interface FieldChange {
  readonly kind: 'set' | 'add' | 'remove'
  readonly name: string
  /** Empty of one that removes. */
  readonly value: string
}

export type Ruling =
  | { readonly kind: 'allow' }
  | {
      readonly kind: 'block'
      /** 400 to 599; undefined: it named none that a block can have. */
      readonly status: number | undefined
      /** Why, for people; undefined: it gave none. */
      readonly text: string | undefined
      readonly fields: readonly FieldChange[]
    }
  | { readonly kind: 'redirect'; readonly url: string; readonly status: number }
  /** It may go on once somebody has said so. */
  | { readonly kind: 'challenge'; readonly type: string }

/** What it wants to stand in the record. */
export interface AuditNote {
  readonly tags: readonly string[]
  readonly ruleIds: readonly string[]
  readonly reasons: readonly string[]
  /** 0 to 1. */
  readonly confidence: number | undefined
}

export interface Verdict {
  readonly ruling: Ruling
  readonly requestFields: readonly FieldChange[]
  readonly responseFields: readonly FieldChange[]
  /** What is to go up instead of the body that it was shown. */
  readonly body: Buffer | undefined
  readonly audit: AuditNote
}

export const NO_NOTE: AuditNote = {
  tags: [],
  ruleIds: [],
  reasons: [],
  confidence: undefined,
}

export const NO_OBJECTION: Verdict = {
  ruling: { kind: 'allow' },
  requestFields: [],
  responseFields: [],
  body: undefined,
  audit: NO_NOTE,
}

export type FailureKind =
  /** It did not answer in time. */
  | 'timeout'
  /** Nobody is there, or whoever is refuses. */
  | 'unreachable'
  /** Its connection ended in the midst of a question. */
  | 'gone'
  /** What it said is none of its dialect. */
  | 'malformed'
  /** It said more than may be read. */
  | 'too-large'
  /** It says that it cannot. */
  | 'refused'
  /** Too many wait for it already. */
  | 'busy'
  /** It failed too often just now, and is not asked for a while. */
  | 'resting'
  /** The body is longer than what it may be shown. */
  | 'body-too-large'
  /** The body's coding cannot be undone here. */
  | 'body-unreadable'
  /** Whoever asked is no longer there. */
  | 'given-up'

const SAYS: Readonly<Record<FailureKind, string>> = {
  timeout: 'did not answer in time',
  unreachable: 'cannot be reached',
  gone: 'went away before it had answered',
  malformed: 'answered in no form that is understood',
  'too-large': 'answered with more than may be read',
  refused: 'refused to look',
  busy: 'has too many waiting for it',
  resting: 'has failed too often, and is not asked for a while',
  'body-too-large': 'may not be shown a body of that size',
  'body-unreadable': 'cannot be shown a body in such a coding',
  'given-up': 'was no longer needed',
}

/** Why there is no verdict. Its message follows the processor's name. */
export class ProcessorFailure extends Error {
  readonly kind: FailureKind

  /** `detail`: what was seen; nothing of an exchange. */
  constructor(kind: FailureKind, detail?: string) {
    super(detail === undefined ? SAYS[kind] : `${SAYS[kind]}: ${detail}`)
    this.name = 'ProcessorFailure'
    this.kind = kind
  }
}

/** Whatever was thrown, as a failure. */
export function failureOf(cause: unknown): ProcessorFailure {
  if (cause instanceof ProcessorFailure) return cause
  const code = (cause as { code?: unknown } | null)?.code
  const detail = typeof code === 'string' ? code : undefined
  return new ProcessorFailure('unreachable', detail)
}

/** What a processor says of itself, by a handshake. */
export interface Introduction {
  readonly name: string
  readonly version: string
  /** Of those that it is for; undefined: it does not say. */
  readonly events: readonly ProcessorEvent[] | undefined
  /** The longest body that it wants; undefined: it does not say. */
  readonly maxBodyBytes: number | undefined
}
