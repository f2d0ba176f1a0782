/** The ways by which a request at a door may go: pools of targets, each with what goes there. */
import type { Target } from '../../net/dial.js'
import type { Pool } from '../../pools/pool.js'

/** A request as one target is to have it. */
export interface Outgoing {
  readonly target: Target
  /** Origin-form. */
  readonly path: string
  /** End-to-end fields, flat. */
  readonly fields: readonly string[]
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
}
