/** Connections of the load generator: straight to the origin, or by CONNECT. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { connectThroughProxy, rawTlsClient } from '../../../test/support/clients.js'
import { REQUEST_BODY, REQUEST_PATH, RESPONSE_BODY } from '../jobs.js'
import type { Target } from '../jobs.js'
import { ResponseReader } from './response-reader.js'

let context: SecureContext | undefined

/** TLS to the target's host, verified. A new full handshake each time. */
export async function openTls(target: Target): Promise<TLSSocket> {
  const { host, originPort, proxyPort } = target
  context ??= createSecureContext({ ca: target.caPem })
  const options = {
    servername: host,
    secureContext: context,
    ALPNProtocols: ['http/1.1'],
  }
  if (proxyPort === undefined) return rawTlsClient({ ...options, port: originPort })
  const socket = await connectThroughProxy(proxyPort, host, 443)
  return rawTlsClient({ ...options, socket })
}

/** Where requests go: TLS to the target's host, or a gateway in the clear. */
async function openFor(target: Target): Promise<Socket> {
  if (target.gatewayPort === undefined) return openTls(target)
  const socket = connect(target.gatewayPort, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** The plain socket that leads to the origin's tunnel port. */
export async function openTunnel(target: Target): Promise<Socket> {
  if (target.proxyPort !== undefined) {
    return connectThroughProxy(target.proxyPort, 'bank.test', 443)
  }
  const socket = connect(target.tunnelPort, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

export function requestFor({ host, path, lines = [] }: Target): Buffer {
  return Buffer.from(
    `POST ${path ?? REQUEST_PATH} HTTP/1.1\r\nHost: ${host}\r\n` +
      'Authorization: Bearer bench\r\nContent-Type: application/json\r\n' +
      'Accept: application/json\r\nUser-Agent: OpenAI/JS 6.0.0\r\n' +
      lines.map((line) => `${line}\r\n`).join('') +
      `Content-Length: ${Buffer.byteLength(REQUEST_BODY)}\r\n\r\n${REQUEST_BODY}`,
  )
}

/** One kept-alive connection with one request on it at a time. */
export class Lane {
  readonly #socket: Socket
  readonly #request: Buffer
  readonly #reader = new ResponseReader(RESPONSE_BODY)
  #lost: Error | undefined
  #settle: (cause?: Error) => void = () => undefined

  private constructor(socket: Socket, target: Target) {
    this.#socket = socket
    this.#request = requestFor(target)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (cause: Error) => this.#fail(cause))
    socket.on('close', () => this.#fail(new Error('connection lost')))
  }

  static async open(target: Target): Promise<Lane> {
    return new Lane(await openFor(target), target)
  }

  /** Resolves when the right answer has come whole, rejects when another or none does. */
  ask(): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    return new Promise((resolve, reject) => {
      this.#settle = (cause) => (cause === undefined ? resolve() : reject(cause))
      this.#socket.write(this.#request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    try {
      if (this.#reader.push(chunk) > 0) this.#settle()
    } catch (cause) {
      this.#fail(cause as Error)
    }
  }

  #fail(cause: Error): void {
    this.#lost ??= cause
    this.#socket.destroy()
    this.#settle(this.#lost)
  }
}
