/**
 * Intercepts: has a certificate for the name at hand, ends the client's TLS by it, and hands
 * what is inside to the HTTP front that was agreed on. What a client's leaving says of our
 * certificate is `acceptance.ts`; the handshake itself is `fronts/tls-terminator.ts`.
 */
import { isIP } from 'node:net'
import type { Coverage } from '../../core/record.js'
import type { Target } from '../../net/dial.js'
import type { Route } from '../../policy/route.js'
import { shareOf } from '../../core/device-id.js'
import { takePlace } from '../bounds/admission.js'
import type { Intercepted } from '../words/connection-state.js'
import { Acceptance } from './acceptance.js'
import { noteReset } from './end-reason.js'
import type { Served } from './served.js'

type Intercept = Extract<Route, { kind: 'intercept' }>

/**
 * Resolves when the connection has ended. `pass` lets it pass untouched, where no certificate
 * can be made.
 * @throws what ended it badly
 */
export async function intercept(
  served: Served,
  route: Intercept,
  target: Target,
  pass: (coverage: Coverage) => Promise<void>,
): Promise<void> {
  const { client, state, services, fronts } = served
  const { record, log } = state
  const { name } = route
  let onTrial: boolean
  try {
    onTrial = await makeReady(served, name)
  } catch (cause) {
    services.log.error(
      { err: cause, name },
      'no certificate could be made; the connection passes',
    )
    return pass('tunnel-ca-unusable')
  }
  const shown = interceptedAs(served, route, { target, onTrial })
  state.intercepted = shown
  const { h2, http, tls, next } = fronts
  const acceptance = new Acceptance(served, shown)
  const began = services.clock.monotonic()
  const secure = await acceptance.of((onTrial ? next : tls).handshake(client))
  const ms = services.clock.monotonic() - began
  services.observers.handshake({ ms, isResumed: secure.isSessionReused() })
  noteReset(secure, log)
  if (shown.isOneTooMany) log.refused('YORI_TOO_MANY_CONNECTIONS')
  else log.inspected()
  await (secure.alpnProtocol === 'h2' ? h2 : http).serve(secure, state)
  // It was we who ended it.
  if (http.stopping || record.code === 'YORI_REQUEST_TIMEOUT') return
  if (acceptance.ended() === 'refused') log.failed('YORI_CLIENT_TLS_FAILED')
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
  const { device } = state.record
  const place = { endpoint: endpoint.domain, device: shareOf(device) }
  const [address] = isIP(target.host) === 0 ? [known] : (admitted ?? [known])
  return {
    isOneTooMany: !takePlace(places, place, client),
    endpoint,
    party: { device, name, fingerprint },
    noLonger: undefined,
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
