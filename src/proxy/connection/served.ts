/**
 * A connection together with all that serves it: what its steps hand on to one another, from
 * `connection.ts` over a way in (`dialled.ts`, `explicit.ts`) and `routing.ts` to `follow.ts`.
 */
import type { Socket } from 'node:net'
import { peek } from '../../net/peek.js'
import type { FirstBytes } from '../../net/peek.js'
import type { ConnectionState } from '../words/connection-state.js'
import type { H2Front } from '../fronts/h2-front.js'
import type { H1Front } from '../fronts/h1-front.js'
import type { TlsTerminator } from '../fronts/tls-terminator.js'
import type { ConnectionPort } from './port.js'

/** The servers that a connection may be handed to. */
export interface Fronts {
  readonly http: H1Front
  readonly h2: H2Front
  /** In the providers' names. */
  readonly tls: TlsTerminator
  /** The same, with chains that lead to the staged root alone. */
  readonly next: TlsTerminator
  /** In our own names. */
  readonly site: TlsTerminator
}

export interface Served {
  /** Where its next bytes are: the TCP socket, or the TLS in which a CONNECT came. */
  readonly client: Socket
  readonly state: ConnectionState
  readonly services: ConnectionPort
  readonly fronts: Fronts
}

/**
 * Its first bytes, which stay in the socket. `patient`: the client is to speak first, and may
 * take its time to begin; else a short silence tells that it waits for the server to speak.
 */
export async function firstBytes(
  { client, state, services }: Served,
  patient: boolean,
): Promise<FirstBytes> {
  const { policy, undecided } = services
  const { limits, timeouts } = policy
  const place = undecided.enter(state.caller.address)
  if (place.turn !== undefined) {
    const leave = (): void => place.leave()
    client.once('close', leave)
    await place.turn
    client.off('close', leave)
  }
  const found = await peek(client, {
    signal: place.signal,
    maxBytes: limits.clientHelloBytes,
    firstBytesTimeoutMs: patient ? timeouts.requestHeadMs : timeouts.firstBytesMs,
    helloTimeoutMs: timeouts.clientHelloMs,
  })
  place.leave()
  return found
}

/** It went before it was known what it wanted. */
export function left({ client, state }: Served): void {
  state.log.ended('YORI_CLIENT_GONE')
  client.destroy()
}
