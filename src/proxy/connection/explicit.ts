/**
 * The explicit way in, CONNECT (RFC 9110 §9.3.6): may this caller have that tunnel? After 200
 * it is peeked into and routed like any other connection; GET with an absolute URL is a
 * request, in `requests.ts`.
 */
import { isIP } from 'node:net'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { canonicalAddress } from '../../core/address.js'
import { YoriError } from '../../core/errors.js'
import { canonicalHostname } from '../../core/hostname.js'
import { unreachable } from '../../core/unreachable.js'
import { readRequestHead, splitAuthority } from '../../http/head.js'
import type { Target } from '../../net/dial.js'
import { mayConnect } from '../../policy/access.js'
import { shown } from './before-tls.js'
import { follow, passOn } from './follow.js'
import { classOfHost, subjectOf } from '../words/name-class.js'
import { refusalOf, refuseRaw } from '../answers/refusal.js'
import { firstBytes, left } from './served.js'
import type { Served } from './served.js'
import { isKnownUser } from '../words/known-user.js'

/**
 * `head`: what followed the request already. Answers one that may not be had, and resolves.
 * @throws what ends the tunnel badly, for the connection's record
 */
export async function openTunnel(
  served: Served,
  request: IncomingMessage,
  head: Buffer,
): Promise<void> {
  const { client, state, services } = served
  state.log.cameBy('explicit')
  state.log.startsAnew()
  const target = await admit(served, request)
  if (target === undefined) return
  state.connectTarget = target
  state.tunnelOwn = readRequestHead(request.rawHeaders).own
  state.log.ledTo(`${target.host}:${target.port}`)
  client.write('HTTP/1.1 200 Connection established\r\n\r\n')
  if (head.length > 0) client.unshift(head)
  const endpoint = services.policy.routes.endpoints.find(target.host)
  const isEndpoint = endpoint !== undefined
  const entry =
    isIP(target.host) === 0 ? services.catalogue.entryFor(target.host) : undefined
  state.log.ofClass(classOfHost(target.host, subjectOf(target.host, endpoint, entry)))
  const begun = await firstBytes(served, isEndpoint)
  // Who calls an endpoint by name has been waited for.
  const waited = isEndpoint && begun.kind === 'silent'
  const first = waited ? begun : await shown(served, begun, target.port)
  switch (first.kind) {
    case 'hello':
      return follow(served, first.hello, target)
    case 'http':
    case 'other':
    case 'malformed':
      return passOn(served, 'tunnel-not-tls', target)
    case 'silent':
      if (!isEndpoint) return passOn(served, 'tunnel-not-tls', target)
      throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
    case 'partial':
      throw new YoriError('YORI_CLIENT_HELLO_TIMEOUT')
    case 'closed':
      left(served)
      return
    default:
      return unreachable(first)
  }
}

/** Answers 4xx or 5xx and gives nothing when this caller may not have that tunnel. */
async function admit(
  { client, state, services }: Served,
  request: IncomingMessage,
): Promise<Target | undefined> {
  const { policy, dialer } = services
  const split = splitAuthority(request.url ?? '')
  const host =
    split === undefined
      ? undefined
      : (canonicalHostname(split.host) ?? canonicalAddress(split.host))
  try {
    if (
      split?.port === undefined ||
      host === undefined ||
      state.intercepted !== undefined
    ) {
      throw new YoriError('YORI_REQUEST_MALFORMED', 'CONNECT needs host:port')
    }
    const { caller } = state
    const facts = { caller, host, port: split.port }
    const problem = mayConnect(policy.access, policy.routes.endpoints, facts)
    if (problem !== undefined) throw new YoriError(problem.code, problem.detail)
    const credentials = request.headers['proxy-authorization']
    if (!(await isKnownUser(services, caller, credentials))) {
      throw new YoriError('YORI_PROXY_AUTHENTICATION')
    }
    const target = { host, port: split.port }
    // An endpoint is resolved when it is dialled, which a pooled connection may spare.
    if (policy.routes.endpoints.find(host) === undefined)
      state.admitted = await dialer.candidates(target)
    return target
  } catch (error) {
    if (!(error instanceof YoriError)) throw error
    if (error.source === 'client') state.log.refused(error.code)
    else state.log.failed(error.code)
    const about = { requestId: randomUUID(), provider: undefined }
    refuseRaw(client, refusalOf(error, state.caller.loopback, about))
    return undefined
  }
}
