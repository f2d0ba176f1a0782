/** The ways by which a request at a door may go: pools of targets, each with what goes there. */
import type { Target } from '../../net/dial.js'
import type { UpstreamBody, UpstreamRequest } from '../../net/upstream-words.js'
import type { Pool } from '../../pools/pool.js'

/** A request as one target is to have it. */
export interface Outgoing {
  readonly target: Target
  /** Origin-form. */
  readonly path: string
  /** End-to-end fields, flat. */
  readonly fields: readonly string[]
  /** The request as it goes up, each time that it does; undefined: as it is. */
  readonly sent?: ((request: UpstreamRequest) => UpstreamRequest) | undefined
}

export interface PooledWay {
  readonly pool: Pool
  /** Places in the pool that are not asked: they are refused, or have nothing for this client. */
  readonly without: ReadonlySet<number>
  /** What belongs together there. */
  readonly key: string
  /** As the target at that place of the pool is to have it. */
  readonly to: (index: number) => Outgoing
  readonly headTimeoutMs: number | undefined
  /** Others that may be asked in its place, in order. */
  readonly fallbacks?: readonly FallbackWay[]
}

/** A body as another provider is to have it, and the model that it names there. */
export interface Taken {
  readonly body: UpstreamBody
  readonly model: string | undefined
}

export interface FallbackWay extends Omit<PooledWay, 'fallbacks'> {
  /** Its name of /llm/NAME, and in the record. */
  readonly provider: string
  /** Asked before the other, while one of its targets is up. */
  readonly isPreferred: boolean
  /** Asked after another has failed. */
  readonly isForErrors: boolean
  /** Asked where the money for the other is spent. */
  readonly isForBudgets: boolean
  /** Does a request for this model cost nothing there, at any of its targets? */
  readonly isFree: (model: string | undefined) => boolean
  /** Asked before the other while answers of that begin later than this. */
  readonly slowerThanMs: number | undefined
  /** Undefined: it is not for this request. */
  readonly takes: (body: UpstreamBody) => Taken | undefined
}
