/**
 * Did the client accept our certificate? An alert tells; else the way in which it leaves.
 * Some libraries finish the handshake, look at the certificate then, and close.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { clientRefusal, refusalCause } from '../../net/tls-failure.js'
import type { Intercepted } from '../words/connection-state.js'
import type { ConnectionPort } from './port.js'

/** A close that comes later had another reason: a connection opened in advance, above all. */
const REFUSES_WITHIN_MS = 2_000
/** More than the alert that closes TLS, less than the shortest request. */
const LAST_WORDS_BYTES = 48

export class Acceptance {
  readonly #client: Socket
  readonly #shown: Intercepted
  readonly #services: ConnectionPort
  #securedAt = 0
  #bytesThen = 0

  constructor(client: Socket, shown: Intercepted, services: ConnectionPort) {
    this.#client = client
    this.#shown = shown
    this.#services = services
  }

  /** @throws what the handshake throws */
  async of(handshake: Promise<TLSSocket>): Promise<TLSSocket> {
    const began = this.#services.deadlines.now()
    try {
      const secure = await handshake
      this.#securedAt = this.#services.deadlines.now()
      this.#bytesThen = this.#client.bytesRead
      return secure
    } catch (error) {
      const refusal = clientRefusal((error as Error).cause)
      const late = this.#services.deadlines.now() - began > REFUSES_WITHIN_MS
      if (refusal === 'alert' || (refusal === 'close' && !late))
        this.#refused(refusal, refusalCause((error as Error).cause))
      throw error
    }
  }

  /** The connection has ended; was that a no to our certificate? */
  ended(): 'refused' | undefined {
    const stayedMs = this.#services.deadlines.now() - this.#securedAt
    const words = this.#client.bytesRead - this.#bytesThen
    if (this.#shown.heard || stayedMs > REFUSES_WITHIN_MS || words > LAST_WORDS_BYTES)
      return undefined
    this.#refused('close', refusalCause(undefined))
    return 'refused'
  }

  #refused(how: 'alert' | 'close', cause: string): void {
    const { party, root, onTrial } = this.#shown
    const { memory, trials, trust } = this.#services
    trials.saw(party.device, party.name, { kind: 'refused', cause })
    // Who does not know the staged root yet has nothing against the present one.
    const counts = onTrial || memory.refused(party, how)
    if (counts) trust.refused(party.device, party.name, { root, cause })
  }
}
