/**
 * One TCP connection, from accept to its record: find the original destination, peek, and go
 * on by the way that it came: redirected (here), dialled (`dialled.ts`) or explicit
 * (`explicit.ts`). What it wants is found out in `routing.ts` and done in `follow.ts`.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { canonicalAddress, formatSocketAddress } from '../../core/address.js'
import type { SocketAddress } from '../../core/address.js'
import { shareOf } from '../../core/device-id.js'
import { codeOf, YoriError } from '../../core/errors.js'
import { lookingLater } from '../../core/looking-later.js'
import type { Device, Program } from '../../core/record.js'
import { unreachable } from '../../core/unreachable.js'
import type { FirstBytes } from '../../net/peek.js'
import { openConnection } from '../words/connection-state.js'
import type { ConnectionState } from '../words/connection-state.js'
import { shown } from './before-tls.js'
import { serveDialled } from './dialled.js'
import { noteReset } from './end-reason.js'
import { openTunnel } from './explicit.js'
import { follow, passOn } from './follow.js'
import { turnedAwayPlain } from './plain.js'
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
    // What its requests tell of it comes first.
    lookingLater.now()
    state.log.closed(services.clock.now(), client)
    if (record.coverage !== 'own') services.observers.connectionEnded(record)
  }
}

/** One too many: it is closed unheard, and counted. */
export function recordRefused(client: Socket, services: ConnectionPort): void {
  const { log, record } = openConnection(client, services.clock)
  const destination = services.destinations.of(client)
  if (!(destination instanceof Promise) && destination.kind === 'original')
    log.cameBy('redirected')
  log.refused('YORI_TOO_MANY_CONNECTIONS')
  services.observers.connectionEnded(record)
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
  if (state.caller.loopback) state.program = programOf(served)
  const [first, device] = await Promise.all([
    firstBytes(served, !isOriginal),
    identify(state.caller.address).then((found) => withinShare(served, found)),
  ])
  if (device === undefined) return
  if (!isOriginal) return serveDialled(served, first, destination.kind)
  state.known = destination.address
  state.log.cameBy('redirected')
  return serveRedirected(served, first, destination.address)
}

/** Beside it: the connection waits for nothing. */
function programOf({ client, state, services }: Served): Promise<Program | undefined> {
  const { address } = state.caller
  const server = canonicalAddress(client.localAddress ?? '') ?? address
  return services.programs.of({
    client: { address, port: client.remotePort ?? 0 },
    server: { address: server, port: state.localPort },
  })
}

/** A device is known by its MAC, whatever address it came from; one too many is closed. */
function withinShare(
  { client, state, services }: Served,
  device: Device,
): Device | undefined {
  state.log.identified(device)
  const share = shareOf(device)
  if (client.destroyed || services.shares.enter(share)) {
    if (!client.destroyed) client.once('close', () => services.shares.leave(share))
    return device
  }
  services.log.warn({ device: share }, 'too many connections of one device')
  state.log.refused('YORI_TOO_MANY_CONNECTIONS')
  client.destroy()
  return undefined
}

/** Somebody else's connection, led here by a firewall: at worst it passes untouched. */
async function serveRedirected(
  served: Served,
  first: FirstBytes,
  known: SocketAddress,
): Promise<void> {
  const target = { host: known.address, port: known.port }
  served.state.log.ledTo(formatSocketAddress(known))
  const found = await shown(served, first, known.port)
  switch (found.kind) {
    case 'hello':
      return follow(served, found.hello, target)
    case 'http':
    case 'other':
      if (await turnedAwayPlain(served, found.kind, known)) return
      return passOn(served, 'tunnel-not-tls', target)
    case 'malformed':
    case 'silent':
      return passOn(served, 'tunnel-not-tls', target)
    case 'partial':
      if (served.services.policy.mode !== 'enforce') {
        return passOn(served, 'tunnel-hello-timeout', target)
      }
      throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
    case 'closed':
      left(served)
      return
    default:
      return unreachable(found)
  }
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
