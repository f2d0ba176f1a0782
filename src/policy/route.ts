/**
 * Where a TLS connection goes, decided before anything is dialled: a pure function of what the
 * client offered, who it is, and the configuration. `tunnel`, `intercept` and `refuse` are what
 * Squid calls splice, bump and terminate.
 */
import type { ErrorCode } from '../core/errors.js'
import type { Coverage } from '../core/record.js'
import { matchesHostname } from '../core/hostname.js'
import type { Endpoint, EndpointTable } from './endpoints.js'

/** Why a (device, name) is left alone for a while, learned from earlier connections. */
export type Learned =
  'tunnel-pinned' | 'tunnel-not-trusted' | 'tunnel-clock' | 'tunnel-client-certificate'

export interface RouteFacts {
  /** Canonical SNI. */
  readonly serverName: string | undefined
  readonly serverNameIsAddress: boolean
  /**
   * The hello may hide another name than it shows (ECH). Browsers offer ECH with nothing in
   * it as well (RFC 9849 §6.2), and nobody on the way can tell the two apart.
   */
  readonly nameMayBeHidden?: boolean
  /** Host name of the CONNECT in whose tunnel the hello came. */
  readonly calledName?: string
  readonly alpn: readonly string[]
  readonly deviceExempt: boolean
  readonly learned: Learned | undefined
  /** A policy that blocks covers this device and name: who cannot be inspected does not pass. */
  readonly mustInspect?: boolean
  /** One that cannot decide by the name alone. */
  readonly mustRead?: boolean
  /** The catalogue knows of apps that pin their certificates for this name. */
  readonly knownToPin?: boolean
  /** The CA may sign this name and its certificates are valid now. */
  readonly mintable: (name: string) => boolean
}

export interface RoutePolicy {
  readonly endpoints: EndpointTable
  /** Names and `*.x` patterns of `intercept.never`. */
  readonly never: readonly string[]
}

export type Route =
  | { readonly kind: 'intercept'; readonly name: string; readonly endpoint: Endpoint }
  | { readonly kind: 'tunnel'; readonly coverage: Coverage }
  | { readonly kind: 'refuse'; readonly code: ErrorCode }

export function chooseRoute(policy: RoutePolicy, facts: RouteFacts): Route {
  const route = routeOf(policy, facts)
  if (route.kind !== 'tunnel') return route
  const called = calledRoute(route.coverage, policy, facts)
  if (called?.kind === 'refuse') return called
  const isKnown = route.coverage === 'tunnel-pinned' && facts.knownToPin === true
  const isHidden = called?.kind === 'intercept' && facts.mustInspect === true
  const isUnread =
    CHOSEN_BY_CLIENT.has(route.coverage) && !isKnown && facts.mustRead === true
  return isHidden || isUnread ? { kind: 'refuse', code: 'YORI_NOT_INSPECTABLE' } : route
}

/** An endpoint that the client itself keeps from being inspected. */
const CHOSEN_BY_CLIENT: ReadonlySet<Coverage> = new Set<Coverage>([
  'tunnel-alpn',
  'tunnel-pinned',
  'tunnel-not-trusted',
  'tunnel-clock',
])

/** A hello that names no endpoint, whether there is one or not. */
const NAMES_NO_ENDPOINT: ReadonlySet<Coverage> = new Set<Coverage>([
  'tunnel-not-endpoint',
  'tunnel-ech',
  'tunnel-no-sni',
  'tunnel-ip-sni',
])

/** Where the name of the CONNECT would have led, when the hello inside names no endpoint. */
function calledRoute(
  coverage: Coverage,
  policy: RoutePolicy,
  facts: RouteFacts,
): Route | undefined {
  const { calledName } = facts
  if (calledName === undefined || !NAMES_NO_ENDPOINT.has(coverage)) return undefined
  return routeOf(policy, { ...facts, serverName: calledName, serverNameIsAddress: false })
}

function routeOf(policy: RoutePolicy, facts: RouteFacts): Route {
  const name = facts.serverName
  if (facts.serverNameIsAddress) return tunnel('tunnel-ip-sni')
  const hidden = facts.nameMayBeHidden === true
  if (name === undefined) return tunnel(hidden ? 'tunnel-ech' : 'tunnel-no-sni')
  const endpoint = policy.endpoints.find(name)
  if (endpoint === undefined) return tunnel(hidden ? 'tunnel-ech' : 'tunnel-not-endpoint')
  if (facts.deviceExempt) return tunnel('tunnel-exempt')
  if (!endpoint.enabled || passesUnread(endpoint)) return tunnel('tunnel-endpoint-off')
  if (endpoint.route === 'refuse')
    return { kind: 'refuse', code: 'YORI_ENDPOINT_REFUSED' }
  if (policy.never.some((pattern) => matchesHostname(pattern, name))) {
    return tunnel('tunnel-never')
  }
  if (facts.learned !== undefined) return tunnel(facts.learned)
  if (!isSpoken(facts)) return tunnel('tunnel-alpn')
  if (!facts.mintable(name)) return tunnel('tunnel-ca-unusable')
  return { kind: 'intercept', name, endpoint }
}

/** Its bytes pass as they are. */
export function passesUnread({ route }: Pick<Endpoint, 'route'>): boolean {
  return route === 'tunnel' || route === 'by-policy'
}

/** ALPN names of what is spoken with clients here, in our order of preference. RFC 7301. */
export const SPOKEN = ['h2', 'http/1.1', 'http/1.0'] as const

/** Do we speak one of the protocols that the client offers? No offer means HTTP/1.1. */
function isSpoken({ alpn }: RouteFacts): boolean {
  return alpn.length === 0 || SPOKEN.some((one) => alpn.includes(one))
}

function tunnel(coverage: Coverage): Route {
  return { kind: 'tunnel', coverage }
}
