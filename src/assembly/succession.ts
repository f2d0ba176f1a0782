/**
 * A connection that outlives the generation in which it began: its next request belongs to the
 * newest, whose policies and lists are in force. TLS that was ended for a provider is asked
 * about again, for what was intercepted then may not be now.
 */
import type { ConnectionPort } from '../proxy/connection/port.js'
import { routeOf } from '../proxy/connection/routing.js'
import type { ConnectionState } from '../proxy/words/connection-state.js'

/** `next` takes the requests of the connection from now on; else they stay where they were. */
export function succeeds(state: ConnectionState, next: ConnectionPort): boolean {
  const { intercepted, hello } = state
  if (intercepted === undefined || hello === undefined) return true
  const route = routeOf({ state, services: next }, hello)
  if (route.kind === 'tunnel') return false
  intercepted.noLonger = route.kind === 'refuse' ? route.code : undefined
  if (route.kind === 'intercept') intercepted.endpoint = route.endpoint
  return true
}
