/**
 * A request to `/v1/...` of our own host, which names no provider: the model that it asks for
 * may. Its body is held until that is known; where the name says nothing, the path decides as
 * ever.
 */
import { shareOf } from '../../core/device-id.js'
import type { Asked } from '../../policy/access.js'
import { apiProblem } from '../../policy/model-routes.js'
import { refusedAt, serveDoor } from './door.js'
import { Hold } from '../bounds/byte-budget.js'
import type { Arrived } from './arrived.js'
import { holdForModel } from './held-model.js'
import type { HeldRequest } from './held-model.js'

/** May its model say whom it means? */
export function isByModel({ http, services, upgrade }: Arrived, asked: Asked): boolean {
  if (http.request.method !== 'POST' || upgrade !== undefined) return false
  if (asked.kind === 'endpoint') return asked.isByPath === true && isVersioned(asked.path)
  if (asked.kind !== 'own' || !isVersioned(asked.path)) return false
  return services.policy.access.providerOfPath(asked.path) !== undefined
}

/** `otherwise` serves it as its path says; both are given the request from its beginning. */
export function serveByModel(
  arrived: Arrived,
  otherwise: (arrived: Arrived) => void,
): void {
  const { http, from, services } = arrived
  if (http.request.headers.expect !== undefined) http.response.writeContinue()
  const { direct: maxBytes } = services.policy.maxRequestBytes
  const use = (held: HeldRequest): void => {
    if (from.socket.destroyed || http.response.destroyed) return
    const { doors } = services.policy
    const names = new Set(held.models)
    const routes = [...names].map((name) => doors.models.find(name))
    const [route] = routes
    const again = { ...arrived, http: { ...http, request: held.request } }
    if (routes.every((one) => one === undefined)) {
      otherwise(again)
      return
    }
    const door = route === undefined ? undefined : doors.find(route.provider)
    const rest = targetOf(http.request.url ?? '/')
    if (names.size > 1) {
      refusedAt(
        again,
        { door, rest },
        'YORI_NOT_FORWARDED',
        'it names more than one model',
      )
      return
    }
    if (route === undefined || door === undefined) {
      refusedAt(again, { door, rest }, 'YORI_PROVIDER_UNKNOWN', route?.provider)
      return
    }
    const problem = apiProblem(door, rest)
    if (problem !== undefined) {
      refusedAt(again, { door: undefined, rest }, 'YORI_NOT_FORWARDED', problem)
      return
    }
    const [asIs] = names
    const edited = route.model === asIs ? held : held.withModel(route.model)
    serveDoor(
      { ...arrived, http: { ...http, request: edited.request }, head: edited.head },
      { name: door.name, rest, isShort: true },
    )
  }
  const hold = new Hold(services.held, shareOf(from.state.record.device))
  holdForModel(http.request, arrived.head, { maxBytes, hold, use })
}

function isVersioned(path: string): boolean {
  return path.startsWith('/v1/')
}

/** A proxy's client says the whole URL. */
function targetOf(url: string): string {
  return url.replace(/^http:\/\/[^/?#]*/i, '')
}
