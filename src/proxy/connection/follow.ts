/**
 * Goes the way that was chosen: tunnel, intercept or refuse. Knows how each of them ends in the
 * record; moving bytes is `tunnel.ts`, ending TLS is `fronts/tls-terminator.ts`, what a client's leaving
 * says of our certificate is `acceptance.ts`.
 */
import { isIP } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'
import type { Coverage } from '../../core/record.js'
import { unreachable } from '../../core/unreachable.js'
import type { Target } from '../../net/dial.js'
import { endSoon } from '../../net/end-soon.js'
import type { Route } from '../../policy/route.js'
import { Acceptance } from './acceptance.js'
import { takePlace } from '../bounds/admission.js'
import type { Intercepted } from '../words/connection-state.js'
import { noteReset, noteTunnelEnd } from './end-reason.js'
import type { Served } from './served.js'
import { tunnel } from './tunnel.js'

type Intercept = Extract<Route, { kind: 'intercept' }>

/** Resolves when the connection has ended; rejects with what ended it badly. */
export async function follow(
  served: Served,
  route: Route,
  target: Target,
): Promise<void> {
  switch (route.kind) {
    case 'tunnel':
      return passOn(served, route.coverage, target)
    case 'refuse':
      turnAway(served, route.code)
      return
    case 'intercept':
      return intercept(served, route, target)
    default:
      return unreachable(route)
  }
}

/** The bytes pass untouched; `coverage` is why. */
export async function passOn(
  { client, state, services, fronts }: Served,
  coverage: Coverage,
  target: Target,
): Promise<void> {
  const { dialer, deadlines, policy } = services
  const { record, known, admitted } = state
  record.coverage = coverage
  const dialOptions = {
    ...(known === undefined ? {} : { known, knownOnly: true }),
    ...(admitted === undefined ? {} : { addresses: admitted }),
  }
  try {
    const end = await tunnel(
      client,
      (options) => dialer.dial(target, { ...dialOptions, ...options }),
      {
        deadlines,
        idleMs: policy.timeouts.tunnelIdleMs,
        isDraining: () => fronts.http.draining,
      },
    )
    noteTunnelEnd(end, record)
  } catch (error) {
    record.coverage = 'failed'
    throw error
  }
}

/** A fatal alert before any handshake: `access_denied`, RFC 8446 §6.2. */
export function turnAway({ client, state }: Served, code: ErrorCode): void {
  state.record.coverage = 'refused'
  state.record.code = code
  endSoon(client, Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31))
}

async function intercept(
  served: Served,
  route: Intercept,
  target: Target,
): Promise<void> {
  const { client, state, services, fronts } = served
  const { record } = state
  const { name } = route
  let onTrial: boolean
  try {
    onTrial = await makeReady(served, name)
  } catch (cause) {
    services.log.error(
      { err: cause, name },
      'no certificate could be made; the connection passes',
    )
    return passOn(served, 'tunnel-ca-unusable', target)
  }
  const shown = interceptedAs(served, route, { target, onTrial })
  state.intercepted = shown
  const { h2, http, tls, next } = fronts
  const acceptance = new Acceptance(client, shown, services)
  const secure = await acceptance.of((onTrial ? next : tls).handshake(client))
  noteReset(secure, record)
  record.coverage = shown.isOneTooMany ? 'refused' : 'inspected'
  if (shown.isOneTooMany) record.code = 'YORI_TOO_MANY_CONNECTIONS'
  await (secure.alpnProtocol === 'h2' ? h2 : http).serve(secure, state)
  // It was we who ended it.
  if (http.draining || record.code === 'YORI_REQUEST_TIMEOUT') return
  if (acceptance.ended() === 'refused') {
    record.coverage = 'failed'
    record.code ??= 'YORI_CLIENT_TLS_FAILED'
  }
}

/** Has a certificate for the name at hand; gives whether it is one of the staged root's. */
async function makeReady({ state, services }: Served, name: string): Promise<boolean> {
  const { certificates, trials } = services
  const onTrial =
    trials.takesNext(state.record.device, name) &&
    (await certificates.nextContextFor(name).catch(() => undefined)) !== undefined
  if (certificates.get(name) === undefined) await certificates.contextFor(name)
  return onTrial
}

function interceptedAs(
  { client, state, services }: Served,
  { name, endpoint }: Intercept,
  { target, onTrial }: { readonly target: Target; readonly onTrial: boolean },
): Intercepted {
  const { roots, intercepted: places } = services
  const { connectTarget, known, admitted, fingerprint } = state
  const [address] = isIP(target.host) === 0 ? [known] : (admitted ?? [known])
  return {
    isOneTooMany: !takePlace(places, endpoint.domain, client),
    endpoint,
    party: { device: state.record.device, name, fingerprint },
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
}
