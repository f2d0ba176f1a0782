/** What our own pages need. */
import type { SocketAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import type { Concern } from '../../core/concern.js'
import type { Memory } from '../../learned/memory.js'
import type { Trials } from '../../learned/trials.js'
import type { Certificates, Roots } from '../words/certificates.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

export interface SitePort {
  readonly policy: PolicySnapshot
  readonly clock: Clock
  readonly roots: Roots
  readonly certificates: Pick<Certificates, 'mintable' | 'nextContextFor'>
  readonly memory: Pick<Memory, 'forget' | 'gotRoot'>
  readonly trials: Trials
  /** What is wrong while traffic passes. */
  readonly concerns: () => readonly Concern[]
  /** The ports on which we listen. */
  readonly ownPorts: () => readonly number[]
  /** Where other devices of our private networks reach us. */
  readonly reach: () => readonly SocketAddress[]
}
