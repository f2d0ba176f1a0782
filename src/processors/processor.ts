/**
 * One processor of the configuration: which exchanges it is shown, what of them, and how long
 * that may take. It always comes to something: a verdict, or a failure that costs its timeout
 * at most. Its dialect knows how it is spoken to.
 */
import type { Clock } from '../core/clock.js'
import type { Log } from '../core/log.js'
import { Breaker } from './breaker.js'
import type { BreakerState } from './breaker.js'
import { mayChange } from './fields.js'
import type { Dialect } from './dialect.js'
import { Lane } from './lane.js'
import { Patience } from './patience.js'
import type { Told } from './told.js'
import type {
  Asked,
  FieldChange,
  Introduction,
  ProcessorEvent,
  Verdict,
} from './words.js'
import { failureOf, ProcessorFailure } from './words.js'

/** How often one that is not asked is looked for. */
const LOOK_MS = 500
/** How long such a look may take. */
const LOOK_PATIENCE_MS = 1000

export interface ProcessorOptions {
  readonly name: string
  readonly events: ReadonlySet<ProcessorEvent>
  readonly action: 'allow' | 'alert' | 'block'
  readonly order: number
  readonly failMode: 'open' | 'closed'
  readonly timeoutMs: number
  /** Questions that wait for their turn. */
  readonly queue: number
  /** Credentials that it is shown and may write; lower-case. */
  readonly named: ReadonlySet<string>
  /** It sees a body as it came, not what policies left of it. */
  readonly seesOriginal: boolean
  /** The longest body that it is shown. */
  readonly bodyBytes: number
  /** Of a longer one it is shown that much, and no failure is made of it. */
  readonly isPartialFine: boolean
  /** Media types whose bodies it is shown; `text/*` stands for all of its kind. */
  readonly contentTypes: readonly string[]
  /** Any of them; none: all exchanges. */
  readonly routes: readonly ProcessorRoute[]
  readonly dialect: Dialect
  readonly clock: Clock
  readonly log: Log
}

/** All that it names must be so. */
export interface ProcessorRoute {
  readonly endpoint?: ((host: string) => boolean) | undefined
  readonly provider?: string | undefined
  /** The beginning of the path. */
  readonly path?: string | undefined
  readonly device?: ((device: RoutedDevice) => boolean) | undefined
}

export interface RoutedDevice {
  readonly ip: string
  readonly mac?: string
  readonly name?: string | undefined
}

export interface RoutedExchange {
  readonly host: string
  readonly provider: string | undefined
  readonly path: string
  readonly device: RoutedDevice
}

export type Heard =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'failed'; readonly failure: ProcessorFailure }

/** What is counted of it since it was configured. */
export interface ProcessorCounts {
  asked: number
  blocked: number
  failed: number
  /** Words that it was not told. */
  untold: number
}

export class Processor {
  readonly options: ProcessorOptions
  readonly counts: ProcessorCounts = { asked: 0, blocked: 0, failed: 0, untold: 0 }
  lastFailure: ProcessorFailure | undefined
  readonly #breaker: Breaker
  readonly #lane: Lane
  #looking: NodeJS.Timeout | undefined
  /** Connections that it had ended when it was looked for last. */
  #losses = 0
  #isClosed = false

  constructor(options: ProcessorOptions) {
    this.options = options
    this.#breaker = new Breaker(options.clock)
    this.#lane = new Lane(options.dialect.atOnce, options.queue)
  }

  get name(): string {
    return this.options.name
  }

  get breaker(): { readonly state: BreakerState; readonly trips: number } {
    const { state, trips } = this.#breaker
    return { state, trips }
  }

  get waiting(): number {
    return this.#lane.waiting
  }

  hears(event: ProcessorEvent): boolean {
    return this.options.events.has(event)
  }

  isFor({ host, provider, path, device }: RoutedExchange): boolean {
    const { routes } = this.options
    if (routes.length === 0) return true
    return routes.some(
      (route) =>
        (route.endpoint?.(host) ?? true) &&
        (route.provider === undefined || route.provider === provider) &&
        (route.path === undefined || path.startsWith(route.path)) &&
        (route.device?.(device) ?? true),
    )
  }

  isShownType(contentType: string | undefined): boolean {
    const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    return this.options.contentTypes.some((shown) =>
      shown.endsWith('*') ? type.startsWith(shown.slice(0, -1)) : type === shown,
    )
  }

  /** Of the fields that it wants changed, those that it may change. */
  allowed(changes: readonly FieldChange[]): readonly FieldChange[] {
    if (changes.length === 0) return changes
    return changes.filter(({ name }) => mayChange(name, this.options.named))
  }

  /** Never rejects. `given`: where it begins. */
  async ask(asked: Asked, onPatience?: (patience: Patience) => void): Promise<Heard> {
    this.counts.asked++
    if (!this.#breaker.enter()) {
      this.counts.failed++
      return { kind: 'failed', failure: new ProcessorFailure('resting') }
    }
    const patience = new Patience(this.options.timeoutMs)
    onPatience?.(patience)
    try {
      const verdict = await this.#inTurn(
        () => this.options.dialect.ask(asked, patience),
        patience,
      )
      this.#succeeded()
      if (verdict.ruling.kind !== 'allow') this.counts.blocked++
      return { kind: 'verdict', verdict }
    } catch (cause) {
      this.counts.failed++
      return { kind: 'failed', failure: this.#failed(failureOf(cause)) }
    } finally {
      patience.settle()
    }
  }

  /** For a look. False: it could not be told. Never rejects. */
  async tell(requestId: string, told: Told): Promise<boolean> {
    if (!this.#breaker.enter()) {
      this.counts.untold++
      return false
    }
    const patience = new Patience(this.options.timeoutMs)
    try {
      const { dialect } = this.options
      await this.#inTurn(() => dialect.tell(requestId, told, patience), patience)
      this.#succeeded()
      return true
    } catch (cause) {
      this.counts.untold++
      this.#failed(failureOf(cause))
      return false
    } finally {
      patience.settle()
    }
  }

  /** Nothing more is told of this request. */
  forget(requestId: string): void {
    this.options.dialect.forget(requestId)
  }

  /** Who it is, asked whatever was seen of it before. @throws ProcessorFailure */
  async introduce(withinMs = this.options.timeoutMs): Promise<Introduction> {
    const patience = new Patience(withinMs)
    try {
      return await patience.within(
        this.#inTurn(() => this.options.dialect.introduce(patience), patience),
      )
    } finally {
      patience.settle()
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#looking)
    this.options.dialect.close()
  }

  async #inTurn<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
    const turn = this.#lane.enter(patience)
    if (turn !== undefined) await turn
    try {
      return await work()
    } finally {
      this.#lane.leave()
    }
  }

  #succeeded(): void {
    const { state } = this.#breaker
    this.#breaker.succeeded()
    if (state === 'closed' || this.#breaker.state !== 'closed') return
    this.options.log.info({ processor: this.name }, 'a processor is asked again')
  }

  #failed(failure: ProcessorFailure): ProcessorFailure {
    this.lastFailure = failure
    const { trips } = this.#breaker
    switch (failure.kind) {
      // Nothing was seen of how it is.
      case 'busy':
      case 'given-up':
      case 'body-too-large':
      case 'body-unreadable':
        this.#breaker.passed()
        break
      default:
        this.#breaker.failed(isAbsence(failure))
    }
    if (this.#breaker.isLookedFor) this.#lookForIt()
    if (this.#breaker.trips > trips) {
      const about = { processor: this.name, reason: failure.message }
      this.options.log.warn(about, 'a processor is not asked for a while')
    }
    return failure
  }

  /** Whoever has gone, or was started again, is tried as soon as it is back. */
  #lookForIt(): void {
    if (this.#looking !== undefined || this.#isClosed) return
    this.#losses = this.options.dialect.losses
    this.#looking = setTimeout(() => {
      void this.#look().then(() => {
        this.#looking = undefined
        if (this.#breaker.isLookedFor) this.#lookForIt()
      })
    }, LOOK_MS).unref()
  }

  async #look(): Promise<void> {
    try {
      await this.introduce(LOOK_PATIENCE_MS)
    } catch (cause) {
      if (isAbsence(failureOf(cause))) this.#breaker.absent()
      return
    }
    if (this.options.dialect.losses !== this.#losses) this.#breaker.absent()
    this.#breaker.returned()
  }
}

function isAbsence({ kind }: ProcessorFailure): boolean {
  return kind === 'unreachable' || kind === 'gone'
}
