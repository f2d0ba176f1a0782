/**
 * Everything that one configuration brings to life and the next replaces: the CA's contexts,
 * the dialer, the pools, the servers of TLS and HTTP. A connection stays with the generation
 * in which it began, but its requests go to the one that is in force when they come; a
 * generation is closed when its connections have ended.
 */
import { readFile, stat } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { createSecureContext, rootCertificates } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { derOf } from '../../ca/export.js'
import { LeafContexts } from '../../ca/leaf-cache.js'
import { mobileconfig } from '../../ca/mobileconfig.js'
import { NextChain } from '../../ca/next-chain.js'
import { openAuthority } from '../../ca/authority.js'
import type { Authority } from '../../ca/authority.js'
import { caSettingsOf } from './from-config/ca.js'
import { loadCatalogue } from '../../config/read-catalogue.js'
import { formatProblem } from '../../config/problem.js'
import type { Config } from '../../config/schema.js'
import { parseSocketAddress, Prefixes } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import type { AuditSink } from '../core/record.js'
import type { Deadlines } from '../net/deadlines.js'
import { Dialer } from '../net/dial.js'
import { NextContexts } from '../../ca/next-contexts.js'
import type { OwnAddresses } from '../net/own-addresses.js'
import { ProxyUsers } from '../net/proxy-users.js'
import { Resolver } from '../net/resolver.js'
import { Upstream } from '../net/upstream.js'
import { SPOKEN } from '../policy/route.js'
import { deciderOf, overridesOf } from './from-config/policies.js'
import type { PolicyEdges } from './from-config/policies.js'
import { Admission } from '../proxy/bounds/admission.js'
import { ByteBudget } from '../proxy/bounds/byte-budget.js'
import type { Conversations } from '../conversations/conversations.js'
import {
  recordRefused,
  serveConnect,
  serveConnection,
} from '../proxy/connection/connection.js'
import { H2Front } from '../proxy/fronts/h2-front.js'
import { HttpFront } from '../proxy/fronts/http-front.js'
import { TlsTerminator } from '../proxy/fronts/tls-terminator.js'
import type { LearnedNames } from '../learned/learned.js'
import { providerAt, refuseRaw } from '../proxy/answers/refusal.js'
import { serveRequest } from '../proxy/dispatch/requests.js'
import type { Fronts } from '../proxy/connection/served.js'
import type { ConnectionState } from '../proxy/words/connection-state.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import type { Certificates, Roots } from '../proxy/words/certificates.js'
import type { Services } from './services.js'
import { TicketKeys } from '../proxy/fronts/ticket-keys.js'
import { Undecided } from '../proxy/bounds/undecided.js'
import { serveUpgrade } from '../proxy/dispatch/upgrade-request.js'
import type { Catalogue } from '../providers/catalogue.js'
import { recognise } from '../providers/index.js'
import { observersOf } from './observers.js'
import { OWN_NAMES, snapshotOf } from './from-config/pipeline.js'
import { succeeds } from './succession.js'

export interface GenerationEdges extends PolicyEdges {
  readonly audit: AuditSink
  readonly metering: ExchangeObserver
  readonly deadlines: Deadlines
  readonly own: OwnAddresses
  readonly ticketKeys: TicketKeys
  readonly memory: LearnedNames
  readonly trials: Services['trials']
  readonly trust: Services['trust']
  /** The ports on which we listen. */
  readonly ownPorts: () => readonly number[]
  readonly reach: Services['reach']
  readonly conversations: Conversations
  readonly identify: Services['identify']
  readonly destinations: Services['destinations']
}

export class Generation {
  readonly config: Config
  readonly authority: Authority
  readonly services: Services
  readonly #fronts: Fronts
  readonly #upstream: Upstream
  readonly #open = new Set<Promise<void>>()
  /** The newest generation, once it is no longer this one. */
  #newest: (() => Generation) | undefined

  private constructor(
    config: Config,
    authority: Authority,
    services: Services,
    fronts: (servingOf: (state: ConnectionState) => Serving) => Fronts,
  ) {
    this.config = config
    this.authority = authority
    this.services = services
    this.#upstream = services.upstream
    this.#fronts = fronts((state) => this.#servingOf(state).serving)
  }

  /**
   * Builds everything and touches nothing that runs.
   * @throws YORI_CA_*, YORI_CONFIG_INVALID
   */
  static async build(config: Config, edges: GenerationEdges): Promise<Generation> {
    const authority = await openAuthority({
      ...caSettingsOf(config),
      clock: edges.clock,
      log: edges.log,
    })
    edges.memory.useRoot(authority.rootFingerprint)
    const certificates = certificatesOf(authority, config, edges.clock)
    const site = await siteCertificate(config, authority, edges.clock)
    const dialer = dialerOf(config, edges)
    const upstream = await upstreamOf(config, dialer)
    const catalogue = await catalogueOf(config)
    const policy = snapshotOf(config, {
      own: edges.own,
      isConfigured: (host) => dialer.override(host) !== undefined,
    })
    const services: Services = {
      ...edges,
      observers: observersOf(config, edges),
      policy,
      dialer,
      upstream,
      catalogue,
      certificates,
      roots: rootsOf(authority, config.ca.organization),
      admission: new Admission(
        policy.limits.exchanges,
        policy.limits.exchangesPerEndpoint,
      ),
      intercepted: new Admission(
        config.limits.connections,
        policy.limits.connectionsPerEndpoint,
      ),
      users: usersOf(config, edges.clock),
      hasSiteCertificate: config.proxy.tls_cert !== undefined,
      undecided: undecidedOf(config, edges),
      held: new ByteBudget(
        config.limits.held_body_bytes,
        config.limits.held_body_bytes_per_client,
      ),
      decider: await deciderOf(config, edges),
      overrides: overridesOf(config, edges),
      recognise: (head) => recognise(head, catalogue.entryFor(head.host)?.speaks),
    }
    return new Generation(config, authority, services, (servingOf) => ({
      next: new TlsTerminator({
        // Keys of its own: a session of the other chain must not be resumed here.
        ticketKeys: new TicketKeys(edges.clock.monotonic()),
        // Who offers HTTP/2 alone gets it.
        alpn: ['http/1.1', 'h2'],
        handshakeTimeoutMs: policy.timeouts.clientTlsMs,
        contextOf: (name) => certificates.nextContext(name),
      }),
      http: frontOf(services, servingOf),
      h2: new H2Front({
        limits: policy.limits,
        timeouts: policy.timeouts,
        deadlines: edges.deadlines,
        request: (http, from) => serveRequest(http, from, servingOf(from.state).services),
      }),
      tls: new TlsTerminator({
        ticketKeys: edges.ticketKeys,
        alpn: SPOKEN,
        handshakeTimeoutMs: policy.timeouts.clientTlsMs,
        contextOf: (name) => certificates.get(name),
      }),
      site: new TlsTerminator({
        ticketKeys: edges.ticketKeys,
        alpn: ['http/1.1'],
        handshakeTimeoutMs: policy.timeouts.clientTlsMs,
        contextOf: (name) =>
          services.hasSiteCertificate ? undefined : certificates.get(name),
        ...(site === undefined ? {} : { fallback: site }),
      }),
    }))
  }

  /** Serves one accepted connection to its end. */
  serve(client: Socket): void {
    const served = serveConnection(client, this.services, this.#fronts)
    this.#open.add(served)
    void served.finally(() => this.#open.delete(served))
  }

  /** Counts a connection for which there was no room; it is destroyed afterwards. */
  refuse(client: Socket): void {
    recordRefused(client, this.services)
  }

  /** The issuing CA changed: what our own site shows is signed by it too. */
  async renewSite(): Promise<void> {
    const { clock } = this.services
    const site = await siteCertificate(this.config, this.authority, clock)
    if (site !== undefined) this.#fronts.site.setFallback(site)
  }

  get serving(): Serving {
    return { services: this.services, fronts: this.#fronts }
  }

  /**
   * The requests that still come on its connections go to the newest generation. HTTP/1.1
   * connections end with an answer that says so; on HTTP/2 nothing but GOAWAY could, and to
   * whom it crosses a new stream loses it: they go on. Resolves when all have ended.
   */
  async retire(newest: () => Generation): Promise<void> {
    this.#newest = newest
    this.#fronts.http.retire()
    await this.#ended()
  }

  /** Idle connections end now, busy ones after their response; resolves when all have. */
  async drain(): Promise<void> {
    this.#fronts.http.drain()
    this.#fronts.h2.drain()
    await this.#ended()
  }

  async #ended(): Promise<void> {
    await Promise.all(this.#open)
    await this.#upstream.close()
  }

  /** Who serves the next request of a connection that began here. */
  #servingOf(state: ConnectionState): Generation {
    const newest = this.#newest?.()
    return newest !== undefined && succeeds(state, newest.services) ? newest : this
  }

  /** Ends what is left of the pools. */
  async destroy(): Promise<void> {
    this.services.deadlines.unwatch(this.services.undecided)
    await this.#upstream.destroy()
    this.services.dialer.close()
  }
}

/** What a request meets: the services of a generation, and the servers beside them. */
interface Serving {
  readonly services: Services
  readonly fronts: Fronts
}

function frontOf(
  services: Services,
  servingOf: (state: ConnectionState) => Serving,
): HttpFront {
  const { policy, deadlines } = services
  return new HttpFront({
    limits: policy.limits,
    timeouts: policy.timeouts,
    deadlines,
    handlers: {
      request: (request, response, from) =>
        serveRequest({ request, response }, from, servingOf(from.state).services),
      connect: (request, socket, head, from) => {
        const { state } = from
        serveConnect(request, socket as Socket, head, { state, ...servingOf(state) })
      },
      upgrade: (request, socket, head, from) => {
        const { services: now, fronts } = servingOf(from.state)
        const upgrade = { request, socket: socket as Socket, head }
        serveUpgrade(upgrade, from, { services: now, http: fronts.http })
      },
      malformed: (code, socket, from) => {
        from.state.log.ended(code)
        const provider =
          from.state.intercepted === undefined
            ? undefined
            : providerAt(services, from.state.intercepted.target.host)
        refuseRaw(socket, { code, requestId: from.state.record.connectionId, provider })
      },
    },
  })
}

function certificatesOf(
  authority: Authority,
  config: Config,
  clock: Clock,
): Certificates & { nextContext(name: string): SecureContext | undefined } {
  const chain = new NextChain({ ...caSettingsOf(config), clock })
  const next = new NextContexts(authority, chain, clock)
  const contexts = new LeafContexts({
    authority,
    clock,
    max: config.limits.leaf_contexts,
    contextOptions: { minVersion: 'TLSv1.2' },
  })
  return {
    get: (name) => contexts.get(name),
    contextFor: (name) => contexts.contextFor(name),
    nextContext: (name) => next.get(name),
    nextContextFor: (name) => next.contextFor(name),
    mintable: (name) =>
      authority.permits(name) && authority.usable(clock.now()).kind === 'usable',
  }
}

/** Looks again each time: a rotation changes them while we run. */
function rootsOf(authority: Authority, organization: string): Roots {
  return {
    get rootPem() {
      return authority.rootPem
    },
    get rootFingerprint() {
      return authority.rootFingerprint
    },
    get staged() {
      return authority.staged
    },
    get constrained() {
      return authority.constrained
    },
    condition: (nowMs) => authority.condition(nowMs),
    profileOf: (pem) => mobileconfig(derOf(pem), organization),
  }
}

/** Shown to clients of our own site that send no SNI, or any when the operator gave one. */
async function siteCertificate(
  config: Config,
  authority: Authority,
  clock: Clock,
): Promise<{ cert: string; key: string } | undefined> {
  const { tls_cert: certFile, tls_key: keyFile } = config.proxy
  if (certFile !== undefined && keyFile !== undefined) {
    await refuseExposed(keyFile)
    const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)])
    try {
      createSecureContext({ cert, key })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new YoriError(
        'YORI_CONFIG_INVALID',
        `proxy.tls_cert and proxy.tls_key do not fit together: ${why}`,
        { cause },
      )
    }
    return { cert, key }
  }
  const [name = 'localhost'] = OWN_NAMES
  if (!authority.permits(name) || authority.usable(clock.now()).kind !== 'usable')
    return undefined
  return { cert: authority.mint(name, clock.now()).certPem, key: authority.leafKeyPem }
}

function undecidedOf({ limits }: Config, { deadlines, log }: GenerationEdges): Undecided {
  const undecided = new Undecided({
    max: limits.undecided,
    maxPerClient: limits.undecided_per_client,
    onCrowded: (client, limit) =>
      log.warn({ client, limit }, 'too many connections of which nothing is known yet'),
  })
  deadlines.watch(undecided)
  return undecided
}

function usersOf(config: Config, clock: Clock): ProxyUsers | undefined {
  const { users } = config.access
  if (users.length === 0) return undefined
  return new ProxyUsers(
    users.map(({ name, password_hash: hash }) => ({ name, passwordHash: hash.reveal() })),
    clock,
  )
}

function dialerOf(config: Config, edges: GenerationEdges): Dialer {
  const overrides = new Map<string, SocketAddress>()
  for (const [pattern, text] of Object.entries(config.upstream.resolve)) {
    const address = parseSocketAddress(text)
    if (address !== undefined) overrides.set(pattern.toLowerCase(), address)
  }
  const resolver = new Resolver({
    servers: config.upstream.dns,
    staleMs: config.upstream.dns_stale * 1000,
    timeoutMs: config.timeouts.dns * 1000,
    maxNames: config.limits.dns_names,
    clock: edges.clock,
  })
  return new Dialer({
    overrides,
    lookup: (name) => resolver.lookup(name),
    endLookups: () => resolver.close(),
    isOwnAddress: (address) => edges.own.has(address),
    ownPorts: edges.ownPorts,
    allowed: new Prefixes(config.access.allow_destinations),
    connectTimeoutMs: config.timeouts.connect * 1000,
    keepAliveMs: config.timeouts.tcp_keep_alive * 1000,
  })
}

async function upstreamOf(config: Config, dialer: Dialer): Promise<Upstream> {
  const { timeouts, proxy } = config
  const headSeconds = proxy.upstream_timeout ?? timeouts.response_header
  return new Upstream({
    dialer,
    secureContext: await trustedRoots(config.upstream.extra_ca),
    tlsTimeoutMs: timeouts.upstream_tls * 1000,
    responseHeadTimeoutMs: headSeconds * 1000,
    responseSilenceTimeoutMs: timeouts.response_body * 1000,
    idleTimeoutMs: config.upstream.idle_timeout * 1000,
    maxHeadBytes: config.limits.header_bytes,
    maxIdlePerName: config.upstream.connections_per_name,
    h2StreamWindowBytes: config.limits.h2_stream_window_bytes,
    h2ConnectionWindowBytes: config.limits.h2_connection_window_bytes,
    h2SessionBytes: config.limits.h2_session_bytes,
  })
}

/** The package's, and over it the operator's own. */
async function catalogueOf(config: Config): Promise<Catalogue> {
  const loaded = await loadCatalogue(config.catalogue.file)
  if (loaded.kind === 'ok') return loaded.catalogue
  const lines = loaded.problems.map(formatProblem)
  throw new YoriError(
    'YORI_CONFIG_INVALID',
    `the provider catalogue is not valid\n${lines.join('\n')}`,
  )
}

/** The public roots, and what the operator adds; never one instead of the other. */
async function trustedRoots(extra: readonly string[]): Promise<SecureContext> {
  const added = await Promise.all(extra.map(readPem))
  return createSecureContext({
    ca: [...rootCertificates, ...added],
    minVersion: 'TLSv1.2',
  })
}

/** The key of our own site is held to what the CA's keys are held to. */
async function refuseExposed(keyFile: string): Promise<void> {
  const found = await stat(keyFile).catch(() => undefined)
  if (found === undefined || (found.mode & 0o077) === 0) return
  const mode = (found.mode & 0o777).toString(8)
  throw new YoriError(
    'YORI_CA_KEY_EXPOSED',
    `proxy.tls_key ${keyFile} has mode 0${mode}: others can read it; run: chmod 600 ${keyFile}`,
  )
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new YoriError('YORI_CONFIG_INVALID', `${path}: ${why}`, { cause })
  }
}
