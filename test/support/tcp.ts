/** Real TCP on the loopback, disposed of with `await using`. */
import { once } from 'node:events'
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'

export class TcpServer implements AsyncDisposable {
  readonly server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.server = server
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<TcpServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpServer(server)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Both ends of a new connection. */
  async pair(): Promise<TcpPair> {
    const accepted = once(this.server, 'connection') as Promise<[Socket]>
    const client = connect({ port: this.port, host: '127.0.0.1', noDelay: true })
    client.on('error', () => undefined)
    const [socket] = await accepted
    return { client, socket }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((closed) => this.server.close(closed))
  }
}

export interface TcpPair {
  readonly client: Socket
  /** The server's end. */
  readonly socket: Socket
}

/** Writes one after the other, each handed to the system before the next. */
export async function writeEach(
  socket: Socket,
  writes: Iterable<Uint8Array>,
): Promise<void> {
  for (const bytes of writes)
    await new Promise<void>((sent, failed) =>
      socket.write(bytes, (error) => (error ? failed(error) : sent())),
    )
}

/** Reads to the end of the stream. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
