/** The ways to the providers: names, addresses, connections, and by which roots they are believed. */
import { createSecureContext, rootCertificates } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import type { ClientCertificate } from '../../../config/client-certificates.js'
import type { Config } from '../../../config/schema.js'
import { parseSocketAddress, Prefixes } from '../../core/address.js'
import type { SocketAddress } from '../../core/address.js'
import type { Clock } from '../../core/clock.js'
import type { Watch } from '../../core/watched.js'
import type { Descriptors } from '../../net/descriptors.js'
import { Dialer } from '../../net/dial.js'
import type { OwnAddresses } from '../../net/own-addresses.js'
import { Resolver } from '../../net/resolver.js'
import { UnsharedAddresses } from '../../net/unshared-addresses.js'
import { Upstream } from '../../net/upstream.js'
import { UPSTREAM_TLS } from '../../net/upstream-trust.js'
import { tableSettings } from '../../../pf/settings.js'
import { planTable } from '../../../pf/table.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { milliseconds } from './milliseconds.js'
import { readPem } from './read-pem.js'

export interface DialEdges {
  readonly clock: Clock
  readonly own: Pick<OwnAddresses, 'hasByNow'>
  readonly ownPorts: () => readonly number[]
  readonly descriptors: Descriptors
}

export function dialerOf(config: Config, edges: DialEdges): Dialer {
  const overrides = new Map<string, SocketAddress>()
  for (const [pattern, text] of Object.entries(config.upstream.resolve)) {
    const address = parseSocketAddress(text)
    if (address !== undefined) overrides.set(pattern.toLowerCase(), address)
  }
  const resolver = new Resolver({
    servers: config.upstream.dns,
    staleMs: milliseconds(config.upstream.dns_stale),
    timeoutMs: milliseconds(config.timeouts.dns),
    maxNames: config.limits.dns_names,
    clock: edges.clock,
  })
  return new Dialer({
    overrides,
    lookup: (name) => resolver.lookup(name),
    endLookups: () => resolver.close(),
    isOwnAddress: (address) => edges.own.hasByNow(address),
    ownPorts: edges.ownPorts,
    allowed: new Prefixes(config.access.allow_destinations),
    onFailed: (error) => edges.descriptors.failed(error),
    connectTimeoutMs: milliseconds(config.timeouts.connect),
    keepAliveMs: milliseconds(config.timeouts.tcp_keep_alive),
  })
}

/** Of endpoints that are steered although nobody shares their addresses with them. */
export function unsharedOf(
  config: Config,
  catalogue: Catalogue,
  dialer: Dialer,
): UnsharedAddresses {
  const shared = new Set(config.steer.shared.map((text) => text.toLowerCase()))
  const endpoints = config.endpoints.filter(({ domain }) => {
    const name = domain.toLowerCase()
    const entry = catalogue.entryFor(name.replace(/^\*\./, ''))
    return !shared.has(name) && !shared.has(entry?.name ?? name)
  })
  const settings = { ...tableSettings(config), endpoints, shared: [] }
  const { names, ranges } = planTable(settings, catalogue.entries)
  return new UnsharedAddresses({
    names: names.map(({ name }) => name),
    ranges: new Prefixes(ranges),
    dialer,
  })
}

export async function upstreamOf(
  config: Config,
  dialer: Dialer,
  edges: {
    readonly deadlines: Watch
    readonly own: Pick<OwnAddresses, 'holds'>
    readonly certificates: readonly ClientCertificate[]
  },
): Promise<Upstream> {
  const { deadlines, own, certificates } = edges
  const { timeouts, proxy } = config
  const headSeconds = proxy.upstream_timeout ?? timeouts.response_header
  const extra = config.upstream.extra_ca
  const identities = new Map<string, SecureContext>()
  for (const { id, chain, key } of certificates)
    identities.set(id, await trustedRoots(extra, { cert: chain, key }))
  return new Upstream({
    dialer,
    deadlines,
    secureContext: await trustedRoots(extra),
    identities,
    tlsTimeoutMs: milliseconds(timeouts.upstream_tls),
    responseHeadTimeoutMs: milliseconds(headSeconds),
    responseSilenceTimeoutMs: milliseconds(timeouts.response_body),
    idleTimeoutMs: milliseconds(config.upstream.idle_timeout),
    maxHeadBytes: config.limits.header_bytes,
    maxIdlePerName: config.upstream.connections_per_name,
    hasAddress: (local) => own.holds(local),
    h2StreamWindowBytes: config.limits.h2_stream_window_bytes,
    h2ConnectionWindowBytes: config.limits.h2_connection_window_bytes,
    h2SessionBytes: config.limits.h2_session_bytes,
  })
}

/**
 * The public roots, and what the operator adds; never one instead of the other. The public ones
 * are this Node's own store, which all contexts share: as a list in `ca` they would be read
 * again for each (60 ms and 1 MB). What is added by the native context goes into a copy of it,
 * in which Node 20 leaves out what NODE_EXTRA_CA_CERTS names.
 */
async function trustedRoots(
  extra: readonly string[],
  shown: Pick<SecureContextOptions, 'cert' | 'key'> = {},
): Promise<SecureContext> {
  const context = createSecureContext({ ...UPSTREAM_TLS, ...shown })
  if (extra.length === 0) return context
  const { NODE_EXTRA_CA_CERTS: ofNode } = process.env
  const added = await Promise.all(extra.map(readPem))
  // Node itself warned of one that cannot be read.
  if (ofNode) added.push(await readPem(ofNode).catch(() => ''))
  const native = context.context as Partial<AddsPem>
  if (typeof native.addCACert !== 'function')
    return createSecureContext({
      ca: [...rootCertificates, ...added],
      ...UPSTREAM_TLS,
      ...shown,
    })
  for (const pem of added) if (pem !== '') native.addCACert(pem)
  return context
}

/** Of one certificate or several. */
interface AddsPem {
  addCACert(pem: string): void
}
