/**
 * One TCP connection, from accept to its record: find the original destination, peek, and go
 * on by the way that it came: redirected (here), dialled (`dialled.ts`) or explicit
 * (`explicit.ts`). What it wants is found out in `routing.ts` and done in `follow.ts`.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { formatSocketAddress } from '../../core/address.js'
import type { SocketAddress } from '../../core/address.js'
import { codeOf, YoriError } from '../../core/errors.js'
import { unreachable } from '../../core/unreachable.js'
import type { FirstBytes } from '../../net/peek.js'
import { openConnection } from '../words/connection-state.js'
import type { ConnectionState } from '../words/connection-state.js'
import { serveDialled } from './dialled.js'
import { noteReset } from './end-reason.js'
import { openTunnel } from './explicit.js'
import { follow, passOn } from './follow.js'
import { routeOf } from './routing.js'
import { firstBytes, left } from './served.js'
import type { Fronts, Served } from './served.js'
import type { ConnectionPort } from './port.js'

/** Never rejects. Resolves when the connection has ended and is recorded. */
export async function serveConnection(
  client: Socket,
  services: ConnectionPort,
  fronts: Fronts,
): Promise<void> {
  const state = openConnection(client, services.clock)
  const served = { client, state, services, fronts }
  const { record } = state
  noteReset(client, state.log)
  try {
    await serve(served)
    await state.nested
  } catch (cause) {
    failed(served, cause)
  } finally {
    state.log.closed(services.clock.now(), client)
    if (record.coverage !== 'own') services.audit.connection(record)
  }
}

/** One too many: it is closed unheard, and counted. */
export function recordRefused(client: Socket, services: ConnectionPort): void {
  const { log, record } = openConnection(client, services.clock)
  const destination = services.destinations.of(client)
  if (!(destination instanceof Promise) && destination.kind === 'original')
    log.cameBy('redirected')
  log.refused('YORI_TOO_MANY_CONNECTIONS')
  services.audit.connection(record)
}

/** A CONNECT on a connection that HTTP serves: its socket becomes a tunnel or is intercepted. */
export function serveConnect(
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  context: { state: ConnectionState; services: ConnectionPort; fronts: Fronts },
): void {
  const served = { client, ...context }
  context.state.nested = openTunnel(served, request, head).catch((cause: unknown) =>
    failed(served, cause),
  )
}

async function serve(served: Served): Promise<void> {
  const { client, state, services } = served
  const { destinations, identify } = services
  // At once: the kernel forgets whom a redirected client had dialled.
  const asked = destinations.of(client)
  const destination = asked instanceof Promise ? await asked : asked
  const isOriginal = destination.kind === 'original'
  const [first, device] = await Promise.all([
    firstBytes(served, !isOriginal),
    identify(state.caller.address),
  ])
  state.log.identified(device)
  if (!isOriginal) return serveDialled(served, first, destination.kind)
  state.known = destination.address
  state.log.cameBy('redirected')
  return serveRedirected(served, first, destination.address)
}

/** Somebody else's connection, led here by a firewall: at worst it passes untouched. */
async function serveRedirected(
  served: Served,
  first: FirstBytes,
  known: SocketAddress,
): Promise<void> {
  const target = { host: known.address, port: known.port }
  served.state.log.ledTo(formatSocketAddress(known))
  switch (first.kind) {
    case 'hello':
      return follow(served, routeOf(served, first.hello), target)
    case 'http':
    case 'other':
      return passOn(served, 'tunnel-not-tls', target)
    case 'malformed':
      if (!mustShow(served, known)) return passOn(served, 'tunnel-not-tls', target)
      throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT', first.reason)
    case 'silent':
      if (!mustShow(served, known)) return passOn(served, 'tunnel-not-tls', target)
      return serveLate(served, known)
    case 'partial':
      if (served.services.policy.mode !== 'enforce') {
        return passOn(served, 'tunnel-hello-timeout', target)
      }
      throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
    case 'closed':
      left(served)
      return
    default:
      return unreachable(first)
  }
}

/** Servers speak first on other ports; never where TLS is spoken. */
const TLS_PORT = 443

/**
 * A policy may block something of this device, so that what hides its hello until it is left
 * alone would be past every one of them.
 */
function mustShow({ state, services }: Served, known: SocketAddress): boolean {
  const { policy, decider } = services
  if (policy.mode !== 'enforce' || known.port !== TLS_PORT || !decider.holds) return false
  const { device } = state.record
  const { ip, mac } = device
  if (policy.exemptDevices.has(ip) || (mac !== undefined && policy.exemptMacs.has(mac)))
    return false
  return policy.routes.endpoints
    .enabled()
    .some(({ domain }) => decider.mustInspect(device, domain))
}

/** A client that takes its time is waited for; one that never speaks is let go. */
async function serveLate(served: Served, known: SocketAddress): Promise<void> {
  const first = await firstBytes(served, true)
  if (first.kind === 'silent') throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
  return serveRedirected(served, first, known)
}

function failed({ client, state, services }: Served, cause: unknown): void {
  const { record } = state
  const code = codeOf(cause)
  state.log.ended(code)
  const { log } = services
  if (code === 'YORI_INTERNAL') {
    log.error({ err: cause, connectionId: record.connectionId }, 'connection failed')
  } else if (cause instanceof YoriError && cause.source === 'upstream') {
    log.warn({ code, reason: cause.message }, 'connection failed')
  }
  client.destroy()
}
