/** Why a connection ended, in the words of its record; an ordinary end has none. */
import type { Socket } from 'node:net'
import type { ErrorCode } from '../../core/errors.js'
import { errorCodeOf } from '../../net/tls-failure.js'
import type { ConnectionLog } from '../words/connection-log.js'
import type { TunnelEnd } from './tunnel.js'

/** To be called before anybody else listens: errors end in 'close', and the first reason counts. */
export function noteReset(socket: Socket, log: ConnectionLog): void {
  socket.on('error', (error) => {
    if (errorCodeOf(error) === 'ECONNRESET') log.ended('YORI_CLIENT_RESET')
  })
}

/** A reset that was seen on the way tells more than how the tunnel ended. */
export function noteTunnelEnd(end: TunnelEnd, log: ConnectionLog): void {
  if (end !== 'complete') log.ended(TUNNEL_CODES[end])
}

const TUNNEL_CODES: Readonly<Record<Exclude<TunnelEnd, 'complete'>, ErrorCode>> = {
  'client-reset': 'YORI_CLIENT_RESET',
  'upstream-reset': 'YORI_UPSTREAM_RESET',
  idle: 'YORI_TUNNEL_IDLE',
}
