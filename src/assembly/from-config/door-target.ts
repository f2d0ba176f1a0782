/** Where a base URL of the configuration leads. */
import { isIP } from 'node:net'
import { canonicalAddress } from '../../core/address.js'
import { canonicalHostname } from '../../core/hostname.js'
import type { DoorTarget } from '../../policy/door.js'

export function targetOf({ protocol, hostname, port, pathname }: URL): DoorTarget {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  const host = canonicalAddress(bare) ?? canonicalHostname(bare) ?? bare
  const plain = protocol === 'http:'
  return {
    host,
    port: port === '' ? (plain ? 80 : 443) : Number(port),
    plain,
    isWritten: isIP(host) !== 0 || host === 'localhost',
    prefix: pathname.replace(/\/+$/, ''),
  }
}

/** In the clear nobody asks for one. */
export function withIdentity(
  target: DoorTarget,
  identity: string | undefined,
): DoorTarget {
  return identity === undefined || target.plain ? target : { ...target, identity }
}
