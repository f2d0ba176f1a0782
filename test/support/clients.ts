/** Plain clients: TCP, TLS, and CONNECT by hand. Each resolves when it can be used. */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { readUntil } from './streams.js'

const HEAD_END = '\r\n\r\n'
const MAX_HEAD_BYTES = 64 * 1024

export async function rawTcpClient(
  port: number,
  host = '127.0.0.1',
  localAddress?: string,
): Promise<Socket> {
  const from = localAddress === undefined ? {} : { localAddress }
  const socket = connectTcp({ port, host, allowHalfOpen: true, ...from })
  await once(socket, 'connect')
  return socket
}

/** A TLS client whose handshake has succeeded; rejects when it does not. */
export async function rawTlsClient(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', ...options })
  try {
    await once(socket, 'secureConnect')
  } catch (cause) {
    socket.destroy()
    throw cause
  }
  return socket
}

export class ConnectRefused extends Error {
  /** The proxy's answer as it came: status line, fields, and what followed of the body. */
  readonly answer: string
  readonly status: number

  constructor(answer: string) {
    super(`CONNECT refused: ${answer.split('\r\n')[0] ?? ''}`)
    this.answer = answer
    this.status = Number(answer.split(' ')[1])
  }
}

/** The socket behind `CONNECT host:port`; rejects with `ConnectRefused` unless 200. */
export async function connectThroughProxy(
  proxyPort: number,
  host: string,
  port: number,
  localAddress?: string,
): Promise<Socket> {
  const socket = await rawTcpClient(proxyPort, '127.0.0.1', localAddress)
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  const bytes = await readUntil(
    socket,
    (soFar) => soFar.includes(HEAD_END) || soFar.length > MAX_HEAD_BYTES,
  )
  const answer = bytes.toString('latin1')
  if (!/^HTTP\/1\.[01] 200 /.test(answer)) {
    socket.destroy()
    throw new ConnectRefused(answer)
  }
  const rest = bytes.subarray(answer.indexOf(HEAD_END) + HEAD_END.length)
  if (rest.length > 0) socket.unshift(rest)
  return socket
}

/** TLS inside a CONNECT tunnel, its certificate verified against `ca` for `host`. */
export async function tlsThroughProxy(
  proxyPort: number,
  host: string,
  options: ConnectionOptions & {
    readonly port?: number
    /** Another of loopback makes another device of it. */
    readonly localAddress?: string
  } = {},
): Promise<TLSSocket> {
  const { port = 443, localAddress, ...tls } = options
  const socket = await connectThroughProxy(proxyPort, host, port, localAddress)
  return rawTlsClient({ servername: host, ...tls, socket })
}
