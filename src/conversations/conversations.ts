/**
 * What is known across exchanges: which session a call belongs to, and which events follow
 * from it. Outlives reloads, as sessions do. What goes wrong here costs an exchange nothing
 * but its session.
 */
import type { Clock } from '../core/clock.js'
import type { ExchangeRecord } from '../core/record.js'
import type { SessionFacts } from '../policy/input.js'
import {
  callEnded,
  callStarted,
  sessionEnded,
  sessionStarted,
  toolResults,
} from './call-events.js'
import type { CallContext, Kept } from './call-events.js'
import type { NamedIds } from '../providers/named-ids.js'
import { GENERATING_APIS } from '../providers/provider.js'
import type { RequestFacts, ResponseFacts, ToolResult } from '../providers/provider.js'
import { agentIdOf } from './session-keys.js'
import { Sessions } from './sessions.js'
import type { Session, SessionCounts, SessionLimits } from './sessions.js'
import { CallEvents } from './event-hub.js'
import { Heard } from './heard.js'

export interface ConversationsOptions {
  readonly clock: Clock
  readonly newId: () => string
  readonly limits?: SessionLimits
  /** What of prompts and answers events may hold. */
  readonly kept: Kept
}

/** Ids of a session's tool calls that wait for a result or have one, each. */
const MAX_CALLS = 256

interface Followed {
  readonly agentId: string | null
  /** Name by id: called, and no result seen. */
  readonly called: Map<string, string>
  /** Ids of calls whose results were told. */
  readonly told: Set<string>
  /** Results without an id that were told. */
  unnamed: number
  events: number
}

/** Where a conversation stood before the request that was just placed in it. */
export function standOf(session: Session): SessionFacts {
  const { id, startedAt, exchanges, toolCalls, tokens, microUsd } = session
  return { id, startedAt, requests: exchanges - 1, toolCalls, tokens, microUsd }
}

export class Conversations {
  readonly events = new CallEvents()
  readonly heard = new Heard()
  readonly #sessions: Sessions
  readonly #clock: Clock
  readonly #kept: Kept
  readonly #withheld = new WeakSet<ExchangeRecord>()
  /** By the session's key; only sessions of which someone hears. */
  readonly #followed = new Map<string, Followed>()

  constructor(options: ConversationsOptions) {
    const { limits, newId } = options
    this.#clock = options.clock
    this.#kept = options.kept
    this.#sessions = new Sessions({
      newId,
      ...(limits === undefined ? {} : { limits }),
      ended: (session, at) => this.#ended(session, at),
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

  /** Events about this exchange tell no words of it. */
  withhold(record: ExchangeRecord): void {
    this.#withheld.add(record)
  }

  #keptOf(record: ExchangeRecord): Kept {
    return this.#withheld.has(record) ? 'none' : this.#kept
  }

  /** A request has been read. Fills session and agent in; undefined for what is no call. */
  asked(
    record: ExchangeRecord,
    facts: RequestFacts,
    named: NamedIds,
  ): Session | undefined {
    const agentId = named.agentId ?? agentIdOf(facts.system)
    if (agentId !== undefined) record.agentId = agentId
    if (named.tags !== undefined) record.tags = Object.fromEntries(named.tags)
    // Who asks again for an answer, or cancels it, says nothing.
    const isSilent = record.call === false && facts.messages.length === 0
    if (!GENERATING_APIS.has(facts.api) || isSilent) {
      if (named.sessionId !== undefined) record.sessionId = named.sessionId
      return undefined
    }
    const at = this.#clock.now()
    const { session, match } = this.#sessions.place(
      {
        device: record.device.mac ?? record.device.ip,
        provider: record.provider ?? '',
        sessionId: named.sessionId,
        agentId: named.agentId,
        facts,
      },
      at,
    )
    record.sessionId = session.id
    if (session.fragmented) record.fragmented = true
    if (!this.events.heard) return session
    const followed = this.#follow(session, agentId)
    const context = { record, session, at, kept: this.#keptOf(record) }
    if (match === 'new') this.#tell(followed, [sessionStarted(context)])
    this.#tell(followed, toolResults(context, newResults(followed, facts.toolResults)))
    this.#tell(followed, [callStarted(context, facts)])
    return session
  }

  /** The exchange is over; `facts` is undefined when nothing was answered. */
  answered(
    record: ExchangeRecord,
    session: Session,
    facts: ResponseFacts | undefined,
  ): void {
    const at = this.#clock.now()
    if (facts !== undefined) this.#sessions.answered(session, facts, at)
    session.toolCalls += facts?.toolCalls.length ?? 0
    session.tokens += (record.inputTokens ?? 0) + (record.outputTokens ?? 0)
    session.microUsd += record.costMicroUsd ?? 0
    if (!this.events.heard) return
    const context: CallContext = { record, session, at, kept: this.#keptOf(record) }
    const followed = this.#follow(session, record.agentId)
    for (const { id, name } of facts?.toolCalls ?? []) {
      if (id === undefined || followed.called.size >= MAX_CALLS) continue
      followed.called.set(id, name)
      followed.told.delete(id)
    }
    this.#tell(followed, callEnded(context, facts))
  }

  /** An answer of that conversation, if it still is, was told of again, and otherwise. */
  corrected(
    sessionKey: string,
    { tokens, microUsd }: { readonly tokens: number; readonly microUsd: number },
  ): void {
    const session = this.#sessions.keyed(sessionKey)
    if (session === undefined) return
    session.tokens += tokens
    session.microUsd += microUsd
  }

  #follow(session: Session, agentId: string | undefined): Followed {
    let followed = this.#followed.get(session.key)
    if (followed === undefined) {
      followed = {
        agentId: agentId ?? null,
        called: new Map(),
        told: new Set(),
        unnamed: 0,
        events: 0,
      }
      this.#followed.set(session.key, followed)
    }
    return followed
  }

  #tell(followed: Followed, events: readonly Parameters<CallEvents['emit']>[0][]): void {
    for (const event of events) {
      followed.events++
      this.events.emit(event)
    }
  }

  #ended(session: Session, at: number): void {
    const followed = this.#followed.get(session.key)
    this.#followed.delete(session.key)
    if (!this.events.heard || followed === undefined) return
    const { agentId, events } = followed
    this.events.emit(sessionEnded(session, { at, agentId, events }))
  }
}

/** A request repeats the results of all turns before: only those not told yet count. */
function newResults(followed: Followed, results: readonly ToolResult[]) {
  const fresh: { result: ToolResult; name: string | undefined }[] = []
  let unnamed = 0
  for (const result of results) {
    const { id } = result
    if (id === undefined) {
      if (++unnamed > followed.unnamed) fresh.push({ result, name: undefined })
      continue
    }
    if (followed.told.has(id)) continue
    remember(followed.told, id)
    fresh.push({ result, name: followed.called.get(id) })
    followed.called.delete(id)
  }
  followed.unnamed = unnamed
  return fresh
}

/** The oldest go: a result comes back with each request until the client trims it. */
function remember(told: Set<string>, id: string): void {
  if (told.size >= MAX_CALLS)
    for (const oldest of told) {
      told.delete(oldest)
      break
    }
  told.add(id)
}
