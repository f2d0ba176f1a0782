/**
 * A request at a door of the gateway, `/llm/<provider>/...`: to whom it goes, with what of it,
 * and why not. What follows the name goes on as it stands; from there it is an exchange like
 * any other. That its caller may ask us at all has been seen to.
 */
import { shareOf } from '../../core/device-id.js'
import type { ErrorCode } from '../../core/errors.js'
import type { RequestHead } from '../../http/head.js'
import { doorEndpoint, pathProblem } from '../../policy/doors.js'
import type { Door, DoorTarget, PooledTarget } from '../../policy/door.js'
import type { DoorAsked } from '../../policy/doors.js'
import type { EndpointTable } from '../../policy/endpoints.js'
import { versionedPath } from '../../policy/spoken-apis.js'
import {
  credentialIn,
  withCredential,
  withoutCredential,
} from '../../providers/credentials.js'
import type { Credentialed } from '../../providers/credentials.js'
import { withoutOwn } from '../../providers/crossing.js'
import type { PooledWay } from '../words/pooled-way.js'
import { declineAs, exchange, facts, ownOrigin, sdkOf } from './arrived.js'
import type { Arrived } from './arrived.js'
import { fallbacksOf } from './fallbacks.js'
import { signatureProblem, signsOf, SigningWay } from './signed-anew.js'
import type { Signs } from './signed-anew.js'
import { dialled, replaced } from './outgoing.js'

/** Of a body that comes by a door. */
const MAX_BODY_BYTES = 100 * 1024 * 1024
/** Of a name that nobody knows, what is said back. */
const SHOWN_CHARS = 64

export function serveDoor(arrived: Arrived, asked: DoorAsked): void {
  const { name, rest } = asked
  const { services, from } = arrived
  const { sidecar } = services.policy
  const door = services.policy.doors.find(name)
  if (sidecar && !services.decider.isGoverned) {
    refused(arrived, sdkOf(arrived), 'YORI_NOT_GOVERNED')
    return
  }
  if (door === undefined) {
    refused(arrived, sdkOf(arrived), 'YORI_PROVIDER_UNKNOWN', shown(name))
    return
  }
  const sdk = sdkAt(arrived, door, rest)
  const problem = pathProblem(rest) ?? signatureProblem(arrived)
  if (problem !== undefined) {
    refused(arrived, sdk, 'YORI_NOT_FORWARDED', problem)
    return
  }
  const { target } = door
  if (target === undefined) {
    const detail = `set gateway.providers.${name}.base_url`
    refused(arrived, sdk, 'YORI_PROVIDER_NOT_CONFIGURED', detail)
    return
  }
  const endpoint = doorEndpoint(
    target.host,
    services.policy.routes.endpoints.find(target.host),
  )
  if (endpoint.route === 'refuse' && door.pool === undefined) {
    refused(arrived, sdk, 'YORI_ENDPOINT_REFUSED')
    return
  }
  // Whoever reaches us would be taken for us there.
  if (target.identity !== undefined && door.pool === undefined && !mayUse(arrived)) {
    refused(arrived, sdk, 'YORI_KEY_REQUIRED')
    return
  }
  const pooled = door.pool === undefined ? undefined : wayTo(arrived, door, asked)
  if (typeof pooled === 'string') {
    refused(arrived, sdk, pooled)
    return
  }
  const { log } = from.state
  log.inspected()
  log.named(target.host)
  log.ofClass(endpoint.domain)
  const { head, path, signs } = outgoing(arrived, door, asked)
  exchange(
    arrived,
    facts(
      { ...arrived, head },
      {
        target: dialled(target),
        path,
        endpoint,
        door: {
          provider: door.name,
          speaks: door.speaks,
          maxBodyBytes: MAX_BODY_BYTES,
          headTimeoutMs: door.headTimeoutMs,
          ...(pooled === undefined ? {} : { pooled }),
          ...wholeOf(services, pooled !== undefined),
          ...(door.speaks === 'gemini' ? { answerFields: uploadsBy(arrived, door) } : {}),
          ...(signs === undefined ? {} : { way: new SigningWay(signs) }),
          ...(sidecar ? { toolName: toolNameOf(name, rest) } : {}),
        },
      },
    ),
  )
}

/** The same for a request that is at no door yet; `rest` is its path. */
export function refusedAt(
  arrived: Arrived,
  { door, rest }: { readonly door: Door | undefined; readonly rest: string },
  code: ErrorCode,
  detail?: string,
): void {
  const sdk = door === undefined ? sdkOf(arrived) : sdkAt(arrived, door, rest)
  refused(arrived, sdk, code, detail)
}

function refused(arrived: Arrived, sdk: string, code: ErrorCode, detail?: string): void {
  arrived.from.state.log.requestRefused(code)
  declineAs(arrived, sdk, code, detail)
}

/** Whose library asks at this door: by the path, since many servers speak several APIs. */
function sdkAt(arrived: Arrived, door: Door, rest: string): string {
  const { http, services } = arrived
  const head = {
    host: door.target?.host ?? door.name,
    method: http.request.method ?? 'GET',
    path: rest,
  }
  return services.recognise(head, door.speaks)?.provider.name ?? sdkOf(arrived)
}

/** As agents call what they are about to do: `openai.v1.chat.completions`. */
function toolNameOf(provider: string, rest: string): string {
  const path = rest.split('?', 1)[0] as string
  return `${provider}.${path.replace(/^\/+|\/+$/g, '').replaceAll('/', '.')}`
}

/** Gemini tells where a file's content is to be sent: that, too, comes by this door. */
function uploadsBy(
  arrived: Arrived,
  { name, target }: Door,
): (fields: readonly string[]) => string[] {
  const prefix = target?.prefix ?? ''
  const back = `${ownOrigin(arrived)}/llm/${name}`
  return (fields) =>
    fields.map((text, i) => {
      const field = i % 2 === 1 ? (fields[i - 1] as string).toLowerCase() : ''
      if (field !== 'x-goog-upload-url' && field !== 'x-goog-upload-control-url')
        return text
      const [, path] = /^https?:\/\/[^/?#]+(\/.*)$/.exec(text) ?? []
      return path?.startsWith(`${prefix}/`) === true
        ? back + path.slice(prefix.length)
        : text
    })
}

interface Sent {
  readonly head: RequestHead
  readonly path: string
  /** Signs it anew each time that it goes. */
  readonly signs: Signs | undefined
}

/** As it came, with what the configuration sets for this door, or for this target of it. */
function outgoing(
  arrived: Arrived,
  door: Door,
  { rest, isShort }: DoorAsked,
  pooled?: PooledTarget,
): Sent {
  const { head, holder } = arrived
  const target = pooled?.target ?? door.target
  const there = isShort === true ? versionedPath({ ...door, target }, rest) : rest
  const path = (target?.prefix ?? '') + there
  let request: Credentialed = { fields: head.fields, path }
  const isOurs =
    holder !== undefined ||
    (arrived.from.state.caller.loopback && credentialIn(request) === undefined)
  if (pooled?.key !== undefined)
    request = withCredential(withoutOwn(request), door.speaks, pooled.key())
  else if (door.key !== undefined && isOurs)
    request = withCredential(request, door.speaks, door.key())
  // A key of ours is nobody else's to see.
  else if (holder !== undefined) request = withoutCredential(request)
  const isSigned = isOurs && pooled?.key === undefined && door.key === undefined
  return {
    head: { ...head, fields: replaced(request.fields, door.fields()) },
    path: request.path,
    signs: isSigned ? signsOf(door, arrived.services.clock) : undefined,
  }
}

/** What is ours goes for those of this machine, and for who brings a key of ours. */
function mayUse({ holder, from }: Arrived): boolean {
  return holder !== undefined || from.state.caller.loopback
}

/** By its targets; an error where none of them is for this client. */
function wayTo(arrived: Arrived, door: Door, asked: DoorAsked): PooledWay | ErrorCode {
  const { services, from, head } = arrived
  const pool = services.pools.find(door.name)
  const targets = door.pool?.targets ?? []
  if (pool === undefined) return 'YORI_PROVIDER_NOT_CONFIGURED'
  const mayUseOurs = mayUse(arrived)
  const { endpoints } = services.policy.routes
  const refused = placesOf(targets, ({ target }) => isRefused(target, endpoints))
  const withheld = placesOf(
    targets,
    ({ key, target }) => !mayUseOurs && (key ?? target.identity) !== undefined,
  )
  const without = new Set([...refused, ...withheld])
  const fallbacks = fallbacksOf(arrived, door, asked)
  if (without.size === targets.length)
    return withheld.length > 0 ? 'YORI_KEY_REQUIRED' : 'YORI_ENDPOINT_REFUSED'
  return {
    pool,
    without,
    key: head.own?.get('x-yori-session-id') ?? shareOf(from.state.record.device),
    headTimeoutMs: door.headTimeoutMs,
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
    to: (index) => {
      const pooled = targets[index] as PooledTarget
      const sent = outgoing(arrived, door, asked, pooled)
      return {
        target: dialled(pooled.target),
        path: sent.path,
        fields: sent.head.fields,
        sent: sent.signs,
      }
    },
  }
}

/** What is read whole before it goes up: to go up again, or to be known again. */
function wholeOf(
  { policy, answers }: Arrived['services'],
  isPooled: boolean,
): { readonly wholeBytes?: number } {
  const again = isPooled ? policy.wholeBytes : 0
  const wholeBytes = Math.max(again, answers?.limits.requestBytes ?? 0)
  return wholeBytes === 0 ? {} : { wholeBytes }
}

function placesOf(
  targets: readonly PooledTarget[],
  fits: (one: PooledTarget) => boolean,
): number[] {
  return targets.flatMap((one, index) => (fits(one) ? [index] : []))
}

function isRefused({ host }: DoorTarget, endpoints: EndpointTable): boolean {
  return doorEndpoint(host, endpoints.find(host)).route === 'refuse'
}

function shown(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '').slice(0, SHOWN_CHARS)
}
