/**
 * Goes the way that is chosen by the hello: tunnel, intercept or refuse. Knows how each of them
 * ends in the record; moving bytes is `tunnel.ts`, ending TLS `intercept.ts`.
 */
import type { ErrorCode } from '../../core/errors.js'
import type { Coverage } from '../../core/record.js'
import { unreachable } from '../../core/unreachable.js'
import type { Target } from '../../net/dial.js'
import { endSoon } from '../../net/end-soon.js'
import type { ClientHello } from '../../tls/client-hello.js'
import { unlessForbidden, watchForbidden } from './by-name.js'
import { noteTunnelEnd } from './end-reason.js'
import { unlessEvading } from './evasion.js'
import { intercept } from './intercept.js'
import { routeOf } from './routing.js'
import type { Served } from './served.js'
import { tunnel } from './tunnel.js'

/** Resolves when the connection has ended; rejects with what ended it badly. */
export async function follow(
  served: Served,
  hello: ClientHello,
  target: Target,
): Promise<void> {
  const chosen = await unlessEvading(served, routeOf(served, hello), target)
  const route = await unlessForbidden(served, chosen, target)
  switch (route.kind) {
    case 'tunnel':
      return passOn(served, route.coverage, target)
    case 'refuse':
      turnAway(served, route.code)
      return
    case 'intercept':
      return intercept(served, route, target, (why) => passOn(served, why, target))
    default:
      return unreachable(route)
  }
}

/** The bytes pass untouched; `coverage` is why. */
export async function passOn(
  served: Served,
  coverage: Coverage,
  target: Target,
): Promise<void> {
  const { client, state, services, fronts } = served
  const { dialer, deadlines, policy } = services
  const { log, known, admitted } = state
  log.tunnelled(coverage)
  const dialOptions = {
    ...(known === undefined ? {} : { known, knownOnly: true }),
    ...(admitted === undefined ? {} : { addresses: admitted }),
  }
  using _watch = watchForbidden(served, target)
  try {
    const end = await tunnel(
      client,
      (options) => dialer.dial(target, { ...dialOptions, ...options }),
      {
        deadlines,
        idleMs: policy.timeouts.tunnelIdleMs,
        isStopping: () => fronts.http.stopping,
      },
    )
    noteTunnelEnd(end, log)
  } catch (error) {
    log.failed()
    throw error
  }
}

/** A fatal alert before any handshake: `access_denied`, RFC 8446 §6.2. */
export function turnAway({ client, state }: Served, code: ErrorCode): void {
  state.log.refused(code)
  endSoon(client, Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31))
}
