/**
 * A request as it comes from the HTTP front: what is it about? Inside intercepted TLS there is
 * one name and everything must agree with it; on our own port the request itself says.
 */
import type { ErrorCode } from '../../core/errors.js'
import { OWN_CHECK_AGENT } from '../../core/own-probe.js'
import { ALIVE_PATH, ASK_PATH, RESERVED_PREFIX } from '../../core/own-paths.js'
import { authorityHost, readRequestHead } from '../../http/head.js'
import type { RequestHead } from '../../http/head.js'
import { isOfGateway, mayCall, whatIsAsked } from '../../policy/access.js'
import type { Asked } from '../../policy/access.js'
import { doorAsked, shortDoorAsked } from '../../policy/doors.js'
import type { DoorAsked } from '../../policy/doors.js'
import type { Intercepted } from '../words/connection-state.js'
import type { ConnectionState } from '../words/connection-state.js'
import type { HttpClient, HttpRequest } from '../words/http-words.js'
import { classOfHost } from '../words/name-class.js'
import {
  isJson,
  OVERRIDE_ALIAS,
  OVERRIDE_PATH,
  serveAsk,
  serveOverride,
} from '../site/override-form.js'
import { SELF_TEST_PATH, serveSelfTest } from '../site/self-test.js'
import { isKnownUser } from '../words/known-user.js'
import { decline, exchange, facts, ORIGIN_FORM, originForm } from './arrived.js'
import type { Arrived, Http } from './arrived.js'
import { isByModel, serveByModel } from './by-model.js'
import { serveDoor } from './door.js'
import { keyIn } from './key-in.js'
import { isOpenPath, OPEN_PATHS, serveOpenAnswer } from './open-answer.js'
import { mcpDoorOf, serveMcp } from './mcp.js'
import type { DispatchPort } from './port.js'
import { isSitePath, serveSite } from '../site/site.js'

/** `upgrade` is the protocol that the client asked to switch to, when we relay it. */
export function serveRequest(
  http: Http,
  from: HttpClient,
  services: DispatchPort,
  upgrade?: string,
): void {
  const head = headWithin(from.state, http.request)
  const { intercepted } = from.state
  if (intercepted !== undefined) {
    serveIntercepted({ http, from, services, head, upgrade }, intercepted)
    return
  }
  serveOwnPort({ http, from, services, head, upgrade })
}

/** What the CONNECT of its tunnel says of the client, the request need not say again. */
function headWithin(
  { tunnelOwn }: Pick<ConnectionState, 'tunnelOwn'>,
  { rawHeaders }: HttpRequest,
): RequestHead {
  const head = readRequestHead(rawHeaders)
  if (tunnelOwn === undefined) return head
  return { ...head, own: new Map([...tunnelOwn, ...(head.own ?? [])]) }
}

function serveIntercepted(arrived: Arrived, intercepted: Intercepted): void {
  const { head, http, from } = arrived
  const { target, endpoint, misdirected, noLonger } = intercepted
  if (!intercepted.heard) accepted(arrived, intercepted)
  const [host] = head.hosts
  const { authority, path } = originForm(http.request.url ?? '/')
  const names = (value: string): boolean =>
    authorityHost(value, target.port) === target.host
  const agrees =
    head.hosts.length === 1 &&
    host !== undefined &&
    names(host) &&
    (authority === undefined || names(authority))
  if (intercepted.isOneTooMany) {
    decline(arrived, 'YORI_TOO_MANY_CONNECTIONS', target.host)
  } else if (noLonger !== undefined) {
    from.goAway()
    decline(arrived, noLonger, target.host)
  } else if (misdirected || !agrees) {
    decline(arrived, 'YORI_MISDIRECTED', target.host)
  } else if (!ORIGIN_FORM.test(path)) {
    decline(arrived, 'YORI_REQUEST_MALFORMED', target.host)
  } else if (path.startsWith(RESERVED_PREFIX)) {
    if (path.split('?', 1)[0] === SELF_TEST_PATH) selfTest(arrived, intercepted)
    else serveReserved(arrived, path, target.host)
  } else if (arrived.services.keys.hasKeys && keyIn(arrived) !== undefined) {
    decline(arrived, 'YORI_KEY_UNKNOWN', target.host, 'it is for /llm/NAME of YORI alone')
  } else {
    exchange(arrived, { head, target, path, endpoint, upgrade: arrived.upgrade })
  }
}

/** The first request of a connection: its client believed the chain that it was shown. */
function accepted({ http, from, services }: Arrived, intercepted: Intercepted): void {
  const { party, root, onTrial } = intercepted
  intercepted.heard = true
  if (from.state.probe || http.request.headers['user-agent'] === OWN_CHECK_AGENT) return
  services.trust.accepted(party.device, party.name, root)
  if (!onTrial) services.memory.accepted(party)
}

function selfTest(arrived: Arrived, intercepted: Intercepted): void {
  const { http, from, services } = arrived
  from.began()
  http.response.once('close', () => from.ended())
  serveSelfTest(http, from, intercepted, services)
}

/** Ours on every intercepted host; never forwarded. */
function serveReserved(arrived: Arrived, url: string, host: string | undefined): void {
  const { http, from, services } = arrived
  const path = url.split('?', 1)[0]
  if (path === ALIVE_PATH && (from.state.caller.loopback || from.state.probe)) {
    serveAlive(arrived)
    return
  }
  if (path === ASK_PATH) {
    from.began()
    http.response.once('close', () => from.ended())
    void serveAsk(http, from.state.record.device, services.overrides)
    return
  }
  const isOverride = path === OVERRIDE_PATH || path === OVERRIDE_ALIAS
  // Programs are told that it is off; for others there is nothing here.
  if (!isOverride || !(services.overrides.enabled || isJson(http.request))) {
    decline(arrived, 'YORI_NOT_FOUND', host)
    return
  }
  from.began()
  http.response.once('close', () => from.ended())
  void serveOverride(http, from.state.record.device, services.overrides)
}

/** The supervisor asks, here or as a client would: neither traffic nor part of coverage. */
function serveAlive({ http, from }: Arrived): void {
  // Before it counts as a request itself.
  from.state.log.probed()
  from.began()
  http.response.once('close', () => from.ended())
  http.response.writeHead(200, 'OK', [
    ...['cache-control', 'no-store', 'content-length', '0', 'server', 'YORI'],
  ])
  http.response.end()
}

function serveOwnPort(came: Arrived): void {
  const given = keyIn(came)
  const arrived = typeof given === 'object' ? { ...came, holder: given } : came
  const { http, from, services, head } = arrived
  // Is the page there for devices? Its own device asks, which no rule of access is about.
  if (from.state.probe && http.request.url === ALIVE_PATH) return serveAlive(arrived)
  const { policy } = services
  const asked: Asked = whatIsAsked(policy.access, policy.routes.endpoints, {
    caller: from.state.caller,
    target: http.request.url ?? '',
    hosts: head.hosts,
    origin: http.request.headers.origin,
    fetchSite: single(http.request.headers['sec-fetch-site']),
    localPort: from.state.localPort,
    holdsKey: arrived.holder !== undefined,
  })
  // Whom a key let in from anywhere is told that it does so no longer.
  const isTold = asked.kind !== 'refused' || asked.code === 'YORI_CLIENT_NOT_ALLOWED'
  if (typeof given === 'string' && isTold) {
    const detail = given === 'expired' ? 'it has expired' : undefined
    turnDown(arrived, 'YORI_KEY_UNKNOWN', detail)
    return
  }
  // A key of ours is for the gateway alone: elsewhere it would go on as it is.
  if (given !== undefined && asked.kind !== 'refused' && !isOfGateway(asked)) {
    turnDown(arrived, 'YORI_KEY_UNKNOWN', 'it is for /llm/NAME of this host alone')
    return
  }
  if (isByModel(arrived, asked)) {
    return asHolder(arrived, codeForUnknown(http, asked), () =>
      serveByModel(arrived, (again) => serveOwnName(again, asked)),
    )
  }
  serveOwnName(arrived, asked)
}

/** The door at which a request is; undefined: it is at none. */
function doorOf({ services, holder }: Arrived, asked: Asked): DoorAsked | undefined {
  const { doors } = services.policy
  const name = doors.defaultName
  switch (asked.kind) {
    case 'refused':
    case 'relay':
      return undefined
    case 'endpoint': {
      if (asked.isByPath !== true) return undefined
      if (name !== undefined) return { name, rest: asked.path, isShort: true }
      if (holder === undefined) return undefined
      // A key of ours is changed for the provider's at its door.
      const meant = services.catalogue.entryFor(asked.name)?.name ?? asked.name
      return { name: meant, rest: asked.path, isShort: /^\/v\d/.test(asked.path) }
    }
    case 'own': {
      const door = doorAsked(asked.target) ?? shortDoorAsked(asked.target, doors)
      const isOurs = isSitePath(asked.path) || OPEN_PATHS.has(asked.path)
      if (door !== undefined || name === undefined || isOurs) return door
      return { name, rest: asked.target, isShort: true }
    }
  }
}

/** What a request in our own name, or in the clear, asks for. */
function serveOwnName(arrived: Arrived, asked: Asked): void {
  const { http, from, services } = arrived
  const { log } = from.state
  const door = doorOf(arrived, asked)
  const mcp = mcpDoorOf(arrived, asked)
  if (mcp !== undefined) {
    return asHolder(arrived, codeForUnknown(http, asked), () => serveMcp(arrived, mcp))
  }
  if (door !== undefined) {
    return asHolder(arrived, codeForUnknown(http, asked), () => serveDoor(arrived, door))
  }
  // Whom a key alone lets in has the gateway, and nothing else of ours.
  if (
    arrived.holder !== undefined &&
    !mayCall(services.policy.access, from.state.caller)
  ) {
    turnDown(arrived, 'YORI_CLIENT_NOT_ALLOWED')
    return
  }
  switch (asked.kind) {
    case 'refused':
      log.requestRefused(asked.code)
      decline(arrived, asked.code, undefined, asked.detail)
      return
    case 'own':
      log.servedOwn()
      if (asked.path === OVERRIDE_ALIAS || asked.path.startsWith(RESERVED_PREFIX)) {
        serveReserved(arrived, asked.path, undefined)
        return
      }
      if (isOpenPath(arrived, asked.path)) {
        void serveOpenAnswer(arrived, asked.target)
        return
      }
      if (!serveSite(http, asked.path, from, services))
        decline(arrived, 'YORI_NOT_FOUND', undefined)
      return
    case 'relay':
    case 'endpoint': {
      const serve = isOfGateway(asked) ? asHolder : asUser
      return serve(arrived, codeForUnknown(http, asked), () => serveAsked(arrived, asked))
    }
  }
}

/**
 * Who called us as a proxy (absolute-form) is asked as by a proxy. Libraries that call us as
 * their server take 407 for a fault of the network: they are told by 401.
 */
function codeForUnknown({ request }: Http, { kind }: Asked): ErrorCode {
  const isDirect = kind !== 'relay' && (request.url ?? '/').startsWith('/')
  return isDirect ? 'YORI_USER_UNKNOWN' : 'YORI_PROXY_AUTHENTICATION'
}

/** What the gateway serves: goes on when the caller brings a key of ours, or need not. */
function asHolder(arrived: Arrived, code: ErrorCode, goOn: () => void): void {
  const { holder, services, from } = arrived
  const { requireKey } = services.policy
  const isAsked =
    requireKey === 'always' ||
    (requireKey === 'beyond_loopback' && !from.state.caller.loopback)
  if (isAsked && holder === undefined) turnDown(arrived, 'YORI_KEY_REQUIRED')
  else asUser(arrived, code, goOn)
}

function turnDown(arrived: Arrived, code: ErrorCode, detail?: string): void {
  arrived.from.state.log.requestRefused(code)
  decline(arrived, code, undefined, detail)
}

/** Goes on when the caller is one of the users, or need not be; else `code` is the answer. */
function asUser(arrived: Arrived, code: ErrorCode, goOn: () => void): void {
  const { http, from, services, head, holder } = arrived
  if (holder !== undefined) {
    goOn()
    return
  }
  const known = isKnownUser(services, from.state.caller, head.proxyAuthorization)
  const decide = (isKnown: boolean): void => {
    if (isKnown) goOn()
    else {
      from.state.log.requestRefused(code)
      decline(arrived, code, undefined)
    }
  }
  if (typeof known === 'boolean') {
    decide(known)
    return
  }
  void known.then((isKnown) => {
    if (!from.socket.destroyed && !http.response.destroyed) decide(isKnown)
  })
}

function serveAsked(
  arrived: Arrived,
  asked: Extract<Asked, { kind: 'relay' | 'endpoint' }>,
): void {
  const { log } = arrived.from.state
  switch (asked.kind) {
    case 'relay': {
      log.cameBy('explicit')
      log.relayed(classOfHost(asked.host, undefined))
      const target = { host: asked.host, port: asked.port, plain: true }
      exchange(arrived, facts(arrived, { target, path: asked.path, endpoint: undefined }))
      return
    }
    case 'endpoint': {
      log.inspected()
      log.named(asked.name)
      log.ofClass(asked.endpoint.domain)
      const { plainPort } = asked
      const target =
        plainPort === undefined
          ? { host: asked.name, port: 443 }
          : { host: asked.name, port: plainPort, plain: true }
      exchange(
        arrived,
        facts(arrived, { target, path: asked.path, endpoint: asked.endpoint }),
      )
      return
    }
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
