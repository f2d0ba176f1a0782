/** What a WebSocket that is relayed and read needs. */
import type { Clock } from '../../core/clock.js'
import type { Overrides } from '../../household/overrides.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { AccessGate } from '../../policy/access-gate.js'
import type { Decider } from '../../policy/decider.js'
import type { Processors } from '../../processors/processors.js'
import type { ByteBudget } from '../bounds/byte-budget.js'
import type { ReadingPort } from '../reading/port.js'
import type { Observers } from '../words/observer.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/** What reading needs, and what keeps a relay within its times and its bytes. */
export interface WebsocketPort extends ReadingPort {
  readonly policy: ReadingPort['policy'] &
    Pick<PolicySnapshot, 'timeouts' | 'previewBytes'>
  readonly decider: ReadingPort['decider'] & Pick<Decider, 'giveUp' | 'paused'>
  /** Other programs, which may want to see messages. */
  readonly processors: Pick<Processors, 'hears'>
  /** Is a key of ours still good? */
  readonly keys: Pick<AccessGate, 'refuses'>
  readonly clock: Clock
  readonly deadlines: Deadlines
  /**
   * Bytes of messages that are kept or wait: `limits.held_body_bytes`, and of one client.
   */
  readonly held: ByteBudget
  readonly overrides: Pick<Overrides, 'counted'>
  /** A turn is an exchange of its own. */
  readonly observers: Observers
}
