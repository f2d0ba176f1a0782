/**
 * Tells what happens in conversations, as events: a session begins, a model is called, a tool
 * is asked for and answers. An observer of exchanges (`proxy/words/observer.ts`): it looks when
 * a request and its answer have been read, and makes nothing unless somebody listens.
 */
import type { Clock } from '../core/clock.js'
import type { ExchangeRecord } from '../core/record.js'
import type { RequestFacts, ResponseFacts, ToolResult } from '../providers/provider.js'
import {
  callEnded,
  callStarted,
  sessionEnded,
  sessionStarted,
  toolResults,
} from './call-events.js'
import type { CallContext, Kept } from './call-events.js'
import { CallEvents } from './event-hub.js'
import type { Session } from './sessions.js'

/** Ids of a session's tool calls that wait for a result or have one, each. */
const MAX_CALLS = 256

type SeenRow = Readonly<ExchangeRecord>

/** What a request was found to say. */
export interface RequestSaid {
  readonly facts: RequestFacts
  /** Undefined: it belongs to none. */
  readonly session: Session | undefined
  /** That begins with it. */
  readonly isNew: boolean
  /** What was said is not to be told. */
  readonly isWithheld: boolean
}

/** What its answer was found to say. */
export interface ResponseSaid extends Pick<RequestSaid, 'session' | 'isWithheld'> {
  /** Undefined: nothing was answered. */
  readonly facts: ResponseFacts | undefined
}

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

export class CallTeller {
  readonly name = 'conversations'
  readonly events = new CallEvents()
  readonly #clock: Clock
  readonly #kept: Kept
  /** By the session's key; only sessions of which someone hears. */
  readonly #followed = new Map<string, Followed>()

  /** `kept`: what of prompts and answers events may hold. */
  constructor({ clock, kept }: { readonly clock: Clock; readonly kept: Kept }) {
    this.#clock = clock
    this.#kept = kept
  }

  requestRead(record: SeenRow, said: RequestSaid | undefined): void {
    const session = said?.session
    if (said === undefined || session === undefined || !this.events.heard) return
    const { facts, isNew } = said
    const followed = this.#follow(session, record.agentId)
    const context = this.#context(record, session, said)
    if (isNew) this.#tell(followed, [sessionStarted(context)])
    this.#tell(followed, toolResults(context, newResults(followed, facts.toolResults)))
    this.#tell(followed, [callStarted(context, facts)])
  }

  responseRead(record: SeenRow, said: ResponseSaid | undefined): void {
    const session = said?.session
    if (said === undefined || session === undefined || !this.events.heard) return
    const { facts } = said
    const followed = this.#follow(session, record.agentId)
    for (const { id, name } of facts?.toolCalls ?? []) {
      if (id === undefined || followed.called.size >= MAX_CALLS) continue
      followed.called.set(id, name)
      followed.told.delete(id)
    }
    this.#tell(followed, callEnded(this.#context(record, session, said), facts))
  }

  sessionEnded(session: Session, at: number): void {
    const followed = this.#followed.get(session.key)
    this.#followed.delete(session.key)
    if (!this.events.heard || followed === undefined) return
    const { agentId, events } = followed
    this.events.emit(sessionEnded(session, { at, agentId, events }))
  }

  #context(
    record: SeenRow,
    session: Session,
    { isWithheld }: Pick<RequestSaid, 'isWithheld'>,
  ): CallContext {
    const kept = isWithheld ? 'none' : this.#kept
    return { record, session, at: this.#clock.now(), kept }
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
