/**
 * Limits that hold without reading: of a name of an LLM whose connections pass untouched (web
 * chats, apps that pin), the policies that need no request decide before it is dialled, and
 * again while it is open, since bedtime comes to an open chat, too.
 */
import type { Watched } from '../../core/watched.js'
import type { Route } from '../../policy/route.js'
import type { Target } from '../../net/dial.js'
import { isExempt } from './before-tls.js'
import type { Served } from './served.js'

/** Between two looks at an open tunnel: well within the minute. */
const AGAIN_MS = 15_000

/** The route that it takes in the end: `route`, or a refusal by policy. */
export async function unlessForbidden(
  served: Served,
  route: Route,
  target: Target,
): Promise<Route> {
  if (route.kind !== 'tunnel') return route
  const name = llmName(served, target)
  if (name === undefined || !(await forbids(served, name))) return route
  return { kind: 'refuse', code: 'YORI_REFUSED_BY_POLICY' }
}

/** Ends an open tunnel when a policy comes to forbid it. */
export function watchForbidden(served: Served, target: Target): Disposable {
  const name = llmName(served, target)
  const { client, state, services } = served
  if (name === undefined) return { [Symbol.dispose]: () => undefined }
  const { deadlines } = services
  let nextLook = deadlines.now() + AGAIN_MS
  const watch: Watched = {
    tick(now) {
      if (now < nextLook) return
      nextLook = now + AGAIN_MS
      void forbids(served, name).then((forbidden) => {
        if (!forbidden || client.destroyed) return
        state.log.refused('YORI_REFUSED_BY_POLICY')
        client.destroy()
      })
    },
  }
  deadlines.watch(watch)
  return { [Symbol.dispose]: () => deadlines.unwatch(watch) }
}

/** Never rejects: a policy that fails has its say by `fail_mode`. */
async function forbids({ state, services }: Served, name: string): Promise<boolean> {
  const { device } = state.record
  const { decider, policy: snapshot } = services
  // Policies leave an exempt device alone; who pauses it means it.
  const decision = isExempt(snapshot, device)
    ? decider.paused(device, name)
    : await decider.byName(device, name)
  if (decision?.enforce !== true) return false
  const { policy, reason } = decision
  services.log.info({ device: device.ip, policy, reason }, 'refused by name')
  return true
}

/**
 * The name of an LLM that a connection is about: by its hello, else by its CONNECT. An endpoint
 * of the configuration that is switched off is none.
 */
function llmName({ state, services }: Served, target: Target): string | undefined {
  const { policy, catalogue } = services
  const shown = state.hello?.serverName
  return [shown, target.host].find((name) => {
    if (name === undefined) return false
    const endpoint = policy.routes.endpoints.find(name)
    if (endpoint !== undefined) return endpoint.enabled
    return catalogue.entryFor(name) !== undefined
  })
}
