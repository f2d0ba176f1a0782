/**
 * What is known across exchanges: which session a call belongs to, and what it used so far;
 * `call-teller.ts` tells of it. Outlives reloads, as sessions do. What goes wrong here costs an
 * exchange nothing but its session.
 */
import { deviceId } from '../core/device-id.js'
import type { Clock } from '../core/clock.js'
import { usedBy } from '../core/record.js'
import type { ExchangeRecord, Used } from '../core/record.js'
import type { SessionFacts } from '../policy/input.js'
import type { Kept } from './call-events.js'
import { CallTeller } from './call-teller.js'
import type { NamedIds } from '../providers/named-ids.js'
import { GENERATING_APIS } from '../providers/provider.js'
import type { RequestFacts, ResponseFacts } from '../providers/provider.js'
import { agentIdOf } from './session-keys.js'
import { Sessions } from './sessions.js'
import type { Session, SessionCounts, SessionLimits } from './sessions.js'
import { Heard } from './heard.js'

export interface ConversationsOptions {
  readonly clock: Clock
  readonly newId: () => string
  readonly limits?: SessionLimits
  /** What of prompts and answers events may hold. */
  readonly kept: Kept
}

type SeenRow = Readonly<ExchangeRecord>

/** Where a request belongs. */
export interface Placed {
  /** Undefined for what is no call. */
  readonly session?: Session
  /** It begins with this request. */
  readonly isNew?: boolean
  /** What its row says of that. */
  readonly row: {
    readonly [Field in 'sessionId' | 'agentId' | 'fragmented' | 'tags']:
      SeenRow[Field] | undefined
  }
}

/**
 * Where a conversation stands before the request that was just placed in it: what its other
 * calls use until it is asked is told as well.
 */
export function standOf(session: Session): () => SessionFacts {
  const { id, key, startedAt } = session
  const requests = session.exchanges - 1
  return () => {
    const { toolCalls, tokens, microUsd, atMostMicroUsd } = session
    const used = { toolCalls, tokens, microUsd, atMostMicroUsd }
    return { id, key, startedAt, requests, ...used }
  }
}

export class Conversations {
  /** Tells of them; an observer of exchanges. */
  readonly calls: CallTeller
  readonly heard = new Heard()
  readonly #sessions: Sessions
  readonly #clock: Clock

  constructor(options: ConversationsOptions) {
    const { limits, newId } = options
    this.#clock = options.clock
    this.calls = new CallTeller(options)
    this.#sessions = new Sessions({
      newId,
      ...(limits === undefined ? {} : { limits }),
      ended: (session, at) => this.calls.sessionEnded(session, at),
    })
  }

  counts(): SessionCounts {
    return this.#sessions.counts()
  }

  /** Ends sessions that rest too long; called from time to time. */
  sweep(): void {
    this.#sessions.sweep(this.#clock.now())
  }

  /**
   * We stop, and what is known of conversations goes with us: one that a client goes on with
   * later is a new one, flagged as without its beginning, unless the client names it.
   */
  end(): void {
    this.#sessions.endAll(this.#clock.now())
  }

  /** A request has been read: where it belongs. */
  place(record: SeenRow, facts: RequestFacts, named: NamedIds): Placed {
    const agentId = named.agentId ?? agentIdOf(facts.system)
    const tags = named.tags && Object.fromEntries(named.tags)
    // Who asks again for an answer, or cancels it, says nothing.
    const isSilent = record.call === false && facts.messages.length === 0
    if (!GENERATING_APIS.has(facts.api) || isSilent) {
      const { sessionId } = named
      return { row: { sessionId, agentId, fragmented: undefined, tags } }
    }
    const { session, match } = this.#sessions.place(
      {
        device: deviceId(record.device),
        provider: record.provider ?? '',
        sessionId: named.sessionId,
        agentId: named.agentId,
        facts,
      },
      this.#clock.now(),
    )
    const fragmented = session.fragmented ? true : undefined
    const row = { sessionId: session.id, agentId, fragmented, tags }
    return { session, isNew: match === 'new', row }
  }

  /** What a call of it used; `facts` is undefined when nothing was answered. */
  answered(session: Session, record: SeenRow, facts: ResponseFacts | undefined): void {
    if (facts !== undefined) this.#sessions.answered(session, facts, this.#clock.now())
    session.toolCalls += facts?.toolCalls.length ?? 0
    addTo(session, usedBy(record))
  }

  /** An answer of that conversation, if it still is, was told of again, and otherwise. */
  corrected(sessionKey: string, more: Used): void {
    const session = this.#sessions.keyed(sessionKey)
    if (session !== undefined) addTo(session, more)
  }
}

function addTo(session: Session, { tokens, microUsd, atMostMicroUsd }: Used): void {
  session.tokens += tokens
  session.microUsd += microUsd
  session.atMostMicroUsd += atMostMicroUsd
}
