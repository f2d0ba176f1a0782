/**
 * Requests to providers over pooled, verified connections: HTTP/1.1 in `upstream-h1.ts`, HTTP/2
 * in `upstream-h2.ts`, and where only asking tells which of them `upstream-preferring.ts`. This
 * is the narrow interface behind which they stand; nobody else knows them.
 */
import type { Target } from './dial.js'
import { ConnectionRoom } from './connection-room.js'
import { UpstreamConnector } from './upstream-connect.js'
import type { ConnectorOptions } from './upstream-connect.js'
import { H1Upstream } from './upstream-h1.js'
import type { H1UpstreamOptions } from './upstream-h1.js'
import { H2Upstream } from './upstream-h2.js'
import { PreferringH2 } from './upstream-preferring.js'
import type {
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream-words.js'

/** Times and sizes of both ways: see `H1UpstreamOptions` and `H2UpstreamOptions`. */
export interface UpstreamOptions
  extends ConnectorOptions, Omit<H1UpstreamOptions, 'connector' | 'room'> {
  /** Of HTTP/2: what waits of one stream, of all, and the memory of one session. */
  readonly h2StreamWindowBytes: number
  readonly h2ConnectionWindowBytes: number
  readonly h2SessionBytes: number
}

/**
 * One for a configuration. Never throws: what goes wrong is told by the handler's
 * `onError`.
 */
export class Upstream {
  readonly #connector: UpstreamConnector
  readonly #room: ConnectionRoom
  readonly #h1: H1Upstream
  readonly #h2: H2Upstream
  readonly #preferring: PreferringH2

  constructor(options: UpstreamOptions) {
    const connector = new UpstreamConnector(options)
    this.#connector = connector
    const room = new ConnectionRoom()
    this.#room = room
    this.#h1 = new H1Upstream({ ...options, connector, room })
    this.#h2 = new H2Upstream({
      ...options,
      connector,
      room,
      settingsTimeoutMs: options.tlsTimeoutMs,
      streamWindowBytes: options.h2StreamWindowBytes,
      connectionWindowBytes: options.h2ConnectionWindowBytes,
      sessionBytes: options.h2SessionBytes,
    })
    this.#preferring = new PreferringH2({
      h2: (request, handler) => this.#h2.send(request, handler),
      http1: (request, handler) => this.#h1.send(request, handler),
      now: () => performance.now(),
    })
  }

  /** Open or opening connections, for metrics. */
  get connections(): number {
    return this.#h1.connections + this.#h2.connections
  }

  /** Requests that wait for a connection, for metrics. */
  get waiting(): number {
    return this.#room.waiting
  }

  /** By `request.version`; HTTP/1.1 unless said. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    if (request.version === 'h2') return this.#h2.send(request, handler)
    if (request.version === 'h2-if-spoken') return this.#preferring.send(request, handler)
    return this.#h1.send(request, handler)
  }

  /**
   * Opens a connection of its own (TCP, and TLS unless it is plain) and ends it.
   * @throws what `UpstreamConnector.connect` throws
   */
  async look(target: Target, protocol: 'http/1.1' | 'h2'): Promise<void> {
    const socket = await this.#connector.connect(target, undefined, { protocol })
    socket.on('error', () => undefined)
    socket.destroy()
  }

  /** Ends idle connections now and busy ones with their exchange. Safe to call again. */
  async close(): Promise<void> {
    await Promise.all([this.#h1.close(), this.#h2.close()])
  }

  /** Ends everything now. Safe to call again. */
  async destroy(): Promise<void> {
    await Promise.all([this.#h1.destroy(), this.#h2.destroy()])
  }
}
