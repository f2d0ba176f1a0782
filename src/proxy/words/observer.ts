/**
 * Who wants to see exchanges is an observer in the list that assembly makes: the record, the
 * counters, the log, alerts. An observer only looks: it changes nothing, its faults cost an
 * exchange nothing, and what it has no method for is not told.
 */
import type {
  ConnectionRecord,
  EventRecord,
  ExchangeRecord,
  RowChange,
} from '../../core/record.js'
import type { RequestSaid, ResponseSaid } from '../../conversations/call-teller.js'
import type { Decision } from '../../policy/engine.js'

/** One exchange, as it is known at the moment: the row that it will be. */
export type SeenExchange = Readonly<ExchangeRecord>

export interface ExchangeObserver {
  readonly name: string
  /** A request's head has come; its body has not. */
  requestHead?(seen: SeenExchange): void
  /** Its body has been looked at as far as it will be; undefined: it could not be read. */
  requestRead?(seen: SeenExchange, said: RequestSaid | undefined): void
  /** Policies have decided; of a WebSocket once for each message. */
  decided?(seen: SeenExchange, decision: Decision): void
  /** The provider's head has come, and has gone on. */
  responseHead?(seen: SeenExchange): void
  /** The response has been looked at as far as it will be. */
  responseRead?(seen: SeenExchange, said: ResponseSaid | undefined): void
  /** The last call for most: the row is complete. */
  ended?(seen: SeenExchange): void
  /** After that: something of it came to be known only now. */
  changed?(seen: SeenExchange, change: RowChange): void
  /** A client's connection has ended; visits to our own site are not told. */
  connectionEnded?(seen: Readonly<ConnectionRecord>): void
  /** A change of state that YORI itself has met, such as of its CA or of steering. */
  event?(record: EventRecord): void
}

/** Those that a generation tells; events are told by what outlives it. */
type Moment = Exclude<keyof ExchangeObserver, 'name' | 'event'>
type TellOf<M extends Moment> = NonNullable<ExchangeObserver[M]>

export interface ObserverFailure {
  readonly observer: string
  readonly moment: Moment
  readonly err: unknown
}

/** The list, told in its order. A moment of which nobody wants to hear is an empty loop. */
export class Observers {
  readonly requestHead: TellOf<'requestHead'>
  readonly requestRead: TellOf<'requestRead'>
  readonly decided: TellOf<'decided'>
  readonly responseHead: TellOf<'responseHead'>
  readonly responseRead: TellOf<'responseRead'>
  readonly ended: TellOf<'ended'>
  readonly changed: TellOf<'changed'>
  readonly connectionEnded: TellOf<'connectionEnded'>
  readonly #failed: (failure: ObserverFailure) => void

  constructor(
    list: readonly ExchangeObserver[],
    failed: (failure: ObserverFailure) => void,
  ) {
    this.#failed = failed
    this.requestHead = this.#tell(list, 'requestHead')
    this.requestRead = this.#tell(list, 'requestRead')
    this.decided = this.#tell(list, 'decided')
    this.responseHead = this.#tell(list, 'responseHead')
    this.responseRead = this.#tell(list, 'responseRead')
    this.ended = this.#tell(list, 'ended')
    this.changed = this.#tell(list, 'changed')
    this.connectionEnded = this.#tell(list, 'connectionEnded')
  }

  #tell(list: readonly ExchangeObserver[], moment: Moment) {
    const hearing = list.filter((observer) => observer[moment] !== undefined)
    return (seen: unknown, more?: unknown): void => {
      for (const observer of hearing)
        try {
          // Each moment's own type says what comes with it.
          observer[moment]?.(seen as never, more as never)
        } catch (err) {
          this.#failed({ observer: observer.name, moment, err })
        }
    }
  }
}
