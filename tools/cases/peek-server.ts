/** A real TCP server that peeks at each connection, then reads it to its end. */
import { once } from 'node:events'
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { peek, type FirstBytes } from '../../src/net/peek.js'

export interface Served {
  readonly found: FirstBytes
  /** All that the next owner of the socket read. */
  readonly received: Buffer
}

const HELLO_TIMEOUT_MS = 10_000
const MAX_BYTES = 65_536

export class PeekServer implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<PeekServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PeekServer(server)
  }

  /** Sends the writes one by one on a new connection, each flushed before the next, then FIN. */
  async send(writes: readonly Buffer[]): Promise<Served> {
    const { port } = this.#server.address() as AddressInfo
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>
    const client = connect({ port, host: '127.0.0.1', noDelay: true })
    const [socket] = await accepted
    try {
      const serving = serve(socket)
      for (const bytes of writes) await new Promise((sent) => client.write(bytes, sent))
      client.end()
      return await serving
    } finally {
      client.destroy()
      socket.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((closed) => this.#server.close(closed))
  }
}

async function serve(socket: Socket): Promise<Served> {
  socket.on('error', () => undefined)
  const options = { maxBytes: MAX_BYTES, helloTimeoutMs: HELLO_TIMEOUT_MS }
  const found = await peek(socket, options)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return { found, received: Buffer.concat(chunks) }
}
