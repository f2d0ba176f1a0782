/** What asking the policies needs. */
import type { Clock } from '../../core/clock.js'
import type { Log } from '../../core/log.js'
import type { HeldCall, HoldLimits, Holds } from '../../household/holds.js'
import type { Overrides } from '../../household/overrides.js'
import type { AccessGate } from '../../policy/access-gate.js'
import type { Decider } from '../../policy/decider.js'
import type { Processors } from '../../processors/processors.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { Observers } from '../words/observer.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/** Policies, prices, and what people have allowed beside them. */
export interface JudgingPort {
  readonly clock: Clock
  readonly log: Log
  readonly observers: Pick<Observers, 'decided'>
  readonly decider: Pick<
    Decider,
    | 'idle'
    | 'decide'
    | 'readsFindings'
    | 'readsCalls'
    | 'detector'
    | 'readsContent'
    | 'judgesCalls'
    | 'approved'
    | 'markKey'
    | 'spend'
    | 'budgets'
    | 'flight'
    | 'told'
    | 'zone'
    | 'nameOf'
    | 'join'
    | 'enforces'
    | 'mayBlock'
  >
  /** Other programs that look after the policies. */
  readonly processors: Pick<Processors, 'all' | 'at'>
  /** How far codings are undone for them. */
  readonly policy: Pick<PolicySnapshot, 'coding'>
  /** What keys of ours are good for. */
  readonly keys: Pick<AccessGate, 'tokens' | 'model' | 'isBudgeted' | 'budget'>
  /** Prices, names of hosts, and how programs are told of a block. */
  readonly catalogue: Pick<Catalogue, 'model' | 'most' | 'blockStatus' | 'entryFor'>
  /** Requests that wait for the word of an adult. */
  readonly holds: Pick<Holds, 'wait' | 'giveUp'>
  readonly holdLimits: HoldLimits
  /** One begins to wait: for the record, and for whoever is told. */
  readonly tellHeld: (call: HeldCall) => void
  /** What frees a device, or one request, from a policy, and what was approved before. */
  readonly overrides: Pick<
    Overrides,
    'byHeader' | 'token' | 'askToken' | 'passed' | 'pass' | 'counted' | 'refused'
  >
}
