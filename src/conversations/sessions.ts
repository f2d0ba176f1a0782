/**
 * Which requests belong to one conversation. In this order: the id that the client gave, the
 * provider's own ids, the history that the request repeats, and signs that survive a trimmed
 * history (ids of tool calls, the model's own words, an earlier state). Keeps digests and
 * ids, no text. Pure: time and ids come as arguments.
 */
import type { Api, RequestFacts, ResponseFacts } from '../providers/provider.js'
import {
  answerTextKey,
  asksForReset,
  callKeys,
  conversationKeys,
  idKey,
  resultKeys,
} from './session-keys.js'
import type { ConversationKeys } from './session-keys.js'
import { Recent } from '../core/recent.js'

export interface SessionLimits {
  /** Conversations remembered; beyond it the one that rested longest goes. */
  readonly maxSessions: number
  /** A conversation that rests longer than this has ended. */
  readonly idleMs: number
  /** Conversations in one state at once, as when many begin with the same words. */
  readonly maxPerState: number
}

export const SESSION_LIMITS: SessionLimits = {
  maxSessions: 10_000,
  idleMs: 3_600_000,
  maxPerState: 64,
}

/** Of each kind of sign, this many a conversation are remembered on average. */
const SIGNS_PER_SESSION = 2
/** Ended conversations that one call clears away. */
const MAX_SWEPT = 32
/** A conversation may rest this much longer before it is seen. */
const SWEEP_MS = 1000

/** APIs whose requests name the answer that they go on from. */
const CHAINED: ReadonlySet<Api> = new Set(['responses', 'interactions'])

export interface Asking {
  /** The device, by MAC address or else by IP address. */
  readonly device: string
  readonly provider: string
  /** Given by the client. */
  readonly sessionId?: string | undefined
  readonly agentId?: string | undefined
  readonly facts: RequestFacts
}

export type Match =
  'named' | 'response-id' | 'conversation-id' | 'history' | 'fuzzy' | 'new'

export interface Session {
  readonly id: string
  /** Scope and id: an id that a client made up may be used by two devices. */
  readonly key: string
  readonly startedAt: number
  readonly scope: string
  lastAt: number
  state: string
  /** The next request may name the answer by its id. */
  chained: boolean
  /** Digest of the beginning of the model's last words. */
  answer: string | undefined
  exchanges: number
  /** Of all answers in it so far. */
  toolCalls: number
  tokens: number
  /** Of what has a known cost, and of the rest at most. */
  microUsd: number
  atMostMicroUsd: number
  /** It began with history that nobody here has seen. */
  readonly fragmented: boolean
}

export interface Placed {
  readonly session: Session
  readonly match: Match
}

export interface SessionCounts {
  readonly active: number
  readonly created: number
  /** Ended by rest, and by lack of room. */
  readonly expired: number
  readonly evicted: number
  readonly fragmented: number
  /** Requests that went on with a conversation, and those that began one. */
  readonly hits: number
  readonly misses: number
  /** Of the hits, those by signs other than id and history. */
  readonly fuzzyMatches: number
  readonly resets: number
}

export interface SessionsOptions {
  readonly limits?: SessionLimits
  readonly newId: () => string
  /** Told of each conversation that has ended; must not throw. */
  readonly ended?: (session: Session, at: number) => void
}

interface Beginning {
  readonly scope: string
  readonly named: string | undefined
  readonly now: number
}

type Counters = { -readonly [Name in Exclude<keyof SessionCounts, 'active'>]: number }

export class Sessions {
  readonly #limits: SessionLimits
  readonly #newId: () => string
  readonly #ended: (session: Session, at: number) => void
  /** By key; the one that rested longest goes when there is no room. */
  readonly #sessions: Recent<string, Session>
  readonly #byState: Recent<string, string[]>
  readonly #bySign: Recent<string, string>
  /** The time of the last use of any. */
  #lastAt = 0
  #sweptAt = Number.NEGATIVE_INFINITY
  readonly #counts: Counters = {
    created: 0,
    expired: 0,
    evicted: 0,
    fragmented: 0,
    hits: 0,
    misses: 0,
    fuzzyMatches: 0,
    resets: 0,
  }

  constructor(options: SessionsOptions) {
    this.#limits = options.limits ?? SESSION_LIMITS
    this.#newId = options.newId
    this.#ended = options.ended ?? (() => undefined)
    this.#sessions = new Recent({
      max: this.#limits.maxSessions,
      pushedOut: (session) => {
        this.#counts.evicted++
        this.#ended(session, this.#lastAt)
      },
    })
    const max = this.#limits.maxSessions * SIGNS_PER_SESSION
    this.#byState = new Recent({ max })
    this.#bySign = new Recent({ max })
  }

  counts(): SessionCounts {
    return { active: this.#sessions.size, ...this.#counts }
  }

  /** By its key, as long as it lasts. */
  keyed(key: string): Session | undefined {
    return this.#sessions.peek(key)
  }

  /** The conversation of a request, begun when none fits. */
  place(asking: Asking, now: number): Placed {
    this.sweep(now)
    const scope = scopeOf(asking)
    const keys = conversationKeys(asking.facts, scope)
    const placed =
      this.#find(asking, keys, scope) ??
      this.#begin(keys, { scope, named: asking.sessionId, now })
    const { session, match } = placed
    if (match === 'new') this.#counts.misses++
    else this.#counts.hits++
    if (match === 'fuzzy') this.#counts.fuzzyMatches++
    session.state = keys.state
    session.chained = CHAINED.has(asking.facts.api)
    session.exchanges++
    this.#touch(session, now)
    this.#noteState(keys.state, placed)
    const { conversationId } = asking.facts
    if (conversationId !== undefined)
      this.#bySign.set(idKey('conversation', scope, conversationId), session.key)
    return placed
  }

  /** The model has answered in that conversation: the next request may bring these signs. */
  answered(session: Session, facts: ResponseFacts, now: number): void {
    if (this.#sessions.peek(session.key) !== session) return
    const { scope } = session
    session.answer = answerTextKey(facts.text, scope)
    if (session.answer !== undefined) this.#bySign.set(session.answer, session.key)
    if (facts.responseId !== undefined && session.chained)
      this.#bySign.set(idKey('response', scope, facts.responseId), session.key)
    for (const key of callKeys(facts.toolCalls, scope)) this.#bySign.set(key, session.key)
    this.#touch(session, now)
  }

  /** Ends what has rested too long; a bounded number a call, and not at every call. */
  sweep(now: number): void {
    if (Math.abs(now - this.#sweptAt) < SWEEP_MS) return
    this.#sweptAt = now
    const over: Session[] = []
    for (const session of this.#sessions.oldestFirst()) {
      if (now - session.lastAt <= this.#limits.idleMs) break
      // Some are left: they are next soon.
      if (over.push(session) === MAX_SWEPT) {
        this.#sweptAt = Number.NEGATIVE_INFINITY
        break
      }
    }
    for (const session of over) {
      this.#counts.expired++
      this.#sessions.delete(session.key)
      this.#ended(session, session.lastAt)
    }
  }

  /** Nothing goes on from here: every conversation has ended, the longest rested first. */
  endAll(now: number): void {
    const left = [...this.#sessions.oldestFirst()]
    this.#bySign.clear()
    this.#byState.clear()
    for (const session of left) {
      this.#sessions.delete(session.key)
      this.#ended(session, now)
    }
  }

  #find(asking: Asking, keys: ConversationKeys, scope: string): Placed | undefined {
    const { sessionId, facts } = asking
    if (sessionId !== undefined) {
      const session = this.#sessions.peek(keyOf(scope, sessionId))
      return session === undefined ? undefined : { session, match: 'named' }
    }
    if (asksForReset(facts.lastUserText)) {
      this.#counts.resets++
      return undefined
    }
    return this.#byIds(facts, scope) ?? this.#byHistory(facts, keys, scope)
  }

  #byIds(facts: RequestFacts, scope: string): Placed | undefined {
    const { previousResponseId, conversationId } = facts
    if (previousResponseId !== undefined) {
      const session = this.#signed(idKey('response', scope, previousResponseId))
      if (session !== undefined) return { session, match: 'response-id' }
    }
    if (conversationId === undefined) return undefined
    const session = this.#signed(idKey('conversation', scope, conversationId))
    return session === undefined ? undefined : { session, match: 'conversation-id' }
  }

  /** A request in which the model has said nothing is a beginning, whatever was said before. */
  #byHistory(
    facts: RequestFacts,
    keys: ConversationKeys,
    scope: string,
  ): Placed | undefined {
    if (keys.before !== undefined) {
      const session = this.#inState(keys.before, keys.answer)
      if (session !== undefined) return { session, match: 'history' }
    }
    const signs = facts.toolResults.length === 0 ? [] : resultKeys(facts, scope).reverse()
    if (keys.answer !== undefined) signs.push(keys.answer)
    for (const sign of signs) {
      const session = this.#signed(sign)
      if (session !== undefined) return { session, match: 'fuzzy' }
    }
    for (const state of keys.earlier()) {
      const session = this.#inState(state, undefined)
      if (session !== undefined) return { session, match: 'fuzzy' }
    }
    return undefined
  }

  /**
   * Of several in one state: whoever got that answer, else the first that is still there,
   * else the newest, as when a message was edited and sent again.
   */
  #inState(state: string, answer: string | undefined): Session | undefined {
    const known = (this.#byState.get(state) ?? [])
      .map((key) => this.#sessions.peek(key))
      .filter((session) => session !== undefined)
    const there = known.filter((session) => session.state === state)
    return (
      there.find((session) => answer !== undefined && session.answer === answer) ??
      there[0] ??
      known.at(-1)
    )
  }

  #signed(sign: string): Session | undefined {
    const key = this.#bySign.get(sign)
    return key === undefined ? undefined : this.#sessions.peek(key)
  }

  #begin(keys: ConversationKeys, about: Beginning): Placed {
    const { scope, named, now } = about
    const fragmented = keys.clientMessages > 1
    const id = named ?? this.#newId()
    const session: Session = {
      id,
      key: keyOf(scope, id),
      startedAt: now,
      scope,
      lastAt: now,
      state: keys.state,
      answer: undefined,
      exchanges: 0,
      toolCalls: 0,
      tokens: 0,
      microUsd: 0,
      atMostMicroUsd: 0,
      fragmented,
      chained: false,
    }
    this.#counts.created++
    if (fragmented) this.#counts.fragmented++
    return { session, match: 'new' }
  }

  /** May end another to make room. */
  #touch(session: Session, now: number): void {
    session.lastAt = now
    this.#lastAt = now
    this.#sessions.set(session.key, session)
  }

  #noteState(state: string, { session, match }: Placed): void {
    const { key } = session
    const list = this.#byState.get(state)
    if (list === undefined) {
      this.#byState.set(state, [key])
      return
    }
    const at = match === 'new' ? -1 : list.indexOf(key)
    if (at >= 0) list.splice(at, 1)
    list.push(key)
    if (list.length > this.#limits.maxPerState) list.shift()
  }
}

function scopeOf({ device, agentId }: Asking): string {
  return agentId === undefined ? device : `${device}\n${agentId}`
}

function keyOf(scope: string, id: string): string {
  return `${scope}\n${id}`
}
