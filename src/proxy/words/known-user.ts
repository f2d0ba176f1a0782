/** Who may use the proxy by name. */
import type { ProxyUsers } from '../../net/proxy-users.js'
import type { Caller } from '../../policy/access.js'

export interface UsersPort {
  /** `access.users`, when there are any: clients beyond loopback name one. */
  readonly users: Pick<ProxyUsers, 'check'> | undefined
}

/**
 * Has this caller named one of `access.users`, when it must? Only for the explicit and direct
 * ways: TLS in a provider's own name has no place for credentials, there `access.clients`
 * decides alone.
 */
export function isKnownUser(
  services: UsersPort,
  caller: Caller,
  credentials: string | undefined,
): boolean | Promise<boolean> {
  if (services.users === undefined || caller.loopback) return true
  return services.users.check(credentials)
}
