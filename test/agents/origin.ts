/**
 * The far side of the matrix: one HTTPS origin in the name of every provider, over HTTP/1.1
 * and HTTP/2 and WebSocket. It says the same sentence to everybody, in each provider's own
 * words (`dialects.ts`), so that an answer through YORI can be held against one without.
 * Names of `onlyHttp1` are served without HTTP/2, those of `onlyH2` with nothing else.
 */
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type {
  Http2SecureServer,
  Http2ServerRequest,
  Http2ServerResponse,
} from 'node:http2'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { TestCa } from '../support/test-ca.js'
import { answerTo } from './dialects.js'
import type { Asked } from './dialects.js'
import { serveMessages } from './live-dialects.js'

export interface OriginOptions {
  readonly host: string
  readonly port: number
  readonly onlyHttp1: readonly string[]
  readonly onlyH2: readonly string[]
}

/** What came to it, in the order of arrival. */
export interface Seen {
  readonly host: string
  readonly method: string
  readonly path: string
  /** `1.1`, `2.0` or `websocket`. */
  readonly version: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export class AgentsOrigin implements AsyncDisposable {
  readonly ca = new TestCa('Agents Origin')
  readonly seen: Seen[] = []
  readonly #server: Http2SecureServer
  readonly #sockets = new Set<Socket>()
  readonly #contexts = new Map<string, SecureContext>()

  private constructor({ onlyHttp1, onlyH2 }: OriginOptions) {
    const { certificatePem: cert, keyPem: key } = this.ca.issue({ names: ['localhost'] })
    const messages = new WebSocketServer({ noServer: true })
    this.#server = createSecureServer({
      cert,
      key,
      allowHTTP1: true,
      ALPNCallback: ({ servername, protocols }) => {
        const spoken = onlyH2.includes(servername)
          ? ['h2']
          : onlyHttp1.includes(servername)
            ? ['http/1.1', 'http/1.0']
            : ['h2', 'http/1.1', 'http/1.0']
        return spoken.find((one) => protocols.includes(one))
      },
      SNICallback: (name, done) => done(null, this.#contextOf(name)),
    })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch(() => response.stream.destroy())
    })
    this.#server.on('sessionError', () => undefined)
    this.#server.on(
      'upgrade',
      (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        this.#note(request as never, 'websocket', Buffer.alloc(0))
        messages.handleUpgrade(request, socket, head, (stream) =>
          serveMessages(stream, request),
        )
      },
    )
  }

  static async start(options: OriginOptions): Promise<AgentsOrigin> {
    const origin = new AgentsOrigin(options)
    origin.#server.listen(options.port, options.host)
    await once(origin.#server, 'listening')
    return origin
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #contextOf(name: string): SecureContext {
    const known = this.#contexts.get(name)
    if (known !== undefined) return known
    const { certificatePem: cert, keyPem: key } = this.ca.issue({ names: [name] })
    const context = createSecureContext({ cert, key })
    this.#contexts.set(name, context)
    return context
  }

  async #serve(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
  ): Promise<void> {
    const body = await bodyOf(request)
    const asked = this.#note(request, request.httpVersion, body)
    const answer = answerTo(asked)
    for (const [name, value] of Object.entries(answer.headers ?? {}))
      response.setHeader(name, value)
    response.setHeader('content-type', answer.type)
    response.writeHead(answer.status ?? 200)
    if (answer.trailers !== undefined) response.addTrailers(answer.trailers)
    for (const piece of answer.pieces) response.write(piece)
    response.end()
  }

  #note(request: Http2ServerRequest, version: string, body: Buffer): Asked {
    const host = request.headers[':authority'] ?? request.headers.host ?? ''
    const url = new URL(request.url, `https://${host}`)
    const seen = {
      host: url.hostname,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      version,
      headers: request.headers,
      body,
    }
    this.seen.push(seen)
    return { ...seen, url, serverName: (request.socket as TLSSocket).servername || '' }
  }
}

async function bodyOf(request: Http2ServerRequest): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
