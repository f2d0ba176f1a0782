/**
 * What the pipeline is given: the edges as narrow interfaces, and the policy snapshot that a
 * connection keeps for its whole life.
 */
import type { SecureContext } from 'node:tls'
import type { Prefixes, SocketAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import type { Log } from '../../core/log.js'
import type { AuditSink, Device } from '../../core/record.js'
import type { CodingLimits } from '../../http/content-coding.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { Deadlines } from '../../net/deadlines.js'
import type { Dialer } from '../../net/dial.js'
import type { OriginalDestination } from '../../net/original-destination.js'
import type { ProxyUsers } from '../../net/proxy-users.js'
import type { Upstream } from '../../net/upstream.js'
import type { AccessPolicy, Caller } from '../../policy/access.js'
import type { Decider } from '../../policy/decider.js'
import type { Catalogue } from '../../providers/catalogue.js'
import type { Recognised } from '../../providers/index.js'
import type { ExchangeHead } from '../../providers/provider.js'
import type { Admission } from '../bounds/admission.js'
import type { ByteBudget } from '../bounds/byte-budget.js'
import type { Conversations } from '../../conversations/conversations.js'
import type { Memory } from '../../learned/memory.js'
import type { Overrides } from '../../household/overrides.js'
import type { Trials } from '../../learned/trials.js'
import type { TrustLedger } from '../../learned/trust-ledger.js'
import type { RoutePolicy } from '../../policy/route.js'
import type { Observers } from './observer.js'
import type { Undecided } from '../bounds/undecided.js'

/** One generation of configuration, immutable. */
export interface PolicySnapshot {
  readonly mode: 'observe' | 'advisory' | 'enforce'
  readonly enforcementEnabled: boolean
  readonly routes: RoutePolicy
  readonly access: AccessPolicy
  readonly exemptDevices: Prefixes
  readonly exemptMacs: ReadonlySet<string>
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  /** `proxy.max_request_size`; its default holds on the direct way only. */
  readonly maxRequestBytes: {
    readonly direct: number
    readonly intercepted: number | undefined
  }
  readonly previewBytes: number
  /** Of a prompt, in the record. */
  readonly promptPreviewChars: number
  readonly bodies: KeptBodies
  readonly json: JsonLimits
  /** Of content codings that are undone to read what is inside. */
  readonly coding: CodingLimits
  /** Record the names of tunnelled connections that are no endpoints. */
  readonly recordTunnelNames: boolean
}

/** What is kept of the texts of an exchange. */
export interface KeptBodies {
  readonly request: boolean
  readonly response: boolean
  /** Of each. */
  readonly maxBytes: number
}

/** Bytes and counts. */
export interface PipelineLimits {
  readonly clientHelloBytes: number
  readonly headerBytes: number
  readonly headerCount: number
  readonly headerNameBytes: number
  readonly headerValueBytes: number
  readonly exchanges: number
  readonly exchangesPerEndpoint: number
  readonly connectionsPerEndpoint: number
  readonly h2Streams: number
  readonly h2StreamWindowBytes: number
  readonly h2ConnectionWindowBytes: number
  readonly h2SessionBytes: number
  readonly h2ResetsPerSecond: number
  readonly h2ControlsPerSecond: number
}

/** Milliseconds. */
export interface PipelineTimeouts {
  readonly firstBytesMs: number
  readonly clientHelloMs: number
  readonly clientTlsMs: number
  readonly requestHeadMs: number
  readonly requestBodyMs: number
  readonly keepAliveMs: number
  readonly clientReadMs: number
  readonly h2IdleMs: number
  readonly tunnelIdleMs: number
  readonly websocketIdleMs: number
}

/** Certificates for names: the CA and its cache. */
export interface Certificates {
  /** Contexts that are at hand. */
  get(name: string): SecureContext | undefined
  contextFor(name: string): Promise<SecureContext>
  /** A chain that leads to the staged root alone, when there is one that we can sign by. */
  nextContextFor(name: string): Promise<SecureContext | undefined>
  mintable(name: string): boolean
}

/** The roots that devices trust, or are to trust soon. */
export interface Roots {
  readonly rootPem: string
  /** SHA-256, `AA:BB:...`. */
  readonly rootFingerprint: string
  readonly staged:
    | {
        readonly rootPem: string
        readonly fingerprint: string
        readonly switchAtMs: number | undefined
      }
    | undefined
  /** It carries name constraints. */
  readonly constrained: boolean
  condition(nowMs: number): { readonly kind: 'good' | 'renewal-due' | 'unusable' }
  /** As an Apple configuration profile. */
  profileOf(pem: string): string
}

export interface Services {
  readonly policy: PolicySnapshot
  /** Rows of connections, and events. */
  readonly audit: Pick<AuditSink, 'connection' | 'event'>
  /** Who sees exchanges. */
  readonly observers: Observers
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Deadlines
  readonly dialer: Dialer
  readonly upstream: Upstream
  readonly certificates: Certificates
  readonly memory: Memory
  readonly trials: Trials
  readonly trust: Pick<TrustLedger, 'accepted' | 'refused'>
  readonly roots: Roots
  /** The ports on which we listen. */
  readonly ownPorts: () => readonly number[]
  /** Where other devices of our private networks reach us. */
  readonly reach: () => readonly SocketAddress[]
  /** `access.users`, when there are any: clients beyond loopback name one. */
  readonly users: Pick<ProxyUsers, 'check'> | undefined
  /** Our own site has a certificate of the operator's (`proxy.tls_cert`) for any name. */
  readonly hasSiteCertificate: boolean
  readonly admission: Admission
  /** Intercepted connections, by endpoint. */
  readonly intercepted: Admission
  readonly decider: Pick<
    Decider,
    'idle' | 'holds' | 'mustInspect' | 'redacts' | 'decide' | 'readsFindings' | 'begin'
  >
  readonly undecided: Undecided
  readonly overrides: Overrides
  readonly held: ByteBudget
  /** Hosts and prices. */
  readonly catalogue: Catalogue
  readonly conversations: Conversations
  /** The provider at a host and which of its APIs, by method and path. */
  readonly recognise: (head: ExchangeHead) => Recognised | undefined
  /** What is known of a client's device; waits a little for one that is new. */
  readonly identify: (address: string) => Promise<Device>
  readonly destinations: OriginalDestination
}

/**
 * Has this caller named one of `access.users`, when it must? Only for the explicit and direct
 * ways: TLS in a provider's own name has no place for credentials, there `access.clients`
 * decides alone.
 */
export function isKnownUser(
  services: Pick<Services, 'users'>,
  caller: Caller,
  credentials: string | undefined,
): boolean | Promise<boolean> {
  if (services.users === undefined || caller.loopback) return true
  return services.users.check(credentials)
}
