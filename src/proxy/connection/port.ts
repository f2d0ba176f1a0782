/** What serving a connection needs. */
import type { Clock } from '../../core/clock.js'
import type { Log } from '../../core/log.js'
import type { Device } from '../../core/record.js'
import type { Memory } from '../../learned/memory.js'
import type { Trials } from '../../learned/trials.js'
import type { TrustLedger } from '../../learned/trust-ledger.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { Dialer } from '../../net/dial.js'
import type { LocalPrograms } from '../../net/local-program.js'
import type { OriginalDestination } from '../../net/original-destination.js'
import type { ShownCertificates } from '../../net/shown-certificates.js'
import type { UnsharedAddresses } from '../../net/unshared-addresses.js'
import type { Decider } from '../../policy/decider.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { Admission } from '../bounds/admission.js'
import type { Shares } from '../bounds/shares.js'
import type { Undecided } from '../bounds/undecided.js'
import type { Certificates, Roots } from '../words/certificates.js'
import type { Observers } from '../words/observer.js'
import type { UsersPort } from '../words/known-user.js'
import type { PolicySnapshot } from '../words/policy-snapshot.js'

/**
 * One for each generation of the configuration; a connection keeps that of its beginning.
 * What asks the network has deadlines of its own; what was learned outlives generations.
 */
export interface ConnectionPort extends UsersPort {
  readonly policy: PolicySnapshot
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Deadlines
  /** Told of connections, once each when it ends, and of handshakes; visits to our own site are not told. */
  readonly observers: Pick<Observers, 'connectionEnded' | 'handshake'>
  readonly dialer: Pick<Dialer, 'dial' | 'candidates'>
  readonly destinations: OriginalDestination
  /** What addresses show themselves as. */
  readonly shown: Pick<ShownCertificates, 'holds'>
  /** Those that serve an endpoint and nothing else. */
  readonly unshared: Pick<UnsharedAddresses, 'has' | 'names'>
  /** What is known of a client's device; waits a little for one that is new. */
  readonly identify: (address: string) => Promise<Device>
  /** Which program of this machine a connection is from. */
  readonly programs: LocalPrograms
  /**
   * Those whose first bytes are awaited: `limits.undecided`,
   * `limits.undecided_per_client`.
   */
  readonly undecided: Undecided
  /** Connections of each device: `limits.connections_per_device`. */
  readonly shares: Shares
  /**
   * Intercepted connections, by endpoint and device: `limits.connections_per_endpoint`.
   */
  readonly intercepted: Admission
  readonly certificates: Certificates
  readonly roots: Pick<Roots, 'staged' | 'rootFingerprint'>
  /** What is learned of a device, a program and a name. */
  readonly memory: Pick<Memory, 'learned' | 'refused' | 'hasAccepted'>
  /** Devices that try a root on our own site. */
  readonly trials: Trials
  /** Told of clients that would not have our certificate. */
  readonly trust: Pick<TrustLedger, 'refused'>
  readonly decider: Pick<
    Decider,
    'holds' | 'isPaused' | 'paused' | 'mustInspect' | 'mustRead' | 'byName'
  >
  /** Which programs are known to pin. */
  readonly catalogue: Pick<Catalogue, 'entryFor'>
  /** Our own site has a certificate of the operator's (`proxy.tls_cert`) for any name. */
  readonly hasSiteCertificate: boolean
}
