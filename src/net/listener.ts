/**
 * Where connections come in: one TCP server an address, with limits on how many there are in
 * all and from one client. Half-open sockets are allowed, since a tunnel carries half-closes.
 */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { canonicalAddress, formatSocketAddress } from '../core/address.js'
import type { SocketAddress } from '../core/address.js'
import { YoriError } from '../core/errors.js'
import { errorCodeOf } from './tls-failure.js'

const BACKLOG = 1_024

/** What is let in, and who is told. */
export interface ListenerOptions {
  /** Open at once, on all addresses together. */
  readonly maxConnections: number
  /** Open at once from one address. */
  readonly maxPerClient: number
  /** Silence after which TCP asks whether the client is still there. */
  readonly keepAliveMs: number
  /** A connection over a limit; it is destroyed afterwards. */
  readonly onRefused: (client: Socket, limit: 'all' | 'client') => void
  /**
   * A connection within the limits: half-open sockets allowed, nobody listens to its
   * errors yet.
   */
  readonly onConnection: (client: Socket) => void
  /** A connection was lost that way; the others go on. */
  readonly onAcceptFailed?: (error: Error) => void
  /** A server listens and has accepted nothing yet. */
  readonly onListening?: (server: Server, address: SocketAddress) => void
}

/**
 * All addresses on which the appliance is reached, with one count of connections. A limit
 * that is met costs the newcomer.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #servers = new Map<string, Server>()
  readonly #perClient = new Map<string, number>()
  readonly #open = new Set<Socket>()

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** The addresses listened on, with the ports that the system chose for port 0. */
  get addresses(): SocketAddress[] {
    return [...this.#servers.values()].flatMap((server) => {
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return []
      return [{ address: bound.address, port: bound.port }]
    })
  }

  /** Accepted and not closed yet, those of closed servers too. */
  get connections(): number {
    return this.#open.size
  }

  /**
   * Listens on exactly these addresses: opens what is new first, then closes what is gone.
   * Gives the addresses whose family this machine does not have; they are left out as long
   * as one other is there.
   * @throws YORI_LISTEN_FAILED, and then everything is as it was
   */
  async listen(wanted: readonly SocketAddress[]): Promise<SocketAddress[]> {
    const opened = new Map<string, Server>()
    const keep = new Set<string>()
    const skipped: SocketAddress[] = []
    try {
      for (const [index, address] of wanted.entries()) {
        // Port 0 stays the port that the system once chose for that place of the list.
        const place = address.port === 0 ? `#${index}` : ''
        const key = `${formatSocketAddress(address)}${place}`
        keep.add(key)
        if (this.#servers.has(key)) continue
        const server = await this.#bind(address)
        if (server === undefined) skipped.push(address)
        else opened.set(key, server)
      }
      if (skipped.length === wanted.length) {
        throw new YoriError(
          'YORI_LISTEN_FAILED',
          'none of the addresses exists on this machine',
        )
      }
    } catch (error) {
      for (const server of opened.values()) server.close()
      throw error
    }
    for (const [key, server] of this.#servers) {
      if (keep.has(key)) continue
      server.close()
      this.#servers.delete(key)
    }
    for (const [key, server] of opened) this.#servers.set(key, server)
    return skipped
  }

  /** No new connections; those that are open go on. */
  async close(): Promise<void> {
    const closing = [...this.#servers.values()]
    this.#servers.clear()
    for (const server of closing) server.close()
  }

  /**
   * Resolves when every connection has ended that is open now. It has no deadline of its
   * own.
   */
  async drained(): Promise<void> {
    await Promise.all(
      [...this.#open].map(
        (socket) => new Promise((resolve) => socket.once('close', resolve)),
      ),
    )
  }

  /** Ends every connection now, without a word to the client. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #bind(address: SocketAddress): Promise<Server | undefined> {
    const server = createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: this.#options.keepAliveMs,
      },
      (client) => this.#accept(client),
    )
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const code = errorCodeOf(error)
        if (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') resolve(undefined)
        else reject(listenFailure(address, code, error))
      })
      const options = { host: address.address, port: address.port, backlog: BACKLOG }
      server.listen({ ...options, ipv6Only: address.address.includes(':') }, () => {
        server.removeAllListeners('error')
        // A failed accept (no descriptors left) costs that connection, not the listener.
        server.on('error', (error) => this.#options.onAcceptFailed?.(error))
        this.#options.onListening?.(server, address)
        resolve(server)
      })
    })
  }

  #accept(client: Socket): void {
    const address = canonicalAddress(client.remoteAddress ?? '') ?? ''
    const here = (this.#perClient.get(address) ?? 0) + 1
    const { maxConnections, maxPerClient } = this.#options
    if (this.#open.size >= maxConnections || here > maxPerClient) {
      client.on('error', () => undefined)
      this.#options.onRefused(client, here > maxPerClient ? 'client' : 'all')
      client.destroy()
      return
    }
    this.#open.add(client)
    this.#perClient.set(address, here)
    client.once('close', () => {
      this.#open.delete(client)
      const left = (this.#perClient.get(address) ?? 1) - 1
      if (left === 0) this.#perClient.delete(address)
      else this.#perClient.set(address, left)
    })
    this.#options.onConnection(client)
  }
}

function listenFailure(address: SocketAddress, code: string, cause: Error): YoriError {
  const where = formatSocketAddress(address)
  const why =
    code === 'EADDRINUSE'
      ? 'another program listens there already; stop it, or choose another port with `listen` or --port'
      : code === 'EACCES'
        ? 'this user may not listen there; choose a port above 1023'
        : cause.message
  return new YoriError('YORI_LISTEN_FAILED', `${where}: ${why}`, { cause })
}
