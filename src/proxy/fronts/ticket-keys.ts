/**
 * The key under which TLS sessions of clients resume (RFC 5077, RFC 8446 §4.6.1): one for all
 * servers and across reloads, new every few hours, never on disk. Tickets live minutes, so a
 * change costs at most a full handshake.
 */
import { randomBytes } from 'node:crypto'
import type { Watched } from '../../core/watched.js'

/** Node's: 16 bytes of name, 16 for HMAC, 16 for AES. */
const KEY_BYTES = 48
const ROTATE_MS = 8 * 3_600_000

export interface TakesTicketKeys {
  setTicketKeys(keys: Buffer): unknown
}

export class TicketKeys implements Watched {
  readonly #servers = new Set<WeakRef<TakesTicketKeys>>()
  #key = randomBytes(KEY_BYTES)
  #rotatedAt: number

  /** `now` is monotonic milliseconds. */
  constructor(now: number) {
    this.#rotatedAt = now
  }

  /** Gives a server the key now and at every change, for as long as it lives. */
  keep(server: TakesTicketKeys): void {
    server.setTicketKeys(this.#key)
    this.#servers.add(new WeakRef(server))
  }

  tick(now: number): void {
    if (now - this.#rotatedAt < ROTATE_MS) return
    this.#rotatedAt = now
    this.#key = randomBytes(KEY_BYTES)
    for (const held of this.#servers) {
      const server = held.deref()
      if (server === undefined) this.#servers.delete(held)
      else server.setTicketKeys(this.#key)
    }
  }
}
