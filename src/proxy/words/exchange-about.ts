/** What an exchange is about, as every room sees it. */
import type { RequestHead } from '../../http/head.js'
import type { Target } from '../../net/dial.js'
import type { KeyHolder } from '../../policy/access-gate.js'
import type { Decision } from '../../policy/engine.js'
import type { Endpoint } from '../../policy/endpoints.js'
import type { Recognised } from '../../providers/index.js'
import type { DoorWay } from './door-way.js'
import type { HttpClient, HttpRequest, HttpResponse } from './http-words.js'
import type { PooledWay } from './pooled-way.js'

export interface ExchangeFacts {
  readonly head: RequestHead
  readonly target: Target
  /** Origin-form, for the provider. */
  readonly path: string
  /** The endpoint that governs it; undefined for a plain relay, which is not recorded. */
  readonly endpoint: Endpoint | undefined
  /** The value of `Upgrade` when the client asked for WebSocket. */
  readonly upgrade: string | undefined
  /** It came by a door of the gateway. */
  readonly door?: ByDoor
  /** It came with a key of ours. */
  readonly holder?: KeyHolder
}

/** What the gateway knows of an exchange beside its host. */
export interface ByDoor {
  /** The name of the door, for hosts that the catalogue does not know. */
  readonly provider: string
  /** The provider whose reader understands it. */
  readonly speaks: string
  /** A longer body is answered 400. */
  readonly maxBodyBytes: number
  readonly headTimeoutMs: number | undefined
  /** Several targets stand behind it. */
  readonly pooled?: PooledWay
  /** A body up to so many bytes is read whole before it goes up, so that it can go up again. */
  readonly wholeBytes?: number
  /** It came to a sidecar: what it is called there, `<provider>.<path with dots>`. */
  readonly toolName?: string
  /** End-to-end fields of its answer, flat, as its client is to have them. */
  readonly answerFields?: ((fields: readonly string[]) => string[]) | undefined
  /** What it does beside leading on. */
  readonly way?: DoorWay
}

/** One exchange as its parts see it; what changes while it runs stays in `exchange.ts`. */
export interface ExchangeAbout<Port = unknown> {
  readonly requestId: string
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly from: HttpClient
  readonly facts: ExchangeFacts
  /** What the room that it is in needs. */
  readonly services: Port
  readonly recognised: Recognised | undefined
  readonly isGrpc: boolean
  /** Nothing goes up before the decision. */
  readonly waits: boolean
  /** It goes up as HTTP/2. */
  readonly overH2: boolean
  /** It goes up a second time, over a new connection. */
  readonly retried: boolean
  /** What became of it is recorded; what is found out later changes nothing. */
  readonly closed: boolean
  /** Milliseconds since it began. */
  elapsed(): number
}

/** What policies make of it; undefined: none was asked. */
export type Judgement = Decision | Promise<Decision | undefined> | undefined
