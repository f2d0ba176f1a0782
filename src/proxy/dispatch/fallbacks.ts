/**
 * Who may be asked in the place of a door's provider: those of the configuration that speak the
 * API that was asked for. Nothing by which the client is known goes there, and a key alone that
 * is configured for that very target.
 */
import { shareOf } from '../../core/device-id.js'
import { isLocalName } from '../../core/hostname.js'
import type { UpstreamBody } from '../../net/upstream-words.js'
import type { Door, Fallback, PooledTarget } from '../../policy/door.js'
import type { DoorAsked } from '../../policy/doors.js'
import { doorEndpoint } from '../../policy/doors.js'
import { ModelRoutes } from '../../policy/model-routes.js'
import { apiPathOf, apiSpokenAt, versionedPath } from '../../policy/spoken-apis.js'
import type { Catalogue } from '../../providers/catalogue.js'
import { dearestOf } from '../../providers/cost.js'
import { withCredential } from '../../providers/credentials.js'
import type { Credentialed } from '../../providers/credentials.js'
import { forAnother, holdsCredential } from '../../providers/crossing.js'
import { modelsNamed, withModel } from '../../providers/with-model.js'
import type { FallbackWay, Taken } from '../words/pooled-way.js'
import type { Arrived } from './arrived.js'
import { dialled, replaced } from './outgoing.js'
import { signsOf } from './signed-anew.js'

/** In the order of the configuration. */
export function fallbacksOf(
  arrived: Arrived,
  door: Door,
  asked: DoorAsked,
): FallbackWay[] {
  const path = apiPathOf(door, asked.rest, asked.isShort === true)
  if (path === undefined) return []
  return (door.fallbacks ?? []).flatMap((one) => wayOf(arrived, one, path) ?? [])
}

function wayOf(
  arrived: Arrived,
  fallback: Fallback,
  path: string,
): FallbackWay | undefined {
  const { services, from, head, holder, upgrade } = arrived
  const door = services.policy.doors.find(fallback.provider)
  const pool = services.pools.find(fallback.provider)
  if (door?.pool === undefined || pool === undefined || upgrade !== undefined)
    return undefined
  if (!apiSpokenAt(door, path)) return undefined
  const { targets } = door.pool
  const { endpoints } = services.policy.routes
  const mayUseOurs = holder !== undefined || from.state.caller.loopback
  const without = new Set<number>()
  for (const [index, { target, key = door.key }] of targets.entries()) {
    const isRefused =
      doorEndpoint(target.host, endpoints.find(target.host)).route === 'refuse'
    const isOurs = (key ?? door.aws ?? target.identity) !== undefined
    if (isRefused || (isOurs && !mayUseOurs)) without.add(index)
  }
  if (without.size === targets.length) return undefined
  const sent: Credentialed = { fields: head.fields, path }
  return {
    provider: door.name,
    pool,
    without,
    key: head.own?.get('x-yori-session-id') ?? shareOf(from.state.record.device),
    headTimeoutMs: door.headTimeoutMs,
    isPreferred: fallback.isPreferred,
    isForErrors: fallback.isForErrors,
    isForBudgets: fallback.isForBudgets,
    isFree: (model) =>
      targets.every(
        ({ target: { host } }, index) =>
          without.has(index) ||
          costsNothing(services.catalogue, { provider: door.name, host, model }),
      ),
    slowerThanMs: fallback.slowerThanMs,
    takes: (body) => (isPlain(arrived) ? taken(body, fallback, sent) : undefined),
    to: (index) => {
      const pooled = targets[index] as PooledTarget
      const { fields, path: there } = asItsOwn(sent, door, pooled)
      const isKeyed = (pooled.key ?? door.key) !== undefined
      const signs = isKeyed ? undefined : signsOf(door, services.clock)
      return { target: dialled(pooled.target), path: there, fields, sent: signs }
    },
  }
}

/** By its price; without one, only what stands in this network costs nothing for sure. */
function costsNothing(
  catalogue: Pick<Catalogue, 'most'>,
  asked: {
    readonly provider: string
    readonly host: string
    readonly model?: string | undefined
  },
): boolean {
  const price = catalogue.most({ ...asked, model: asked.model })
  if (price === undefined) return isLocalName(asked.host)
  return Object.values(dearestOf([price])).every((one) => one === 0)
}

/** What is in a coding cannot be looked at, and what is signed is for one alone. */
function isPlain({ head }: Arrived): boolean {
  const { contentEncoding } = head
  return contentEncoding === undefined || contentEncoding.toLowerCase() === 'identity'
}

function asItsOwn(
  sent: Credentialed,
  door: Door,
  { target, key = door.key }: PooledTarget,
): Credentialed {
  const bare = forAnother(sent)
  const path = target.prefix + versionedPath({ ...door, target }, bare.path)
  const request = { fields: bare.fields, path }
  const own = key === undefined ? request : withCredential(request, door.speaks, key())
  return { fields: replaced(own.fields, door.fields()), path: own.path }
}

function taken(
  body: UpstreamBody,
  { match, model }: Fallback,
  sent: Credentialed,
): Taken | undefined {
  if (body.kind === 'stream') return undefined
  if (body.kind === 'none')
    return match === undefined && model === undefined
      ? { body, model: undefined }
      : undefined
  const { bytes } = body
  if (holdsCredential(bytes, sent)) return undefined
  const named = modelsNamed(bytes)
  const names = new Set(named.map(({ value }) => value))
  const [asked] = names
  if (match === undefined && model === undefined) return { body, model: asked }
  // Of one that names none, or two, nobody knows what it would be there.
  if (asked === undefined || names.size > 1) return undefined
  const routed = new ModelRoutes(
    [{ match: match ?? '*', provider: '', ...(model === undefined ? {} : { model }) }],
    () => false,
  ).find(asked)
  if (routed === undefined) return undefined
  if (routed.model === asked) return { body, model: asked }
  const changed = withModel(bytes, named, routed.model)
  return { body: { kind: 'whole', bytes: changed }, model: routed.model }
}
