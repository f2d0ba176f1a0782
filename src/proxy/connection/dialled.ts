/**
 * The client dialled us, or nobody can tell whom: plain HTTP, a provider's name that leads
 * here (DNS override), or our own site. A connection whose destination is known is led on by
 * `connection.ts`.
 */
import { YoriError } from '../../core/errors.js'
import { unreachable } from '../../core/unreachable.js'
import type { FirstBytes } from '../../net/peek.js'
import { mayCall, mayPass } from '../../policy/access.js'
import type { ClientHello } from '../../tls/client-hello.js'
import { follow, turnAway } from './follow.js'
import type { Served } from './served.js'

export async function serveDialled(
  served: Served,
  first: FirstBytes,
  destination: 'own' | 'unknown',
): Promise<void> {
  const { client, state, fronts } = served
  switch (first.kind) {
    case 'http':
      // Libraries that know of a server's HTTP/2 speak it without asking, as Amazon's do.
      return (first.speaksH2 === true ? fronts.h2 : fronts.http).serve(client, state)
    case 'hello':
      return serveName(served, first.hello, destination)
    case 'closed':
      state.log.own()
      client.destroy()
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

async function serveName(
  served: Served,
  hello: ClientHello,
  destination: 'own' | 'unknown',
): Promise<void> {
  const { state, services } = served
  const { access, routes } = services.policy
  const name = hello.serverName
  const { caller } = state
  const leads = name !== undefined && destination === 'unknown'
  const isAllowed = leads ? mayPass(access, caller) : mayCall(access, caller)
  if (!isAllowed && !state.probe) {
    turnAway(served, 'YORI_CLIENT_NOT_ALLOWED')
    return
  }
  if (name !== undefined && routes.endpoints.find(name) !== undefined) {
    state.log.cameBy('dialled')
    return follow(served, hello, { host: name, port: 443 })
  }
  const isForeign = name !== undefined && !access.isOwnName(name)
  // Redirected, but nobody can tell from where: the name leads on, never to a private address.
  if (isForeign && destination === 'unknown') {
    state.log.cameBy('redirected')
    return follow(served, hello, { host: name, port: 443 })
  }
  if (isForeign && !services.hasSiteCertificate) {
    turnAway(served, 'YORI_UNKNOWN_HOST')
    return
  }
  return serveOwnName(served, name)
}

async function serveOwnName(served: Served, name: string | undefined): Promise<void> {
  const { client, state, services, fronts } = served
  const { certificates, hasSiteCertificate } = services
  state.log.own()
  if (name !== undefined && !hasSiteCertificate && certificates.mintable(name)) {
    await certificates.contextFor(name)
  }
  const secure = await fronts.site.handshake(client)
  return (secure.alpnProtocol === 'h2' ? fronts.h2 : fronts.http).serve(secure, state)
}
