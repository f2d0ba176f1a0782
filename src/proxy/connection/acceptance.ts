/**
 * Did the client accept our certificate? An alert tells; else the way in which it leaves.
 * Some libraries finish the handshake, look at the certificate then, and close.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { blamesClock, clientRefusal, refusalCause } from '../../net/tls-failure.js'
import type { Intercepted } from '../words/connection-state.js'
import type { Refusal } from '../../learned/memory.js'
import type { ConnectionPort } from './port.js'
import type { Served } from './served.js'

/** A close that comes later had another reason: a connection opened in advance, above all. */
const REFUSES_WITHIN_MS = 2_000
/** More than the alert that closes TLS, less than the shortest request. */
const LAST_WORDS_BYTES = 48

/** RFC 7366: OpenSSL offers it; Go, BoringSSL, NSS, Rustls and Java do not. */
const ENCRYPT_THEN_MAC = 22
/** RFC 8449: GnuTLS offers both. */
const RECORD_SIZE_LIMIT = 28

export class Acceptance {
  readonly #client: Socket
  readonly #shown: Intercepted
  readonly #services: ConnectionPort
  /** Its words of an unknown root are others than those of a wrong time. */
  readonly #likeOpenSsl: boolean
  #securedAt = 0
  #bytesThen = 0
  readonly #isProbe: boolean

  constructor({ client, state, services }: Served, shown: Intercepted) {
    this.#client = client
    this.#shown = shown
    this.#services = services
    this.#isProbe = state.probe
    const offers = state.hello?.extensionTypes ?? []
    this.#likeOpenSsl =
      offers.includes(ENCRYPT_THEN_MAC) && !offers.includes(RECORD_SIZE_LIMIT)
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
      const { cause } = error as Error
      const refusal = clientRefusal(cause)
      const late = this.#services.deadlines.now() - began > REFUSES_WITHIN_MS
      if (refusal === 'alert' || (refusal === 'close' && !late))
        this.#refused(this.#blamesClock(cause) ? 'clock' : refusal, refusalCause(cause))
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

  #blamesClock(cause: unknown): boolean {
    const { party } = this.#shown
    return blamesClock(
      cause,
      this.#likeOpenSsl || this.#services.memory.hasAccepted(party),
    )
  }

  #refused(how: Refusal, cause: string): void {
    if (this.#isProbe) return
    const { party, root, onTrial } = this.#shown
    const { memory, trials, trust } = this.#services
    trials.saw(party.device, party.name, { kind: 'refused', cause })
    // Who does not know the staged root yet has nothing against the present one.
    const counts = onTrial || memory.refused(party, how)
    if (counts) trust.refused(party.device, party.name, { root, cause })
  }
}
