/**
 * One TCP connection, from accept to its record: find the original destination, peek, route,
 * then tunnel, intercept or refuse.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { isIP } from 'node:net'
import { canonicalAddress, formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import { codeOf, YoriError } from '../core/errors.js'
import type { ErrorCode } from '../core/errors.js'
import { canonicalHostname } from '../core/hostname.js'
import type { Coverage } from '../core/record.js'
import { unreachable } from '../core/unreachable.js'
import { splitAuthority } from '../http/head.js'
import type { Target } from '../net/dial.js'
import { endSoon } from '../net/end-soon.js'
import { peek } from '../net/peek.js'
import type { FirstBytes } from '../net/peek.js'
import { mayCall, mayConnect, mayPass } from '../policy/access.js'
import { chooseRoute } from '../policy/route.js'
import type { Route } from '../policy/route.js'
import type { ClientHello } from '../tls/client-hello.js'
import { helloFingerprint } from '../tls/fingerprint.js'
import { Acceptance } from './acceptance.js'
import { takePlace } from './admission.js'
import { openConnection } from './connection-state.js'
import { noteReset, noteTunnelEnd } from './end-reason.js'
import type { ConnectionState } from './connection-state.js'
import type { H2Front } from './h2-front.js'
import type { HttpFront } from './http-front.js'
import type { TlsTerminator } from './intercept.js'
import { classOfHello, classOfHost } from './name-class.js'
import { refuseRaw } from './refusal.js'
import { isKnownUser } from './services.js'
import type { Services } from './services.js'
import { tunnel } from './tunnel.js'

/** The servers that a connection may be handed to. */
export interface Fronts {
  readonly http: HttpFront
  readonly h2: H2Front
  /** In the providers' names. */
  readonly tls: TlsTerminator
  /** The same, with chains that lead to the staged root alone. */
  readonly next: TlsTerminator
  /** In our own names. */
  readonly site: TlsTerminator
}

/** Never rejects. Resolves when the connection has ended and is recorded. */
export async function serveConnection(
  client: Socket,
  services: Services,
  fronts: Fronts,
): Promise<void> {
  const connection = new Connection(client, services, fronts)
  const { state } = connection
  const { record } = state
  noteReset(client, record)
  try {
    await connection.serve()
    await state.nested
  } catch (cause) {
    connection.failed(cause)
  } finally {
    record.closedAt = services.clock.now()
    record.bytesFromClient = client.bytesRead
    record.bytesToClient = client.bytesWritten
    if (record.coverage === 'failed') record.code ??= 'YORI_CLIENT_GONE'
    if (record.coverage !== 'own') services.audit.connection(record)
  }
}

/** One too many: it is closed unheard, and counted. */
export function recordRefused(client: Socket, services: Services): void {
  const { record } = openConnection(client, services)
  const destination = services.destinations.of(client)
  if (!(destination instanceof Promise) && destination.kind === 'original')
    record.way = 'redirected'
  record.coverage = 'refused'
  record.code = 'YORI_TOO_MANY_CONNECTIONS'
  services.audit.connection(record)
}

/** A CONNECT on a connection that HTTP serves: its socket becomes a tunnel or is intercepted. */
export function serveConnect(
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  context: { state: ConnectionState; services: Services; fronts: Fronts },
): void {
  const { state, services, fronts } = context
  const connection = new Connection(client, services, fronts, state)
  state.nested = connection
    .serveConnect(request, head)
    .catch((cause: unknown) => connection.failed(cause))
}

class Connection {
  readonly state: ConnectionState
  readonly #client: Socket
  readonly #services: Services
  readonly #fronts: Fronts
  #fingerprint = ''
  /** The addresses that were found fit for a CONNECT: these are dialled, no others. */
  #admitted: readonly SocketAddress[] | undefined

  constructor(
    client: Socket,
    services: Services,
    fronts: Fronts,
    state?: ConnectionState,
  ) {
    this.#client = client
    this.#services = services
    this.#fronts = fronts
    this.state = state ?? openConnection(client, services)
  }

  async serve(): Promise<void> {
    const { destinations, identify } = this.#services
    const { state } = this
    // At once: the kernel forgets whom a redirected client had dialled.
    const asked = destinations.of(this.#client)
    const destination = asked instanceof Promise ? await asked : asked
    const isOriginal = destination.kind === 'original'
    const [first, device] = await Promise.all([
      this.#look(!isOriginal),
      identify(state.caller.address),
    ])
    state.record.device = device
    if (!isOriginal) return this.#serveOwn(first, destination.kind)
    state.known = destination.address
    state.record.way = 'redirected'
    return this.#serveRedirected(first, destination.address)
  }

  /** Somebody else's connection, led here by a firewall: at worst it passes untouched. */
  async #serveRedirected(first: FirstBytes, known: SocketAddress): Promise<void> {
    const target = { host: known.address, port: known.port }
    this.state.record.destination = formatSocketAddress(known)
    switch (first.kind) {
      case 'hello':
        return this.#follow(this.#route(first.hello), target)
      case 'http':
      case 'other':
      case 'malformed':
      case 'silent':
        return this.#tunnel('tunnel-not-tls', target)
      case 'partial':
        if (this.#services.policy.mode !== 'enforce') {
          return this.#tunnel('tunnel-hello-timeout', target)
        }
        throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
      case 'closed':
        this.#left()
        return
      default:
        return unreachable(first)
    }
  }

  /** The client dialled us: plain HTTP, a provider's name that leads here, or our own site. */
  async #serveOwn(first: FirstBytes, destination: 'own' | 'unknown'): Promise<void> {
    const { record } = this.state
    switch (first.kind) {
      case 'http':
        return this.#fronts.http.serve(this.#client, this.state)
      case 'hello':
        return this.#serveDialled(first.hello, destination)
      case 'closed':
        record.coverage = 'own'
        this.#client.destroy()
        return
      case 'silent':
      case 'partial':
        throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
      case 'other':
      case 'malformed':
        throw new YoriError('YORI_REQUEST_MALFORMED', 'neither HTTP nor TLS')
      default:
        return unreachable(first)
    }
  }

  async #serveDialled(hello: ClientHello, destination: 'own' | 'unknown'): Promise<void> {
    const { access, routes } = this.#services.policy
    const name = hello.serverName
    const { caller } = this.state
    const leads = name !== undefined && destination === 'unknown'
    if (leads ? !mayPass(access, caller) : !mayCall(access, caller)) {
      this.#refuse('YORI_CLIENT_NOT_ALLOWED')
      return
    }
    if (name !== undefined && routes.endpoints.find(name) !== undefined) {
      this.state.record.way = 'dialled'
      return this.#follow(this.#route(hello), { host: name, port: 443 })
    }
    const isForeign = name !== undefined && !access.isOwnName(name)
    // Redirected, but nobody can tell from where: the name leads on, never to a private address.
    if (isForeign && destination === 'unknown') {
      this.state.record.way = 'redirected'
      return this.#follow(this.#route(hello), { host: name, port: 443 })
    }
    if (isForeign && !this.#services.hasSiteCertificate) {
      this.#refuse('YORI_UNKNOWN_HOST')
      return
    }
    this.state.record.coverage = 'own'
    const { certificates, hasSiteCertificate } = this.#services
    if (name !== undefined && !hasSiteCertificate && certificates.mintable(name)) {
      await certificates.contextFor(name)
    }
    const secure = await this.#fronts.site.handshake(this.#client)
    return this.#fronts.http.serve(secure, this.state)
  }

  /** After 200 the tunnel is peeked into and routed like any other connection. */
  async serveConnect(request: IncomingMessage, head: Buffer): Promise<void> {
    const { state } = this
    state.record.way = 'explicit'
    // Whatever it asked of our own site before, from here on it counts.
    state.record.coverage = 'failed'
    const target = await this.#admitConnect(request)
    if (target === undefined) return
    state.connectTarget = target
    state.record.destination = `${target.host}:${target.port}`
    this.#client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) this.#client.unshift(head)
    const endpoint = this.#services.policy.routes.endpoints.find(target.host)
    const isEndpoint = endpoint !== undefined
    state.record.nameClass = classOfHost(target.host, endpoint)
    const first = await this.#look(isEndpoint)
    switch (first.kind) {
      case 'hello':
        return this.#follow(this.#route(first.hello), target)
      case 'http':
      case 'other':
      case 'malformed':
        return this.#tunnel('tunnel-not-tls', target)
      case 'silent':
        if (!isEndpoint) return this.#tunnel('tunnel-not-tls', target)
        throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
      case 'partial':
        throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
      case 'closed':
        this.#left()
        return
      default:
        return unreachable(first)
    }
  }

  /** Answers 4xx or 5xx and gives nothing when this caller may not have that tunnel. */
  async #admitConnect(request: IncomingMessage): Promise<Target | undefined> {
    const { policy, dialer } = this.#services
    const split = splitAuthority(request.url ?? '')
    const host =
      split === undefined
        ? undefined
        : (canonicalHostname(split.host) ?? canonicalAddress(split.host))
    try {
      if (
        split?.port === undefined ||
        host === undefined ||
        this.state.intercepted !== undefined
      ) {
        throw new YoriError('YORI_REQUEST_MALFORMED', 'CONNECT needs host:port')
      }
      const { caller } = this.state
      const facts = { caller, host, port: split.port }
      const problem = mayConnect(policy.access, policy.routes.endpoints, facts)
      if (problem !== undefined) throw new YoriError(problem.code, problem.detail)
      const credentials = request.headers['proxy-authorization']
      if (!(await isKnownUser(this.#services, caller, credentials))) {
        throw new YoriError('YORI_PROXY_AUTHENTICATION')
      }
      const target = { host, port: split.port }
      // An endpoint is resolved when it is dialled, which a pooled connection may spare.
      if (policy.routes.endpoints.find(host) === undefined)
        this.#admitted = await dialer.candidates(target)
      return target
    } catch (error) {
      if (!(error instanceof YoriError)) throw error
      this.state.record.code = error.code
      this.state.record.coverage = error.source === 'client' ? 'refused' : 'failed'
      refuseRaw(this.#client, {
        code: error.code,
        requestId: randomUUID(),
        provider: undefined,
        detail: error.message,
      })
      return undefined
    }
  }

  async #look(patient: boolean): Promise<FirstBytes> {
    const { policy, undecided } = this.#services
    const { limits, timeouts } = policy
    const place = undecided.enter(this.state.caller.address)
    const found = await peek(this.#client, {
      signal: place.signal,
      maxBytes: limits.clientHelloBytes,
      helloTimeoutMs: patient ? timeouts.requestHeadMs : timeouts.clientHelloMs,
      ...(patient ? {} : { firstBytesTimeoutMs: timeouts.firstBytesMs }),
    })
    place.leave()
    return found
  }

  #route(hello: ClientHello): Route {
    const { policy, certificates, memory, decider, catalogue } = this.#services
    const { device } = this.state.record
    const name = hello.serverName
    const fingerprint = helloFingerprint(hello)
    this.#fingerprint = fingerprint
    const called = this.state.connectTarget?.host
    const learned =
      name === undefined ? undefined : memory.learned({ device, name, fingerprint })
    const entry = name === undefined ? undefined : catalogue.entryFor(name)
    const route = chooseRoute(policy.routes, {
      serverName: name,
      serverNameIsAddress: hello.serverNameIsAddress,
      nameMayBeHidden: (hello.ech || hello.esni) && !this.#isNamedByConnect(),
      ...(called === undefined ? {} : { calledName: called }),
      alpn: hello.alpn,
      speaksH2: entry?.upstream === 'h2',
      deviceExempt:
        policy.exemptDevices.has(device.ip) ||
        (device.mac !== undefined && policy.exemptMacs.has(device.mac)),
      learned,
      mustInspect:
        decider.holds &&
        [name, called].some(
          (one) => one !== undefined && decider.mustInspect(device, one),
        ),
      knownToPin: (entry?.pinnedApps.length ?? 0) > 0,
      mintable: (wanted) => certificates.mintable(wanted),
    })
    if (name !== undefined && route.kind === 'tunnel') {
      const seen = { kind: 'passed', coverage: route.coverage } as const
      this.#services.trials.saw(device, name, seen)
    }
    const endpoint = name === undefined ? undefined : policy.routes.endpoints.find(name)
    if (name !== undefined && (endpoint !== undefined || policy.recordTunnelNames)) {
      this.state.record.serverName = name
    }
    if (!this.#isNamedByConnect())
      this.state.record.nameClass = classOfHello(hello, endpoint)
    return route
  }

  /** What a CONNECT asked for is known, whatever the hello inside shows. */
  #isNamedByConnect(): boolean {
    const host = this.state.connectTarget?.host
    if (host === undefined || isIP(host) !== 0) return false
    return this.#services.policy.routes.endpoints.find(host) === undefined
  }

  async #follow(route: Route, target: Target): Promise<void> {
    switch (route.kind) {
      case 'tunnel':
        return this.#tunnel(route.coverage, target)
      case 'refuse':
        this.#refuse(route.code)
        return
      case 'intercept':
        return this.#intercept(route, target)
      default:
        return unreachable(route)
    }
  }

  async #tunnel(coverage: Coverage, target: Target): Promise<void> {
    const { dialer, deadlines, policy } = this.#services
    const { record, known } = this.state
    record.coverage = coverage
    const dialOptions = {
      ...(known === undefined ? {} : { known, knownOnly: true }),
      ...(this.#admitted === undefined ? {} : { addresses: this.#admitted }),
    }
    try {
      const end = await tunnel(
        this.#client,
        (options) => dialer.dial(target, { ...dialOptions, ...options }),
        {
          deadlines,
          idleMs: policy.timeouts.tunnelIdleMs,
          isDraining: () => this.#fronts.http.draining,
        },
      )
      noteTunnelEnd(end, record)
    } catch (error) {
      record.coverage = 'failed'
      throw error
    }
  }

  async #intercept(
    route: Extract<Route, { kind: 'intercept' }>,
    target: Target,
  ): Promise<void> {
    const { certificates, log, trials, roots } = this.#services
    const { name, endpoint } = route
    const { device } = this.state.record
    let onTrial = false
    try {
      onTrial =
        trials.takesNext(device, name) &&
        (await certificates.nextContextFor(name).catch(() => undefined)) !== undefined
      if (certificates.get(name) === undefined) await certificates.contextFor(name)
    } catch (cause) {
      log.error(
        { err: cause, name },
        'no certificate could be made; the connection passes',
      )
      return this.#tunnel('tunnel-ca-unusable', target)
    }
    const { connectTarget, known } = this.state
    const [address] = isIP(target.host) === 0 ? [known] : (this.#admitted ?? [known])
    const party = { device, name, fingerprint: this.#fingerprint }
    const places = this.#services.intercepted
    const isOneTooMany = !takePlace(places, endpoint.domain, this.#client)
    this.state.intercepted = {
      isOneTooMany,
      endpoint,
      party,
      root: (onTrial ? roots.staged?.fingerprint : undefined) ?? roots.rootFingerprint,
      onTrial,
      heard: false,
      target: { host: name, port: target.port },
      ...(address === undefined ? {} : { known: address }),
      misdirected:
        connectTarget !== undefined &&
        isIP(connectTarget.host) === 0 &&
        connectTarget.host !== name,
    }
    const { h2, http } = this.#fronts
    const acceptance = new Acceptance(
      this.#client,
      this.state.intercepted,
      this.#services,
    )
    const { tls, next } = this.#fronts
    const secure = await acceptance.of((onTrial ? next : tls).handshake(this.#client))
    noteReset(secure, this.state.record)
    this.state.record.coverage = isOneTooMany ? 'refused' : 'inspected'
    if (isOneTooMany) this.state.record.code = 'YORI_TOO_MANY_CONNECTIONS'
    await (secure.alpnProtocol === 'h2' ? h2 : http).serve(secure, this.state)
    // It was we who ended it.
    if (http.draining || this.state.record.code === 'YORI_REQUEST_TIMEOUT') return
    if (acceptance.ended() === 'refused') {
      this.state.record.coverage = 'failed'
      this.state.record.code ??= 'YORI_CLIENT_TLS_FAILED'
    }
  }

  /** A fatal alert before any handshake: `access_denied`, RFC 8446 §6.2. */
  #refuse(code: ErrorCode): void {
    this.state.record.coverage = 'refused'
    this.state.record.code = code
    endSoon(this.#client, Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31))
  }

  /** Before it was known what it wanted. */
  #left(): void {
    this.state.record.code ??= 'YORI_CLIENT_GONE'
    this.#client.destroy()
  }

  failed(cause: unknown): void {
    const { record } = this.state
    const code = codeOf(cause)
    record.code ??= code
    const { log } = this.#services
    if (code === 'YORI_INTERNAL') {
      log.error({ err: cause, connectionId: record.connectionId }, 'connection failed')
    } else if (cause instanceof YoriError && cause.source === 'upstream') {
      log.warn({ code, reason: cause.message }, 'connection failed')
    }
    this.#client.destroy()
  }
}
