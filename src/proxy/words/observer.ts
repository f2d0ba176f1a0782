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

/**
 * What passes of one exchange, byte for byte as its client sends and gets it: for who keeps
 * whole exchanges. What YORI answers itself is not told. Chunks belong to others: they are
 * copied or used at once, and never changed.
 */
export interface ExchangeTap {
  requestBytes(chunk: Buffer): void
  /** End-to-end fields, flat, as they go to the client. */
  responseHead(status: number, fields: readonly string[]): void
  responseBytes(chunk: Buffer): void
  /** Its end has come, and these fields behind it. */
  responseEnd(trailers: readonly string[]): void
  /** It has become a WebSocket: nothing more is told but its end. */
  switched(): void
  /** The last call: the row is complete. `isWhole`: the request came to its end. */
  ended(seen: SeenExchange, isWhole: boolean): void
}

/** From the client's first bytes being given to TLS until it was agreed on. */
export interface SeenHandshake {
  readonly ms: number
  /** By a ticket of an earlier one. */
  readonly isResumed: boolean
}

/** The head of a request, for who keeps whole exchanges. */
export interface TappedHead {
  readonly host: string
  readonly port: number
  /** It came and went in the clear. */
  readonly plain: boolean
  /** Origin-form, with its query: which may hold a key. */
  readonly path: string
  /** End-to-end fields, flat. They hold keys. */
  readonly fields: readonly string[]
}

export interface ExchangeObserver {
  readonly name: string
  /** Asked once an exchange, when its head has come. Undefined: what passes is not wanted. */
  tap?(seen: SeenExchange, head: () => TappedHead): ExchangeTap | undefined
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
  /** A client has agreed to TLS in a provider's name. */
  handshake?(seen: SeenHandshake): void
  /** A client's connection has ended; visits to our own site are not told. */
  connectionEnded?(seen: Readonly<ConnectionRecord>): void
  /** A change of state that YORI itself has met, such as of its CA or of steering. */
  event?(record: EventRecord): void
}

/** Those that a generation tells; events are told by what outlives it. */
type Moment = Exclude<keyof ExchangeObserver, 'name' | 'event' | 'tap'>
type TellOf<M extends Moment> = NonNullable<ExchangeObserver[M]>

export interface ObserverFailure {
  readonly observer: string
  readonly moment: Moment | 'tap'
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
  readonly handshake: TellOf<'handshake'>
  readonly connectionEnded: TellOf<'connectionEnded'>
  readonly #failed: (failure: ObserverFailure) => void
  readonly #tapping: readonly ExchangeObserver[]

  constructor(
    list: readonly ExchangeObserver[],
    failed: (failure: ObserverFailure) => void,
  ) {
    this.#failed = failed
    this.#tapping = list.filter((one) => one.tap !== undefined)
    this.requestHead = this.#tell(list, 'requestHead')
    this.requestRead = this.#tell(list, 'requestRead')
    this.decided = this.#tell(list, 'decided')
    this.responseHead = this.#tell(list, 'responseHead')
    this.responseRead = this.#tell(list, 'responseRead')
    this.ended = this.#tell(list, 'ended')
    this.changed = this.#tell(list, 'changed')
    this.handshake = this.#tell(list, 'handshake')
    this.connectionEnded = this.#tell(list, 'connectionEnded')
  }

  /** Undefined, mostly: nobody keeps this exchange. `head` is made for who asks for it. */
  tap(seen: SeenExchange, head: () => TappedHead): ExchangeTap | undefined {
    let all: ExchangeTap[] | undefined
    for (const observer of this.#tapping)
      try {
        const tap = observer.tap?.(seen, head)
        if (tap !== undefined)
          (all ??= []).push(guarded(tap, (err) => this.#tapFailed(observer, err)))
      } catch (err) {
        this.#tapFailed(observer, err)
      }
    return all === undefined || all.length === 1 ? all?.[0] : together(all)
  }

  #tapFailed({ name }: ExchangeObserver, err: unknown): void {
    this.#failed({ observer: name, moment: 'tap', err })
  }

  #tell(list: readonly ExchangeObserver[], moment: Moment) {
    const hearing: { name: string; tell: (seen: unknown, more: unknown) => void }[] = []
    for (const observer of list) {
      const { name } = observer
      // Each moment's own type says what comes with it. Looked up here: each exchange comes by.
      const tell = observer[moment]?.bind(observer) as
        ((seen: unknown, more: unknown) => void) | undefined
      if (tell !== undefined) hearing.push({ name, tell })
    }
    return (seen: unknown, more?: unknown): void => {
      for (const { name, tell } of hearing)
        try {
          tell(seen, more)
        } catch (err) {
          this.#failed({ observer: name, moment, err })
        }
    }
  }
}

/** One that has failed is told nothing more. */
function guarded(tap: ExchangeTap, failed: (err: unknown) => void): ExchangeTap {
  let isOver = false
  const told = (step: () => void): void => {
    if (isOver) return
    try {
      step()
    } catch (err) {
      isOver = true
      failed(err)
    }
  }
  return tapOf((tell) => told(() => tell(tap)))
}

function together(taps: readonly ExchangeTap[]): ExchangeTap {
  return tapOf((tell) => {
    for (const tap of taps) tell(tap)
  })
}

function tapOf(each: (tell: (tap: ExchangeTap) => void) => void): ExchangeTap {
  return {
    requestBytes: (chunk) => each((tap) => tap.requestBytes(chunk)),
    responseHead: (status, fields) => each((tap) => tap.responseHead(status, fields)),
    responseBytes: (chunk) => each((tap) => tap.responseBytes(chunk)),
    responseEnd: (trailers) => each((tap) => tap.responseEnd(trailers)),
    switched: () => each((tap) => tap.switched()),
    ended: (seen, isWhole) => each((tap) => tap.ended(seen, isWhole)),
  }
}
