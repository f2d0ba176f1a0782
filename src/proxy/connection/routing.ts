/**
 * Finds the route of a connection by its ClientHello: gathers what the hello, the device, the
 * CONNECT around it and earlier connections tell, asks `policy/route.ts`, which decides, and
 * notes in the record what the connection is about.
 */
import { isIP } from 'node:net'
import { chooseRoute } from '../../policy/route.js'
import type { Route } from '../../policy/route.js'
import type { ClientHello } from '../../tls/client-hello.js'
import { helloFingerprint } from '../../tls/fingerprint.js'
import { classOfHello, subjectOf } from '../words/name-class.js'
import { isExempt } from './before-tls.js'
import type { Served } from './served.js'
import type { ConnectionPort } from './port.js'

export function routeOf(
  { state, services }: Pick<Served, 'state' | 'services'>,
  hello: ClientHello,
): Route {
  const { policy, certificates, memory, decider, catalogue } = services
  const { device } = state.record
  const name = hello.serverName
  const fingerprint = helloFingerprint(hello)
  state.hello = hello
  state.fingerprint = fingerprint
  state.onlyH2 = hello.alpn.includes('h2') && !hello.alpn.includes('http/1.1')
  const called = state.connectTarget?.host
  const isNamed = isNamedByConnect(called, services)
  const learned =
    name === undefined || state.probe
      ? undefined
      : memory.learned({ device, name, fingerprint })
  const entry = name === undefined ? undefined : catalogue.entryFor(name)
  const route = chooseRoute(policy.routes, {
    serverName: name,
    serverNameIsAddress: hello.serverNameIsAddress,
    nameMayBeHidden: (hello.ech || hello.esni) && !isNamed,
    ...(called === undefined ? {} : { calledName: called }),
    alpn: hello.alpn,
    deviceExempt: !state.probe && isExempt(policy, device),
    learned,
    mustInspect: [name, called].some(
      (one) => one !== undefined && decider.mustInspect(device, one),
    ),
    mustRead: name !== undefined && decider.mustRead(device, name),
    knownToPin: (entry?.pinnedApps.length ?? 0) > 0,
    mintable: (wanted) => certificates.mintable(wanted),
  })
  if (name !== undefined && route.kind === 'tunnel') {
    const seen = { kind: 'passed', coverage: route.coverage } as const
    services.trials.saw(device, name, seen)
  }
  const endpoint = name === undefined ? undefined : policy.routes.endpoints.find(name)
  const subject = name === undefined ? undefined : subjectOf(name, endpoint, entry)
  // What is asked of LLMs is the subject; what else somebody visits is nobody's matter.
  if (name !== undefined && (subject !== undefined || policy.recordTunnelNames)) {
    state.log.named(name)
  }
  if (!isNamed) state.log.ofClass(classOfHello(hello, subject))
  return route
}

/** What a CONNECT asked for is known, whatever the hello inside shows. */
function isNamedByConnect(host: string | undefined, { policy }: ConnectionPort): boolean {
  if (host === undefined || isIP(host) !== 0) return false
  return policy.routes.endpoints.find(host) === undefined
}
