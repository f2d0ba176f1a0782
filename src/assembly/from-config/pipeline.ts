/**
 * The policy snapshot of a configuration: what the pipeline decides by, with units and lookups
 * made ready. Built once a reload, immutable, kept by each connection for its life.
 */
import { isIP } from 'node:net'
import type { Config } from '../../../config/schema.js'
import { canonicalAddress, Prefixes } from '../../core/address.js'
import { canonicalHostname } from '../../core/hostname.js'
import { CODING_LIMITS } from '../../http/content-coding.js'
import { JSON_LIMITS } from '../../json/json-bounds.js'
import type { OwnAddresses } from '../../net/own-addresses.js'
import type { AccessPolicy } from '../../policy/access.js'
import type { McpDoors } from '../../policy/mcp-doors.js'
import { EndpointTable } from '../../policy/endpoints.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { providerHostForPath } from '../../providers/paths.js'
import { HOME_NAME } from '../../core/own-paths.js'
import { isTrustPath } from '../../core/trust-paths.js'
import type { PolicySnapshot } from '../../proxy/words/policy-snapshot.js'
import { doorsOf } from './doors.js'
import type { IdentityOf } from './doors.js'

/** `proxy.max_request_size` where the configuration says nothing: the direct way's limit. */
const DIRECT_REQUEST_BYTES = 10 * 1024 * 1024

/** Names that are ours without being configured. */
export const OWN_NAMES: readonly string[] = ['localhost', HOME_NAME]

export function snapshotOf(
  config: Config,
  edges: {
    own: OwnAddresses
    isConfigured: (host: string) => boolean
    catalogue: Catalogue
    mcp: McpDoors
    identityOf: IdentityOf
  },
): PolicySnapshot {
  const { limits, timeouts, proxy, inspect, intercept } = config
  const requestBytes = smallest(proxy.max_request_size, limits.request_body_bytes)
  return {
    mode: config.mode,
    enforcementEnabled: config.enforcement.enabled,
    routes: {
      endpoints: new EndpointTable(
        config.endpoints.map(({ domain, enabled, route, max_body_bytes }) => ({
          domain: domain.toLowerCase(),
          enabled,
          route,
          ...(max_body_bytes === undefined ? {} : { maxBodyBytes: max_body_bytes }),
        })),
      ),
      never: intercept.never.map((pattern) => pattern.toLowerCase()),
    },
    access: accessOf(config, edges),
    doors: doorsOf(config, edges.catalogue, edges.identityOf),
    mcp: edges.mcp,
    sidecar: config.gateway.sidecar,
    requireKey: config.gateway.require_key,
    exemptDevices: new Prefixes(intercept.exempt_devices.filter((text) => !isMac(text))),
    exemptMacs: new Set(intercept.exempt_devices.filter(isMac).map(canonicalMac)),
    limits: {
      clientHelloBytes: limits.client_hello_bytes,
      headerBytes: limits.header_bytes,
      headerCount: limits.header_count,
      headerNameBytes: limits.header_name_bytes,
      headerValueBytes: limits.header_value_bytes,
      exchanges: limits.exchanges,
      exchangesPerEndpoint: limits.exchanges_per_endpoint,
      connectionsPerEndpoint: limits.connections_per_endpoint,
      h2Streams: limits.h2_streams,
      h2StreamWindowBytes: limits.h2_stream_window_bytes,
      h2ConnectionWindowBytes: limits.h2_connection_window_bytes,
      h2SessionBytes: limits.h2_session_bytes,
      h2ResetsPerSecond: limits.h2_resets_per_second,
      h2ControlsPerSecond: limits.h2_controls_per_second,
    },
    timeouts: {
      firstBytesMs: timeouts.first_bytes * 1000,
      clientHelloMs: timeouts.client_hello * 1000,
      clientTlsMs: timeouts.client_tls * 1000,
      requestHeadMs: timeouts.request_header * 1000,
      requestBodyMs: timeouts.request_body * 1000,
      keepAliveMs: timeouts.keep_alive * 1000,
      clientReadMs: timeouts.client_read * 1000,
      h2IdleMs: timeouts.h2_idle * 1000,
      tunnelIdleMs: timeouts.tunnel_idle * 1000,
      websocketIdleMs: timeouts.websocket_idle * 1000,
    },
    maxRequestBytes: {
      direct: requestBytes ?? DIRECT_REQUEST_BYTES,
      intercepted: requestBytes,
    },
    wholeBytes: config.gateway.pools.body_bytes,
    previewBytes: inspect.max_body_bytes,
    promptPreviewChars: inspect.prompt_preview_chars,
    bodies: {
      request: config.audit.bodies !== 'none',
      response: config.audit.bodies === 'both',
      maxBytes: config.audit.body_bytes,
    },
    json: {
      ...JSON_LIMITS,
      maxDepth: inspect.json_depth,
      maxValues: inspect.json_values,
      maxBytes: inspect.max_body_bytes,
    },
    coding: {
      ...CODING_LIMITS,
      maxOutputBytes: limits.decompressed_bytes,
      maxRatio: limits.decompression_ratio,
    },
    recordTunnelNames: config.audit.tunnel_names,
  }
}

function accessOf(
  config: Config,
  edges: { own: OwnAddresses; isConfigured: (host: string) => boolean },
): AccessPolicy {
  const { access, steer } = config
  const ownNames = new Set([
    ...OWN_NAMES,
    ...access.own_names.map((name) => name.toLowerCase()),
  ])
  const written = new Prefixes(access.clients.filter(isPrefix))
  const interfaces = access.clients.filter((client) => !isPrefix(client))
  const onOneOf = (names: readonly string[], address: string): boolean =>
    names.some((name) => edges.own.onInterface(name)?.has(address) === true)
  const isSteered = (address: string): boolean =>
    onOneOf([...steer.interfaces, ...steer.guests], address)
  return {
    clients: {
      has: (address) => written.has(address) || onOneOf(interfaces, address),
    },
    steered: { has: isSteered },
    trustReaders: {
      // Of a steered network, also by its global address: that is what IPv6 has at home.
      has: (address) =>
        access.trust_page === 'lan' &&
        (edges.own.isPrivateNeighbour(address) || isSteered(address)),
    },
    isTrustPath,
    relayAll: access.relay === 'all',
    ports: new Set(access.ports),
    plainPorts: new Set(access.plain_ports),
    isOwnName: (host) => ownNames.has(host) || (isIP(host) !== 0 && edges.own.has(host)),
    isConfigured: edges.isConfigured,
    providerOfPath: providerHostForPath,
  }
}

/** Names that leaves are needed for: enabled endpoints that are intercepted, and our own. */
export function issuedNamesOf(config: Config): string[] {
  const served = config.endpoints.filter(
    ({ enabled, route }) => enabled && route === 'intercept',
  )
  return [
    ...served.map(({ domain }) => domain.toLowerCase()),
    ...OWN_NAMES,
    ...config.access.own_names.filter((name) => canonicalHostname(name) !== undefined),
  ]
}

function isPrefix(text: string): boolean {
  return canonicalAddress(text.split('/', 1)[0] as string) !== undefined
}

function isMac(text: string): boolean {
  return /^([0-9a-f]{2}[:.-]){5}[0-9a-f]{2}$/i.test(text)
}

function canonicalMac(text: string): string {
  return text.toLowerCase().replaceAll(/[.-]/g, ':')
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const set = values.filter((value) => value !== undefined)
  return set.length === 0 ? undefined : Math.min(...set)
}
