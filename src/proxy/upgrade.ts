/**
 * After 101: the provider's answer goes to the client and both sockets are joined. WebSocket
 * messages pass as they are (RFC 6455), permessage-deflate included; whoever watches them gets
 * each piece after it has been sent on. A limit of silence of its own holds.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Deadlines, Watched } from '../net/deadlines.js'
import { endSoon } from '../net/end-soon.js'

/** The provider's fields of a 101 go on whole: `Upgrade` and `Connection` are its substance. */
export interface Upgraded {
  readonly rawHeaders: readonly Buffer[]
  readonly socket: Duplex
}

export interface JoinOptions {
  readonly deadlines: Deadlines
  /** Without a byte either way for so long, both sides are closed. */
  readonly idleMs: number
  /** Bytes that have been sent on; they must not be changed. */
  readonly fromClient: (chunk: Buffer) => void
  readonly fromServer: (chunk: Buffer) => void
}

export interface Joined {
  readonly bytesFromClient: number
  readonly bytesToClient: number
  readonly wasIdle: boolean
}

/** Resolves when both sides have closed. */
export function joinUpgraded(
  response: ServerResponse,
  client: Socket,
  upgraded: Upgraded,
  options: JoinOptions,
): Promise<Joined> {
  response.detachSocket(client)
  const lines = ['HTTP/1.1 101 Switching Protocols']
  const { rawHeaders } = upgraded
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i] as Buffer, rawHeaders[i + 1] as Buffer]
    lines.push(`${name.toString('latin1')}: ${value.toString('latin1')}`)
  }
  client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return new Joint(client, upgraded.socket, options).ended()
}

class Joint implements Watched {
  readonly #client: Socket
  readonly #upstream: Duplex
  readonly #options: JoinOptions
  #fromClient = 0
  #fromServer = 0
  #lastBytes = 0
  #lastChange: number
  #wasIdle = false

  constructor(client: Socket, upstream: Duplex, options: JoinOptions) {
    this.#client = client
    this.#upstream = upstream
    this.#options = options
    this.#lastChange = options.deadlines.now()
  }

  ended(): Promise<Joined> {
    const { deadlines, fromClient, fromServer } = this.#options
    const [client, upstream] = [this.#client, this.#upstream]
    deadlines.watch(this)
    return new Promise((resolve) => {
      let open = 2
      const closed = (): void => {
        open -= 1
        if (open > 0) return
        deadlines.unwatch(this)
        resolve({
          bytesFromClient: this.#fromClient,
          bytesToClient: this.#fromServer,
          wasIdle: this.#wasIdle,
        })
      }
      carry(client, upstream, closed)
      carry(upstream, client, closed)
      // After the pipes: what is watched has gone on.
      client.on('data', (chunk: Buffer) => {
        this.#fromClient += chunk.length
        fromClient(chunk)
      })
      upstream.on('data', (chunk: Buffer) => {
        this.#fromServer += chunk.length
        fromServer(chunk)
      })
    })
  }

  tick(now: number): void {
    // A peer that only reads moves bytes too.
    const bytes = this.#fromClient + this.#fromServer + this.#client.bytesWritten
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes
      this.#lastChange = now
    } else if (now - this.#lastChange > this.#options.idleMs) {
      this.#wasIdle = true
      this.#client.destroy()
      this.#upstream.destroy()
    }
  }
}

/** FIN goes on as FIN, after all that came before it; an error ends both sides at once. */
function carry(from: Duplex, to: Duplex, closed: () => void): void {
  from.on('error', () => to.destroy())
  from.once('close', () => {
    if (!from.readableEnded) to.destroy()
    else if (to.writableFinished) endSoon(to)
    else to.once('finish', () => endSoon(to))
    closed()
  })
  from.pipe(to)
}
