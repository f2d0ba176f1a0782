/**
 * Who may use the explicit and direct ways, and for what: YORI is neither an open proxy nor a
 * way around the firewall. Pure; addresses are judged again, after resolving, by the dialer.
 */
import { isIP } from 'node:net'
import { canonicalAddress } from '../core/address.js'
import type { Prefixes } from '../core/address.js'
import type { ErrorCode } from '../core/errors.js'
import { canonicalHostname } from '../core/hostname.js'
import { authorityHost, splitAuthority } from '../http/head.js'
import type { Endpoint, EndpointTable } from './endpoints.js'
import { passesUnread } from './route.js'

export interface AccessPolicy {
  /** `access.clients`, interface names already turned into prefixes. */
  readonly clients: Pick<Prefixes, 'has'>
  /** Who may read the trust page without being one of them. */
  readonly trustReaders: Pick<Prefixes, 'has'>
  /** Is this a path of the trust page? */
  readonly isTrustPath: (path: string) => boolean
  /** Clients whose packets a firewall leads here: those of the steered interfaces. */
  readonly steered: Pick<Prefixes, 'has'>
  /** `access.relay: all`: clients beyond loopback may reach any public host. */
  readonly relayAll: boolean
  /** Ports for CONNECT. */
  readonly ports: ReadonlySet<number>
  /** Ports for absolute-form requests. */
  readonly plainPorts: ReadonlySet<number>
  /** Is this canonical name or address one of ours? */
  readonly isOwnName: (host: string) => boolean
  /** Has the configuration an address for this host (`upstream.resolve`)? */
  readonly isConfigured: (host: string) => boolean
  /** The provider whose API has this path, for clients whose base URL points at us. */
  readonly providerOfPath: (path: string) => string | undefined
}

export interface Caller {
  readonly address: string
  readonly loopback: boolean
}

export function mayCall(access: AccessPolicy, caller: Caller): boolean {
  return caller.loopback || access.clients.has(caller.address)
}

/**
 * May a TLS connection pass whose destination nobody can tell? A steered client has not called
 * us, a firewall led it here: it gets where its name leads, which is never inward.
 */
export function mayPass(access: AccessPolicy, caller: Caller): boolean {
  return mayCall(access, caller) || access.steered.has(caller.address)
}

export type Asked =
  | {
      readonly kind: 'endpoint'
      readonly name: string
      readonly endpoint: Endpoint
      /** Origin-form target for the provider. */
      readonly path: string
      /** Asked for in our own name: its path says whom it means. */
      readonly isByPath?: boolean
      /** Asked for in the clear at a port of its own: it goes on in the clear, to that port. */
      readonly plainPort?: number
    }
  | {
      readonly kind: 'relay'
      readonly host: string
      readonly port: number
      readonly path: string
    }
  /** `target` is the path with its query. */
  | { readonly kind: 'own'; readonly path: string; readonly target: string }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail?: string }

export interface AskedFacts {
  readonly caller: Caller
  /** The request target as received. */
  readonly target: string
  readonly hosts: readonly string[]
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  /** The port at which the client reached us. */
  readonly localPort: number
  /** It brings a key of ours that is good: for what the gateway serves, from anywhere. */
  readonly holdsKey?: boolean
}

/** What a request in the clear, or to our own TLS site, is about. */
export function whatIsAsked(
  access: AccessPolicy,
  endpoints: EndpointTable,
  facts: AskedFacts,
): Asked {
  const asked = facts.target.startsWith('/')
    ? originForm(access, endpoints, facts)
    : absoluteForm(access, endpoints, facts)
  if (mayCall(access, facts.caller) || mayRead(access, facts, asked)) return asked
  if (facts.holdsKey === true && isOfGateway(asked)) return asked
  return refused('YORI_CLIENT_NOT_ALLOWED')
}

/** Asked for in our own name: what its caller may there is for whoever serves it. */
export function isOfGateway(asked: Asked): boolean {
  return asked.kind === 'own' || (asked.kind === 'endpoint' && asked.isByPath === true)
}

/** A device that cannot read how to trust us never will: that much any neighbour may. */
function mayRead(access: AccessPolicy, facts: AskedFacts, asked: Asked): boolean {
  return (
    asked.kind === 'own' &&
    facts.target.startsWith('/') &&
    access.isTrustPath(asked.path) &&
    access.trustReaders.has(facts.caller.address)
  )
}

function originForm(
  access: AccessPolicy,
  endpoints: EndpointTable,
  facts: AskedFacts,
): Asked {
  const [value] = facts.hosts
  if (value === undefined || facts.hosts.length > 1) {
    return refused('YORI_REQUEST_MALFORMED', 'a request needs exactly one Host field')
  }
  const authority = splitAuthority(value)
  if (authority === undefined)
    return refused('YORI_REQUEST_MALFORMED', 'Host is malformed')
  if (isCrossSite(access, facts)) return refused('YORI_CLIENT_CROSS_SITE')
  const name = canonicalHostname(authority.host)
  const endpoint = name === undefined ? undefined : endpoints.find(name)
  if (name !== undefined && endpoint !== undefined) {
    return governed(name, endpoint, facts.target)
  }
  const host = name ?? canonicalAddress(authority.host)
  if (host === undefined || !access.isOwnName(host)) {
    return refused('YORI_UNKNOWN_HOST', 'no endpoint of that name, and it is not ours')
  }
  const path = facts.target.split('?', 1)[0] as string
  const provider = access.providerOfPath(path)
  const meant = provider === undefined ? undefined : endpoints.find(provider)
  if (provider !== undefined && meant !== undefined && isGoverned(meant)) {
    const asked = governed(provider, meant, facts.target)
    return asked.kind === 'endpoint' ? { ...asked, isByPath: true } : asked
  }
  return { kind: 'own', path, target: facts.target }
}

function absoluteForm(
  access: AccessPolicy,
  endpoints: EndpointTable,
  facts: AskedFacts,
): Asked {
  const match = /^http:\/\/([^/?#]*)([^#]*)/i.exec(facts.target)
  if (match === null) {
    return refused(
      'YORI_REQUEST_MALFORMED',
      'the request target is in no form that is served',
    )
  }
  const authority = splitAuthority(match[1] as string)
  if (authority === undefined || (match[1] as string).includes('@')) {
    return refused(
      'YORI_REQUEST_MALFORMED',
      'the authority of the request target is malformed',
    )
  }
  const rest = match[2] as string
  const path = rest.startsWith('/') ? rest : `/${rest}`
  const name = canonicalHostname(authority.host)
  const endpoint = name === undefined ? undefined : endpoints.find(name)
  if (name !== undefined && endpoint !== undefined && isGoverned(endpoint)) {
    const asked = governed(name, endpoint, path)
    return asked.kind === 'endpoint' ? atPort(access, asked, authority.port) : asked
  }
  const host = name ?? canonicalAddress(authority.host)
  if (host === undefined) return refused('YORI_REQUEST_MALFORMED', 'that is no host name')
  if (access.isOwnName(host) && (authority.port ?? 80) === facts.localPort) {
    if (isCrossSite(access, facts)) return refused('YORI_CLIENT_CROSS_SITE')
    return { kind: 'own', path: path.split('?', 1)[0] as string, target: path }
  }
  const port = authority.port ?? 80
  const problem = mayReach(access, facts.caller, { host, port, ports: access.plainPorts })
  return problem ?? { kind: 'relay', host, port, path }
}

/** Port 80 of a provider means its API, which is reached over TLS; any other port is meant. */
function atPort(
  access: AccessPolicy,
  asked: Extract<Asked, { kind: 'endpoint' }>,
  port = 80,
): Asked {
  if (port === 80 || port === 443) return asked
  if (access.plainPorts.has(port)) return { ...asked, plainPort: port }
  return refused(
    'YORI_DESTINATION_REFUSED',
    `port ${port} of ${asked.name} is not among access.plain_ports`,
  )
}

/** May this caller have a tunnel to that host and port? Undefined when it may. */
export function mayConnect(
  access: AccessPolicy,
  endpoints: EndpointTable,
  facts: { caller: Caller; host: string; port: number },
): Extract<Asked, { kind: 'refused' }> | undefined {
  if (!mayCall(access, facts.caller)) return refused('YORI_CLIENT_NOT_ALLOWED')
  const isEndpoint = isIP(facts.host) === 0 && endpoints.find(facts.host) !== undefined
  if (isEndpoint && facts.port === 443) return undefined
  return mayReach(access, facts.caller, { ...facts, ports: access.ports })
}

function mayReach(
  access: AccessPolicy,
  caller: Caller,
  target: { host: string; port: number; ports: ReadonlySet<number> },
): Extract<Asked, { kind: 'refused' }> | undefined {
  if (!caller.loopback && !access.relayAll) {
    return refused(
      'YORI_DESTINATION_REFUSED',
      `${target.host} is no endpoint: access.relay allows endpoints only`,
    )
  }
  if (!target.ports.has(target.port) && !access.isConfigured(target.host)) {
    return refused(
      'YORI_DESTINATION_REFUSED',
      `port ${target.port} is not among those that access names`,
    )
  }
  return undefined
}

/** A page of another site must not drive us through a visitor's browser. */
function isCrossSite(access: AccessPolicy, facts: AskedFacts): boolean {
  if (
    facts.fetchSite !== undefined &&
    facts.fetchSite.trim().toLowerCase() === 'cross-site'
  ) {
    return true
  }
  if (facts.origin === undefined) return false
  const match = /^https?:\/\/([^/]+)$/i.exec(facts.origin)
  const authority = match === null ? undefined : splitAuthority(match[1] as string)
  if (authority === undefined) return true
  const host = canonicalHostname(authority.host) ?? canonicalAddress(authority.host)
  return host === undefined || !(access.isOwnName(host) || isSameHost(facts.hosts, host))
}

function isSameHost(hosts: readonly string[], host: string): boolean {
  const [value] = hosts
  const authority = value === undefined ? undefined : splitAuthority(value)
  return authority !== undefined && authorityHost(authority.host, 443) === host
}

/** `route: tunnel` is as good as off: nobody looks at what passes there. */
function isGoverned(endpoint: Endpoint): boolean {
  return endpoint.enabled && !passesUnread(endpoint)
}

function governed(name: string, endpoint: Endpoint, path: string): Asked {
  if (!isGoverned(endpoint)) {
    return refused('YORI_UNKNOWN_HOST', `${name} is switched off`)
  }
  if (endpoint.route === 'refuse') return refused('YORI_ENDPOINT_REFUSED')
  return { kind: 'endpoint', name, endpoint, path }
}

function refused(code: ErrorCode, detail?: string): Extract<Asked, { kind: 'refused' }> {
  return detail === undefined
    ? { kind: 'refused', code }
    : { kind: 'refused', code, detail }
}
