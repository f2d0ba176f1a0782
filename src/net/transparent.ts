/**
 * Listeners that take connections to addresses of others, as Linux TPROXY leads them here
 * unchanged. Where that is not to be had, everything else works, and the log says what does
 * not and what to do.
 */
import type { Server } from 'node:net'
import { formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import type { Log } from '../core/log.js'
import type { OriginalDestination } from './original-destination.js'

/** What the configuration says of it. */
export interface TransparentOptions {
  /** `auto` tries, and is silent about a failure unless TPROXY may be meant. */
  readonly wanted: 'auto' | 'on' | 'off'
  /** The configuration steers clients here, and TPROXY is its usual form. */
  readonly steered: boolean
  readonly log: Log
}

/** For a server that has just begun to listen. Never throws. */
export function makeTransparent(
  server: Server,
  address: SocketAddress,
  destinations: Pick<OriginalDestination, 'acceptForeign'>,
  { wanted, steered, log }: TransparentOptions,
): void {
  if (wanted === 'off') return
  const reason = destinations.acceptForeign(server)
  const fields = { listen: formatSocketAddress(address) }
  if (reason === undefined) {
    log.debug(fields, 'the listener takes connections that TPROXY leads here')
    return
  }
  const failed = { ...fields, reason }
  const message =
    'clients that TPROXY leads here are not served, they go straight on: give CAP_NET_RAW ' +
    '(systemd: AmbientCapabilities=CAP_NET_RAW), or steer by REDIRECT (yori pf generate ' +
    '--backend nft-redirect), or set steer.transparent: off'
  if (wanted === 'on' || (steered && process.platform === 'linux'))
    log.warn(failed, message)
  else log.debug(failed, message)
}
