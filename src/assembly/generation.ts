/**
 * Everything that one configuration brings to life and the next replaces: the CA's contexts,
 * the dialer, the pools, the servers of TLS and HTTP. A connection stays with the generation
 * in which it began, but its requests go to the one that is in force when they come; a
 * generation is closed when its connections have ended.
 */
import type { Socket } from 'node:net'
import { openAuthority } from '../../ca/authority.js'
import type { Authority } from '../../ca/authority.js'
import { caSettingsOf } from './from-config/ca.js'
import { loadCatalogue } from '../../config/read-catalogue.js'
import { formatProblem } from '../../config/problem.js'
import type { Config } from '../../config/schema.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import type { AuditSink } from '../core/record.js'
import type { Deadlines } from '../net/deadlines.js'
import type { OwnAddresses } from '../net/own-addresses.js'
import type { Descriptors } from '../net/descriptors.js'
import { ProxyUsers } from '../net/proxy-users.js'
import { ShownCertificates } from '../net/shown-certificates.js'
import { SPOKEN } from '../policy/route.js'
import { certificatesOf, rootsOf, siteCertificate } from './certificates.js'
import { ClientCertificates } from './from-config/client-certificates.js'
import { mcpDoorsOf } from './from-config/mcp-doors.js'
import { pagePortsOf, pageReachOf } from './from-config/page-reach.js'
import { dialerOf, unsharedOf, upstreamOf } from './from-config/upstream.js'
import { milliseconds } from './from-config/milliseconds.js'
import { deciderOf, keysOf, overridesOf } from './from-config/policies.js'
import type { PolicyEdges } from './from-config/policies.js'
import { processorsOf } from './from-config/processors.js'
import { Admission } from '../proxy/bounds/admission.js'
import { processorTelling } from '../proxy/judging/telling.js'
import { ByteBudget } from '../proxy/bounds/byte-budget.js'
import type { Conversations } from '../conversations/conversations.js'
import {
  recordRefused,
  serveConnect,
  serveConnection,
} from '../proxy/connection/connection.js'
import { H2Front } from '../proxy/fronts/h2-front.js'
import { H1Front } from '../proxy/fronts/h1-front.js'
import { HttpFront } from '../proxy/fronts/http-front.js'
import type { FrontHandlers } from '../proxy/fronts/http-front.js'
import { TlsTerminator } from '../proxy/fronts/tls-terminator.js'
import type { LearnedNames } from '../learned/learned.js'
import { providerAt, refuseRaw } from '../proxy/answers/refusal.js'
import { serveRequest } from '../proxy/dispatch/requests.js'
import type { Fronts } from '../proxy/connection/served.js'
import type { ConnectionState } from '../proxy/words/connection-state.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import type { Provider, Services } from './services.js'
import { TicketKeys } from '../proxy/fronts/ticket-keys.js'
import type { PaidAnswers } from '../policy/paid-answers.js'
import { Undecided } from '../proxy/bounds/undecided.js'
import { serveUpgrade } from '../proxy/dispatch/upgrade-request.js'
import { Shares } from '../proxy/bounds/shares.js'
import type { Catalogue } from '../providers/catalogue.js'
import { recognise } from '../providers/index.js'
import { observersOf } from './observers.js'
import { snapshotOf } from './from-config/pipeline.js'
import { AnswerCache } from '../pools/answer-cache.js'
import type { AnswerCacheCounts } from '../pools/answer-cache.js'
import { answerLimitsOf } from './from-config/answers.js'
import { Pools } from '../pools/pools.js'
import type { TargetMemory } from '../pools/pools.js'
import { PoolLooks } from './pool-looks.js'
import { succeeds } from './succession.js'

export interface GenerationEdges extends PolicyEdges {
  readonly audit: AuditSink
  readonly metering: ExchangeObserver
  readonly observers: readonly ExchangeObserver[]
  readonly deadlines: Deadlines
  readonly own: OwnAddresses
  readonly ticketKeys: TicketKeys
  /** What is known of targets of pools. */
  readonly targets: TargetMemory
  /** What became of requests that may be answered out of the cache. */
  readonly answerCounts: AnswerCacheCounts
  readonly memory: LearnedNames
  readonly trials: Services['trials']
  readonly trust: Services['trust']
  readonly toolPins: Services['toolPins']
  readonly holds: Services['holds']
  readonly tellHeld: Services['tellHeld']
  /** The ports on which we listen. */
  readonly ownPorts: () => readonly number[]
  readonly reach: Services['reach']
  readonly openAnswers: Services['openAnswers']
  readonly clocks: Services['clocks']
  readonly concerns: Services['concerns']
  readonly descriptors: Descriptors
  readonly conversations: Conversations
  readonly paidAnswers: PaidAnswers
  readonly identify: Services['identify']
  readonly programs: Services['programs']
  readonly destinations: Services['destinations']
  /** In the place of the providers; undefined: they are asked. */
  readonly provider?: Provider | undefined
}

export class Generation {
  readonly config: Config
  readonly authority: Authority
  readonly services: Services
  readonly #fronts: Fronts
  readonly #upstream: Provider
  readonly #looks: PoolLooks
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
    // Not before: a build that fails is not looked at for ever.
    services.deadlines.watch(services.undecided)
    const { pools, upstream, catalogue, policy } = services
    const doors = policy.doors.pools
    this.#looks = new PoolLooks({ pools, upstream, catalogue, doors })
    if (doors.length > 0) services.deadlines.watch(this.#looks)
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
    const certs = ClientCertificates.of(config)
    const upstream =
      edges.provider ??
      (await upstreamOf(config, dialer, { ...edges, certificates: certs.all }))
    const catalogue = await catalogueOf(config)
    const policy = snapshotOf(config, {
      own: edges.own,
      isConfigured: (host) => dialer.override(host) !== undefined,
      catalogue,
      mcp: await mcpDoorsOf(config, edges.clock),
      identityOf: (named) => certs.idOf(named),
    })
    const processors = processorsOf(config, edges)
    const decider = await deciderOf(config, edges)
    const telling = processorTelling(processors, policy.coding, (device) =>
      decider.nameOf(device),
    )
    const services: Services = {
      ...edges,
      reach: pageReachOf(config, edges.reach, edges.own),
      pagePorts: pagePortsOf(config, edges.ownPorts),
      observers: observersOf(config, {
        ...edges,
        observers:
          telling === undefined ? edges.observers : [...edges.observers, telling],
      }),
      policy,
      dialer,
      shown: new ShownCertificates({ dialer }),
      unshared: unsharedOf(config, catalogue, dialer),
      upstream,
      pools: new Pools(
        policy.doors.pools.map(({ settings }) => settings),
        () => edges.clock.monotonic(),
        edges.targets,
      ),
      answers: answersOf(config, edges),
      catalogue,
      certificates,
      roots: rootsOf(authority, config.ca.organization),
      shares: new Shares(config.limits.connections_per_device),
      admission: new Admission({
        max: policy.limits.exchanges,
        maxPerEndpoint: policy.limits.exchangesPerEndpoint,
        maxPerDevice: config.limits.exchanges_per_device,
      }),
      intercepted: new Admission({
        max: config.limits.connections,
        maxPerEndpoint: policy.limits.connectionsPerEndpoint,
        maxPerDevice: config.limits.connections_per_device,
      }),
      users: usersOf(config, edges.clock),
      hasSiteCertificate: config.proxy.tls_cert !== undefined,
      undecided: undecidedOf(config, edges),
      held: new ByteBudget(
        config.limits.held_body_bytes,
        config.limits.held_body_bytes_per_client,
      ),
      decider,
      overrides: overridesOf(config, edges),
      holdLimits: {
        waitMs: milliseconds(config.enforcement.hold_seconds),
        max: config.limits.held_for_approval,
      },
      keys: keysOf(config, edges),
      processors,
      recognise: (head, speaks) =>
        recognise(head, speaks ?? catalogue.entryFor(head.host)?.speaks),
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
        // Who offers HTTP/2 alone gets it: a browser that has us as its proxy by TLS offers both,
        // and would ask for CONNECT by it.
        alpn: ['http/1.1', 'h2'],
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
    // The newest looks at those that it has, and what is known of them is one.
    this.services.deadlines.unwatch(this.#looks)
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
    this.services.processors.close()
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
    this.services.processors.close()
    this.services.deadlines.unwatch(this.#looks)
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
): H1Front {
  const { policy, deadlines } = services
  const { limits, timeouts } = policy
  const malformed: FrontHandlers['malformed'] = (code, socket, { state }) => {
    state.log.ended(code)
    const { intercepted, record } = state
    // Who speaks under our certificate, whatever it says, has not refused it.
    if (intercepted !== undefined) intercepted.heard = true
    const provider = intercepted && providerAt(services, intercepted.target.host)
    refuseRaw(socket, { code, requestId: record.connectionId, provider })
  }
  const others = new HttpFront({
    ...{ limits, timeouts, deadlines },
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
      malformed,
    },
  })
  return new H1Front({
    ...{ limits, timeouts, deadlines, others, malformed },
    request: (http, from) => serveRequest(http, from, servingOf(from.state).services),
  })
}

function undecidedOf({ limits }: Config, { log }: GenerationEdges): Undecided {
  return new Undecided({
    max: limits.undecided,
    maxPerClient: limits.undecided_per_client,
    onCrowded: (client, limit) =>
      log.warn({ client, limit }, 'too many connections of which nothing is known yet'),
  })
}

function usersOf(config: Config, clock: Clock): ProxyUsers | undefined {
  const { users } = config.access
  if (users.length === 0) return undefined
  return new ProxyUsers(
    users.map(({ name, password_hash: hash }) => ({ name, passwordHash: hash.reveal() })),
    clock,
  )
}

/** Empty with each configuration: another may ask others, or with other keys. */
function answersOf(
  config: Config,
  { clock, answerCounts }: GenerationEdges,
): AnswerCache | undefined {
  const { cache } = config.gateway
  return cache.enabled
    ? new AnswerCache(answerLimitsOf(cache), () => clock.monotonic(), answerCounts)
    : undefined
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
