/** What our own pages need. */
import type { SocketAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import type { Decider } from '../../policy/decider.js'
import type { Concern } from '../../core/concern.js'
import type { Memory } from '../../learned/memory.js'
import type { Trials } from '../../learned/trials.js'
import type { Certificates, Roots } from '../words/certificates.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/**
 * What our pages show, and what a visit of them changes. `roots` are public: no key is in
 * them.
 */
export interface SitePort {
  readonly policy: PolicySnapshot
  readonly clock: Clock
  /** In which people read times. */
  readonly decider: Pick<Decider, 'zone'>
  readonly roots: Roots
  readonly certificates: Pick<Certificates, 'mintable' | 'nextContextFor'>
  /** A device that has got our root, or asks for it, is tried again at once. */
  readonly memory: Pick<Memory, 'forget' | 'gotRoot'>
  readonly trials: Trials
  /** What is wrong while traffic passes. */
  readonly concerns: () => readonly Concern[]
  /** Where devices find our pages: at our listeners, and where the packet filter leads to them. */
  readonly pagePorts: () => readonly number[]
  /** Where other devices of our private networks reach us. */
  readonly reach: () => readonly SocketAddress[]
}
