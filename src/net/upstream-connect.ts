/**
 * Opens verified TLS connections to providers (or TCP where a client asked for plain HTTP) and
 * remembers sessions to resume. What is spoken on them is the caller's.
 */
import type { Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import type { Dialer, Target } from './dial.js'

/** TLS sessions kept for resumption, one a name and protocol. */
const MAX_SESSIONS = 256

export interface ConnectorOptions {
  readonly dialer: Dialer
  /** Public roots plus `upstream.extra_ca`; sessions verify against the name always. */
  readonly secureContext: SecureContext
  readonly tlsTimeoutMs: number
}

export type Protocol = 'http/1.1' | 'h2'

export class UpstreamConnector {
  readonly #options: ConnectorOptions
  readonly #sessions = new Map<string, Buffer>()

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /**
   * `known`: where the client had dialled.
   * @throws what the dialer throws, and errors of TLS
   */
  async connect(
    target: Target,
    known: SocketAddress | undefined,
    protocol: Protocol,
  ): Promise<Socket> {
    const dialOptions = known === undefined ? {} : { known }
    const raw = await this.#options.dialer.dial(target, dialOptions)
    return target.plain === true ? raw : this.#secure(target.host, raw, protocol)
  }

  #secure(host: string, raw: Socket, protocol: Protocol): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const key = `${protocol} ${host}`
      const session = this.#sessions.get(key)
      const socket = tlsConnect({
        socket: raw,
        servername: host,
        secureContext: this.#options.secureContext,
        ALPNProtocols: [protocol],
        ...(session === undefined ? {} : { session }),
      })
      const timer = setTimeout(() => {
        const text = `${host}: no TLS in time`
        fail(new YoriError('YORI_UPSTREAM_CONNECT_TIMEOUT', text))
      }, this.#options.tlsTimeoutMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(error)
      }
      socket.once('error', fail)
      // Before `secureConnect` Node has verified the chain and the name (rejectUnauthorized).
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        socket.off('error', fail)
        resolve(socket)
      })
      socket.on('session', (ticket) => this.#remember(key, ticket))
    })
  }

  #remember(key: string, session: Buffer): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= MAX_SESSIONS) return
    const oldest = this.#sessions.keys().next()
    if (oldest.done !== true) this.#sessions.delete(oldest.value)
  }
}
