/**
 * An origin of language models that fails as it is told to: it refuses connections, hangs, answers
 * with a status, or cuts what it answers. In the clear, by TLS, or by HTTP/2. It remembers every
 * request, whatever became of it, and whether a byte of an answer was sent.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { Http2ServerResponse } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { serveLlm } from './llm-origin.js'
import type { ArrivedThere } from './llm-origin.js'
import type { Issued } from './test-ca.js'

export type Temper =
  | 'well'
  | 'refuses'
  /** Takes the request, and says nothing. */
  | 'hangs'
  /** Takes the request, and closes the connection. */
  | 'cuts-head'
  /** Closes it within the answer's body. */
  | 'cuts-body'
  | { readonly status: number; readonly fields?: Readonly<Record<string, string>> }

export interface FickleOptions {
  /** It speaks TLS by this certificate. */
  readonly certificate?: Issued
  /** And HTTP/2 alone. */
  readonly h2?: boolean
}

/** A request that came, and whether anything was said. */
export interface FickleArrival extends ArrivedThere {
  wasAnswered: boolean
  /** With a status that says that it was not served. */
  readonly wasRefused: boolean
}

export class FickleOrigin implements AsyncDisposable {
  readonly arrived: FickleArrival[] = []
  readonly port: number
  accepted = 0
  #temper: Temper = 'well'
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server
    this.#sockets = sockets
    this.port = port
    server.on('connection', () => this.accepted++)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#serve(request, response)
    })
  }

  static async start(options: FickleOptions = {}): Promise<FickleOrigin> {
    const server = serverOf(options)
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => sockets.delete(socket))
    })
    for (const name of ['tlsClientError', 'clientError', 'sessionError'])
      server.on(name, () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FickleOrigin(server, sockets, (server.address() as AddressInfo).port)
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** From now on, and for connections that stand already. */
  async turn(temper: Temper): Promise<void> {
    this.#temper = temper
    const isOpen = this.#server.listening
    if (temper === 'refuses' && isOpen) {
      this.#server.close()
      for (const socket of this.#sockets) socket.destroy()
      // Not until it is closed is the next connection refused.
      while (this.#server.listening) await once(this.#server, 'close')
    } else if (temper !== 'refuses' && !isOpen) {
      this.#server.listen(this.port, '127.0.0.1')
      await once(this.#server, 'listening')
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const temper = this.#temper
    response.on('error', () => undefined)
    if (temper === 'well') {
      const came: ArrivedThere[] = []
      await serveLlm(request, response, came)
      this.arrived.push(
        ...came.map((one) => ({ ...one, wasAnswered: true, wasRefused: false })),
      )
      return
    }
    const arrival = await arrivalOf(request, typeof temper === 'object')
    if (arrival === undefined) return
    this.arrived.push(arrival)
    if (typeof temper === 'object') {
      arrival.wasAnswered = true
      const fields = { 'content-type': 'application/json', ...temper.fields }
      response.writeHead(temper.status, fields)
      response.end('{"error":{"message":"as told"}}')
    } else if (temper === 'cuts-head') cut(response)
    else if (temper === 'cuts-body') {
      arrival.wasAnswered = true
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"id":"a","choices":[{"delta":{"content":"Hi"}}]}\n\n', () =>
        cut(response),
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

function serverOf({ certificate, h2 }: FickleOptions): Server {
  if (certificate === undefined) return createServer()
  const tls = { cert: certificate.certificatePem, key: certificate.keyPem }
  return h2 === true ? createSecureServer(tls) : createTlsServer(tls)
}

async function arrivalOf(
  request: IncomingMessage,
  wasRefused: boolean,
): Promise<FickleArrival | undefined> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece as Buffer)
  } catch {
    return undefined
  }
  const { method = '', url: target = '/', headers, rawHeaders } = request
  const body = Buffer.concat(pieces)
  return { method, target, headers, rawHeaders, body, wasAnswered: false, wasRefused }
}

/** Without a word: of HTTP/2 the whole connection. */
function cut(response: ServerResponse): void {
  const { stream } = response as unknown as Partial<Http2ServerResponse>
  if (stream === undefined) response.socket?.destroy()
  else stream.session?.destroy()
}
