/**
 * Links by which an ask is answered from where it is read: which messages get one, what one is
 * for, and that of many answers one counts. Knows no time but what it is told.
 */
import { tokenDigest } from './answer-tokens.js'
import type { AnswerTokens } from './answer-tokens.js'
import type { AlertStore, DueDelivery } from './store.js'
import type {
  AlertEvent,
  AlertQuestions,
  Answer,
  AnswerLink,
  SinkSettings,
} from './words.js'

/** What was refused longer ago is not let pass any more: as `yori approve` has it. */
const ASK_AGE_MS = 24 * 3_600_000

export interface LinkTerms {
  /** Without a slash at its end; undefined: no message gets a link. */
  readonly answerUrl: string | undefined
  /** For how long one answers. */
  readonly withinMs: number
  readonly nowMs: number
}

export class AnswerLinks {
  readonly #tokens: AnswerTokens

  constructor(tokens: AnswerTokens) {
    this.#tokens = tokens
  }

  /** The event of a message that is about to be sent, with a link where it may be answered. */
  into(
    store: AlertStore,
    { sink, due }: { readonly sink: SinkSettings; readonly due: DueDelivery },
    { answerUrl, withinMs, nowMs }: LinkTerms,
  ): AlertEvent {
    const { id, alert, event } = due
    const { code } = event.metadata
    // What is collected in logs is read by more than who may say yes.
    const isTold = event.rule === 'ask' && sink.type !== 'syslog'
    const until = Math.min(nowMs + withinMs, event.at + ASK_AGE_MS)
    if (answerUrl === undefined || !isTold || typeof code !== 'string') return event
    const token = this.#tokens.of(id)
    const digest = tokenDigest(token)
    if (digest === undefined || until <= nowMs) return event
    const link = { digest, alert, sink: sink.name, made: nowMs, until }
    if (!store.all(() => store.answers.offer(link))) return event
    return { ...event, answer: { url: `${answerUrl}/answer/${token}`, until, code } }
  }

  /** Undefined: there is no such link. */
  look(store: AlertStore, token: string, nowMs: number): AnswerLink | undefined {
    const digest = tokenDigest(token)
    return digest && store.answers.look(digest, nowMs)
  }

  /** In one transaction, so that of two at once one is taken. */
  answer(
    store: AlertStore,
    { token, said }: { readonly token: string; readonly said: Answer },
    nowMs: number,
  ): AlertQuestions['answer']['found'] {
    return store.all(() => {
      const link = this.look(store, token, nowMs)
      if (link?.state !== 'open') return link && { link, taken: false }
      store.answers.say(link.alert, said, link.sink, nowMs)
      store.change(link.alert, 'acknowledged', link.sink, null)
      return { link, taken: true }
    })
  }

  /** What was said by it could not be done. */
  reopen(store: AlertStore, token: string, nowMs: number): boolean {
    const link = this.look(store, token, nowMs)
    if (link === undefined) return false
    store.all(() => {
      store.answers.unsay(link.alert)
      store.change(link.alert, 'new', link.sink, null)
    })
    return true
  }
}
