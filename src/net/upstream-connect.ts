/**
 * Opens verified TLS connections to providers (or TCP where a client asked for plain HTTP) and
 * remembers sessions to resume. What is spoken on them is the caller's.
 */
import type { Socket, TcpSocketConnectOpts } from 'node:net'
import { connect as tlsConnect, TLSSocket } from 'node:tls'
import type { ConnectionOptions, SecureContext } from 'node:tls'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import type { Dialer, DialOptions, Target } from './dial.js'
import { untrusted } from './tls-failure.js'
import { revokedSerials } from '../tls/ocsp-staple.js'
import { nameProblem, stapleProblem } from './upstream-trust.js'
import { poolKey } from './upstream-words.js'

/** TLS sessions kept for resumption, one a protocol and key of connections (`poolKey`). */
const MAX_SESSIONS = 256

/** What connections to providers are opened and verified by. */
export interface ConnectorOptions {
  readonly dialer: Dialer
  /** Public roots plus `upstream.extra_ca`; sessions verify against the name always. */
  readonly secureContext: SecureContext
  /** The same with a certificate of ours, by its id. */
  readonly identities?: ReadonlyMap<string, SecureContext>
  /** From the connected socket to the end of the handshake. */
  readonly tlsTimeoutMs: number
}

/** What `tls.connect` takes beside what its types say. */
type FurtherOptions = Pick<TcpSocketConnectOpts, 'onread'> & {
  readonly allowHalfOpen: boolean
  /** RFC 6066 §8. */
  readonly requestOCSP: boolean
}

/** What is to be spoken on it: offered by ALPN (RFC 7301), and nothing else. */
export interface Connecting {
  readonly protocol: 'http/1.1' | 'h2'
  /** Read into one reused buffer instead of a stream. */
  readonly onread?: NonNullable<DialOptions['onread']>
}

/**
 * Keeps the last session of 256 keys and protocols (`MAX_SESSIONS`), and no connection.
 */
export class UpstreamConnector {
  readonly #options: ConnectorOptions
  readonly #sessions = new Map<string, Buffer>()

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /**
   * A socket on which the handshake is over and the provider verified, chain and name;
   * with `target.plain` mere TCP. Whether the provider took the protocol is the caller's
   * to look at. `known`: where the client had dialled.
   * @throws what the dialer throws, YORI_UPSTREAM_UNTRUSTED,
   *   YORI_UPSTREAM_CONNECT_TIMEOUT, and errors of the handshake as Node has them, which
   *   `upstreamFailure` reads
   */
  async connect(
    target: Target,
    known: SocketAddress | undefined,
    how: Connecting,
  ): Promise<Socket> {
    const { dialer } = this.#options
    const dialled = known === undefined ? {} : { known }
    if (target.plain === true) {
      const { onread } = how
      return dialer.dial(target, {
        ...dialled,
        ...(onread === undefined ? {} : { onread }),
      })
    }
    // TLS begins on the attempt that connects: it needs no second socket over the first.
    const open = (address: SocketAddress): Socket => this.#begin(target, address, how)
    const socket = await dialer.dial(target, { ...dialled, open })
    return this.#secured(target.host, socket)
  }

  #begin(target: Target, at: SocketAddress, how: Connecting): TLSSocket {
    const { host } = target
    const { protocol, onread } = how
    // A session stands for the certificate of ours that it began with.
    const key = `${protocol} ${poolKey(target)}`
    const session = this.#sessions.get(key)
    let revoked: readonly bigint[] = []
    const options: ConnectionOptions & FurtherOptions = {
      host: at.address,
      port: at.port,
      servername: host,
      checkServerIdentity: (name, shown) =>
        nameProblem(name, shown) ?? stapleProblem(revoked, shown),
      requestOCSP: true,
      secureContext: this.#contextFor(target),
      ALPNProtocols: [protocol],
      allowHalfOpen: true,
      ...(session === undefined ? {} : { session }),
      ...(onread === undefined ? {} : { onread }),
    }
    const socket = tlsConnect(options)
    // It comes with the certificate, before that is looked at.
    socket.on('OCSPResponse', (staple: Buffer | null) => {
      if (staple !== null) revoked = revokedSerials(staple)
    })
    // Whoever waits for it listens a turn later; what fails closes it as well.
    socket.on('error', () => undefined)
    socket.on('session', (ticket) => this.#remember(key, ticket))
    return socket
  }

  /** Never one that shows less or another than was asked. */
  #contextFor({ host, identity }: Target): SecureContext {
    const { secureContext, identities } = this.#options
    if (identity === undefined) return secureContext
    const own = identities?.get(identity)
    if (own !== undefined) return own
    throw new YoriError('YORI_INTERNAL', `${host}: its client certificate is not known`)
  }

  /** Before `secureConnect` Node has verified the chain and the name (rejectUnauthorized). */
  #secured(host: string, socket: Socket): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const text = `${host}: no TLS in time`
        fail(new YoriError('YORI_UPSTREAM_CONNECT_TIMEOUT', text))
      }, this.#options.tlsTimeoutMs)
      const fail = (error: Error): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(error)
      }
      const ended = (): void => fail(new Error('the other side closed in its handshake'))
      const failed = (error: Error): void =>
        fail(isVerdict(socket) ? untrusted(error, host) : error)
      socket.once('error', failed)
      socket.once('end', ended)
      socket.once('close', ended)
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        socket.off('error', failed).off('end', ended).off('close', ended)
        resolve(socket)
      })
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

/** Node broke off by itself: it has looked at the certificates, and will not have them. */
function isVerdict(socket: Socket): boolean {
  // Its types say that there always is one.
  const why: unknown = socket instanceof TLSSocket ? socket.authorizationError : undefined
  return why !== undefined && why !== null
}
