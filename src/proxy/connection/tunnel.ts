/**
 * Two sockets joined: bytes pass both ways as they are, with back-pressure, half-close and
 * reset carried across. What comes from upstream, the bulk, is read into one reused buffer.
 */
import type { Socket } from 'node:net'
import type { DialOptions, OnRead } from '../../net/dial.js'
import type { Watched } from '../../core/watched.js'
import type { Deadlines } from '../../net/deadlines.js'
import { errorCodeOf } from '../../net/tls-failure.js'

const BUFFER_BYTES = 64 * 1024
/** Of tunnels that have ended, so many are kept for those that come: 4 MiB. */
const MAX_SPARE_BUFFERS = 64
const spare: Buffer[] = []

export type TunnelEnd = 'complete' | 'client-reset' | 'upstream-reset' | 'idle'

export interface TunnelOptions {
  readonly idleMs: number
  readonly deadlines: Deadlines
  /** We are about to stop: a tunnel in which nothing moves need not be waited for. */
  readonly isStopping: () => boolean
}

/** A tunnel counts as quiet after this time without a byte. */
const QUIET_MS = 2_000

/**
 * Dials by `dial` and relays until both sides have closed. `client` may hold bytes that were
 * given back to it; they go first. Rejects only when dialling does; the client is then as it was.
 */
export async function tunnel(
  client: Socket,
  dial: (options: DialOptions) => Promise<Socket>,
  options: TunnelOptions,
): Promise<TunnelEnd> {
  const relay = new Relay(client, options)
  const upstream = await dial({ onread: relay.onread })
  return relay.join(upstream)
}

class Relay implements Watched {
  readonly onread: { buffer: () => Uint8Array; callback: OnRead }
  readonly #client: Socket
  readonly #options: TunnelOptions
  #upstream: Socket | undefined
  readonly #buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
  /** The client socket still owns `#buffer`: reading waits. */
  #lent = false
  #lastBytes = 0
  #lastChange = 0
  #end: TunnelEnd = 'complete'

  constructor(client: Socket, options: TunnelOptions) {
    this.#client = client
    this.#options = options
    this.onread = {
      buffer: () => this.#buffer,
      callback: (bytes, buffer) => this.#download(bytes, buffer),
    }
  }

  join(upstream: Socket): Promise<TunnelEnd> {
    const client = this.#client
    this.#upstream = upstream
    this.#lastChange = this.#options.deadlines.now()
    this.#options.deadlines.watch(this)
    return new Promise((resolve) => {
      let open = 2
      const closed = (): void => {
        open -= 1
        if (open > 0) return
        this.#options.deadlines.unwatch(this)
        // Both sides are closed: nobody reads into it or writes from it any more.
        if (spare.length < MAX_SPARE_BUFFERS) spare.push(this.#buffer)
        resolve(this.#end)
      }
      this.#carry(client, upstream, 'client-reset')
      this.#carry(upstream, client, 'upstream-reset')
      upstream.once('close', closed)
      // Gone while we dialled: its 'close' will not come again.
      if (client.closed) closed()
      else client.once('close', closed)
      client.on('data', (chunk: Buffer) => {
        if (!upstream.write(chunk)) client.pause()
      })
      upstream.on('drain', () => client.resume())
      if (client.destroyed) upstream.destroy()
      client.resume()
    })
  }

  tick(now: number): void {
    const bytes = this.#client.bytesRead + this.#client.bytesWritten
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes
      this.#lastChange = now
      return
    }
    const { idleMs, isStopping } = this.#options
    if (now - this.#lastChange > (isStopping() ? QUIET_MS : idleMs)) {
      this.#end = 'idle'
      this.#client.destroy()
      this.#upstream?.destroy()
    }
  }

  /** FIN goes on as FIN, an error as RST; the end of one side is the end of both. */
  #carry(from: Socket, to: Socket, reset: TunnelEnd): void {
    from.on('end', () => to.end())
    from.on('error', (error) => {
      if (this.#end === 'complete') this.#end = reset
      if (errorCodeOf(error) === 'ECONNRESET') to.resetAndDestroy()
      else to.destroy()
    })
    from.on('close', () => {
      if (!from.readableEnded || !to.readableEnded) to.destroy()
    })
  }

  /**
   * The kernel mostly takes a write at once; then the buffer is free again. When it did not,
   * the socket keeps the bytes where they are, so reading stops until they have gone.
   */
  #download(bytes: number, buffer: Uint8Array): boolean {
    const client = this.#client
    if (client.destroyed) return false
    client.write(buffer.subarray(0, bytes), () => {
      if (!this.#lent) return
      this.#lent = false
      this.#upstream?.resume()
    })
    this.#lent = client.writableLength > 0
    return !this.#lent
  }
}
