/**
 * Does a connection that names no endpoint lead to one all the same? Asked where a policy may
 * block its device, of connections that the firewall led here or that CONNECT aims at an
 * address: without a name at an address that serves an endpoint alone, or by a name for which
 * the address has no certificate. An ordinary site on an address that many share passes.
 */
import { isIP } from 'node:net'
import { NAME_CLASSES } from '../../core/coverage.js'
import type { ErrorCode } from '../../core/errors.js'
import type { SocketAddress } from '../../core/address.js'
import type { Coverage } from '../../core/record.js'
import type { Target } from '../../net/dial.js'
import type { Route } from '../../policy/route.js'
import { mustShow } from './before-tls.js'
import type { Served } from './served.js'

/** A hello that names no endpoint, whether there is one or not. */
const NAMES_NO_ENDPOINT: ReadonlySet<Coverage> = new Set<Coverage>([
  'tunnel-not-endpoint',
  'tunnel-ech',
  'tunnel-no-sni',
  'tunnel-ip-sni',
])

/** The route that it takes in the end: `route`, or a refusal. Notes an evasion in the record. */
export async function unlessEvading(
  served: Served,
  route: Route,
  target: Target,
): Promise<Route> {
  if (route.kind !== 'tunnel' || !NAMES_NO_ENDPOINT.has(route.coverage)) return route
  if (!mustShow(served, target.port)) return route
  const address = await addressOf(served, target)
  const code = address === undefined ? undefined : await refusal(served, address)
  if (code === undefined) return route
  if (code === 'YORI_EVADES_INSPECTION') served.state.log.ofClass(NAME_CLASSES.evading)
  return { kind: 'refuse', code }
}

/** Where it surely goes; undefined: to a site that has nothing to do with an endpoint. */
async function addressOf(
  { state, services }: Served,
  target: Target,
): Promise<SocketAddress | undefined> {
  const { known, admitted } = state
  if (known !== undefined) return known
  if (isIP(target.host) !== 0) return { address: target.host, port: target.port }
  // Whoever names a site by CONNECT may have it: unless its name leads to an endpoint's own.
  for (const one of admitted ?? [])
    if (await services.unshared.has(one.address)) return one
  return undefined
}

async function refusal(
  { client, state, services }: Served,
  address: SocketAddress,
): Promise<ErrorCode | undefined> {
  const { shown, unshared } = services
  const name = state.hello?.serverName
  if (name === undefined && (await unshared.has(address.address)))
    return 'YORI_EVADES_INSPECTION'
  const names = name === undefined ? unshared.names : [name]
  if (names.length === 0) return undefined
  const holds = await shown.holds({
    address,
    serverName: name,
    names,
    client: state.caller.address,
  })
  if (client.destroyed) return 'YORI_CLIENT_GONE'
  if (holds === 'crowded') return 'YORI_TOO_MANY_CONNECTIONS'
  // Without a name the certificate must not be an endpoint's, with one it must be the name's.
  return holds === (name === undefined ? 'yes' : 'no')
    ? 'YORI_EVADES_INSPECTION'
    : undefined
}
