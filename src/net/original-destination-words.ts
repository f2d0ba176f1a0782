/** What the two kernels' sides of the original destination have in common. */
import type { Socket } from 'node:net'
import type { SocketAddress } from '../core/address.js'

export type Destination =
  /** The client dialled somebody else. */
  | { readonly kind: 'original'; readonly address: SocketAddress }
  /** The client dialled us. */
  | { readonly kind: 'own' }
  /** It reached one of our addresses, and whether it was led there cannot be found out. */
  | { readonly kind: 'unknown' }

/** Both ends of an accepted connection, canonical. */
export interface Ends {
  readonly client: SocketAddress
  readonly local: SocketAddress
}

/** How one kernel is asked about a connection to one of our own addresses. */
export type AskKernel = (socket: Socket, ends: Ends) => Destination | Promise<Destination>
