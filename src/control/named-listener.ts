/**
 * The control plane beyond loopback: TLS by name, from our own CA. Our leaves carry names and no
 * addresses, so that whoever opens an address, in the clear or not, is led to the name and told
 * nothing else. The first byte tells the two apart: a TLS record of a handshake is 0x16 (RFC
 * 8446 section 5.1), which no method of HTTP begins with. Clients of this machine that dial
 * loopback get what a listener of loopback gives.
 */
import { createServer as createHttp } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer as createTcp, isIP } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { Prefixes } from '../core/address.js'
import { SAFE_FIELDS } from './answer.js'
import { HTTP_OPTIONS, MOST_CONNECTIONS, listening } from './listeners.js'

const HANDSHAKE_BYTE = 0x16
/** For the first byte, and for the handshake after it. */
const OPENING_MS = 10_000
const LOOPBACK = new Prefixes(['127.0.0.0/8', '::1/128'])

export interface NamedOptions {
  readonly host: string
  readonly port: number
  readonly listener: RequestListener
  /** The name that is led to, and shown to who names none or another's. */
  readonly name: string
  /** A certificate for a name of ours; undefined: it is none. @throws as the CA does */
  readonly contextFor: (name: string) => Promise<SecureContext> | undefined
}

export class NamedListener implements Pick<
  Server,
  'address' | 'close' | 'closeAllConnections'
> {
  readonly #options: NamedOptions
  readonly #tcp: TcpServer
  readonly #open = new Set<Socket>()
  readonly #plain: Server
  readonly #named: Server
  readonly #lost: Server

  private constructor(options: NamedOptions) {
    this.#options = options
    const { listener } = options
    this.#plain = createHttp(HTTP_OPTIONS, listener)
    this.#lost = createHttp(HTTP_OPTIONS, (request, response) =>
      this.#lead(request, response),
    )
    this.#named = createHttp(HTTP_OPTIONS, (request, response) => {
      const isAddress = isIP(hostOf(request).replace(/^\[(.*)\]$/, '$1')) !== 0
      if (isAddress) this.#lead(request, response)
      else listener(request, response)
    })
    this.#tcp = createTcp((socket) => this.#accept(socket))
    this.#tcp.maxConnections = MOST_CONNECTIONS
  }

  /** @throws what the system says */
  static async open(options: NamedOptions): Promise<NamedListener> {
    const made = new NamedListener(options)
    const { host, port } = options
    const bound = listening(made.#tcp)
    made.#tcp.listen({ host, port, ...(host.includes(':') ? { ipv6Only: true } : {}) })
    await bound
    return made
  }

  address(): AddressInfo {
    return this.#tcp.address() as AddressInfo
  }

  close(done?: (error?: Error) => void): never {
    return this.#tcp.close(done) as never
  }

  closeAllConnections(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    // Errors end in `close`; between two owners nobody else listens.
    socket.on('error', () => undefined)
    const late = setTimeout(() => socket.destroy(), OPENING_MS)
    socket.once('close', () => clearTimeout(late))
    const look = (): void => {
      const first = socket.read(1) as Buffer | null
      if (first === null) return void socket.once('readable', look)
      socket.unshift(first)
      if (first[0] === HANDSHAKE_BYTE) {
        void this.#secure(socket, () => clearTimeout(late))
        return
      }
      clearTimeout(late)
      const isHere = LOOPBACK.has(socket.localAddress ?? '')
      ;(isHere ? this.#plain : this.#lost).emit('connection', socket)
    }
    socket.once('readable', look)
  }

  async #secure(socket: Socket, opened: () => void): Promise<void> {
    const { name, contextFor } = this.#options
    const fallback = await contextFor(name)?.catch(() => undefined)
    if (fallback === undefined || socket.destroyed) {
      socket.destroy()
      return
    }
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: fallback,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (asked, done) => {
        const found = contextFor(asked.toLowerCase()) ?? Promise.resolve(fallback)
        found.then(
          (context) => done(null, context),
          (cause: Error) => done(cause),
        )
      },
    })
    secure.on('error', () => socket.destroy())
    secure.once('secure', () => {
      opened()
      this.#named.emit('connection', secure)
    })
  }

  /** One plain answer: where we are by name, whatever was asked for, and nothing of what is there. */
  #lead(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined)
    const { name } = this.#options
    const host = hostOf(request).toLowerCase()
    const isOurs = this.#options.contextFor(host) !== undefined && host !== 'localhost'
    const isAddress = isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0
    const close = { ...SAFE_FIELDS, connection: 'close', 'content-length': '0' }
    if (!isOurs && !isAddress) response.writeHead(421, close)
    else {
      const { port } = this.address()
      const location = `https://${isOurs ? host : name}:${port}/`
      response.writeHead(308, { ...close, location })
    }
    response.end()
    request.resume()
  }
}

/** Without its port. */
function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d*$/, '')
}
