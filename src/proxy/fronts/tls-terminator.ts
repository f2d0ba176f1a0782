/**
 * TLS that ends here: the handshake with a client, in the provider's name or in our own. One
 * server of Node's tls module, given its sockets one by one; sessions resume by its tickets.
 */
import { createServer } from 'node:tls'
import type { SecureContext, Server, TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import { YoriError } from '../../core/errors.js'
import { canonicalHostname } from '../../core/hostname.js'
import type { TicketKeys } from './ticket-keys.js'

export interface TerminatorOptions {
  readonly handshakeTimeoutMs: number
  readonly ticketKeys: TicketKeys
  /** In our order of preference. */
  readonly alpn: readonly string[]
  /** Contexts at hand by canonical name; a connection has made sure that its own is. */
  readonly contextOf: (name: string) => SecureContext | undefined
  /** What is shown to clients without SNI, and to names without a context; PEM. */
  readonly fallback?: { readonly cert: string; readonly key: string }
}

interface Waiting {
  readonly resolve: (socket: TLSSocket) => void
  readonly reject: (error: YoriError) => void
}

export class TlsTerminator {
  readonly #server: Server
  readonly #waiting = new Map<Socket, Waiting>()

  constructor(options: TerminatorOptions) {
    this.#server = createServer({
      handshakeTimeout: options.handshakeTimeoutMs,
      minVersion: 'TLSv1.2',
      ALPNProtocols: [...options.alpn],
      SNICallback: (name, done) =>
        done(null, options.contextOf(canonicalHostname(name) ?? name)),
      ...options.fallback,
    })
    options.ticketKeys.keep(this.#server)
    this.#server.on('secureConnection', (secure) => {
      const raw = rawSocketOf(secure)
      const waiting = raw === undefined ? undefined : this.#waiting.get(raw)
      if (raw === undefined || waiting === undefined) {
        secure.destroy()
        return
      }
      this.#waiting.delete(raw)
      // Errors end in 'close'; between two owners nobody else listens.
      secure.on('error', () => undefined)
      waiting.resolve(secure)
    })
    this.#server.on('tlsClientError', (error, secure) => {
      const raw = rawSocketOf(secure)
      const waiting = raw === undefined ? undefined : this.#waiting.get(raw)
      if (raw === undefined || waiting === undefined) return
      this.#waiting.delete(raw)
      waiting.reject(
        new YoriError('YORI_CLIENT_TLS_FAILED', error.message, { cause: error }),
      )
    })
  }

  /** Another certificate for clients without SNI, from now on. */
  setFallback(fallback: { readonly cert: string; readonly key: string }): void {
    this.#server.setSecureContext({ ...fallback, minVersion: 'TLSv1.2' })
  }

  /**
   * Ends TLS on a socket whose ClientHello was given back to it.
   * @throws YORI_CLIENT_TLS_FAILED, with Node's error as its cause
   */
  handshake(socket: Socket): Promise<TLSSocket> {
    // To an HTTP client FIN means that it has gone; kept half-open, a handshake that it left
    // would wait for its deadline.
    socket.allowHalfOpen = false
    return new Promise((resolve, reject) => {
      this.#waiting.set(socket, { resolve, reject })
      socket.once('close', () => {
        if (!this.#waiting.delete(socket)) return
        reject(
          new YoriError('YORI_CLIENT_TLS_FAILED', 'the client left during the handshake'),
        )
      })
      this.#server.emit('connection', socket)
    })
  }
}

/**
 * The TCP socket below. Node documents no way down, and addresses do not tell apart what runs
 * inside a CONNECT from what carries it; `_parent` has stood since Node 0.12.
 */
function rawSocketOf(secure: TLSSocket): Socket | undefined {
  return (secure as unknown as { _parent?: Socket })._parent
}
