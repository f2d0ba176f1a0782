/**
 * Origins in this process, on a free port of the loopback, gone with their scope: HTTP and
 * HTTPS with a handler, TCP and TLS with a script that sends whatever bytes it likes.
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { RequestListener, Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Server as HttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import type { Issued } from './test-ca.js'

export interface Origin extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `ip:port`, `[ip]:port` for IPv6: what `upstream.resolve` wants. */
  readonly address: string
  /** TCP connections accepted so far. */
  readonly accepted: number
  readonly server: Server
}

export interface OriginOptions {
  /** Loopback, IPv4, unless said. */
  readonly host?: string
  /** A free one unless said. */
  readonly port?: number
  /** With a certificate it speaks TLS. */
  readonly certificate?: Issued
  /** More for the TLS side: ALPN, versions, client certificates. */
  readonly tls?: TlsOptions
}

/** An HTTP/1.1 origin. Without a handler it answers 200 and `ok`. */
export function startOrigin(
  options: OriginOptions & { readonly handler?: RequestListener } = {},
): Promise<Origin> {
  const handler = options.handler ?? ((_request, response) => response.end('ok'))
  const server =
    options.certificate === undefined
      ? createHttpServer(handler)
      : createHttpsServer(tlsOptions(options, options.certificate), handler)
  return listen(server, options)
}

/**
 * An origin that speaks by hand: `script` gets each accepted socket (after the TLS
 * handshake, when there is a certificate) and may write, read, half-close or destroy it.
 */
export function startRawOrigin(
  script: (socket: Socket) => void | Promise<void>,
  options: OriginOptions = {},
): Promise<Origin> {
  const serve = (socket: Socket): void => {
    socket.on('error', () => undefined)
    Promise.resolve(script(socket)).catch(() => socket.destroy())
  }
  const server =
    options.certificate === undefined
      ? createTcpServer({ allowHalfOpen: true }, serve)
      : createTlsServer(tlsOptions(options, options.certificate), serve)
  return listen(server, options)
}

function tlsOptions(options: OriginOptions, issued: Issued): TlsOptions {
  return { cert: issued.certificatePem, key: issued.keyPem, ...options.tls }
}

async function listen(server: Server, options: OriginOptions): Promise<Origin> {
  const host = options.host ?? '127.0.0.1'
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  server.listen(options.port ?? 0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host,
    port,
    server,
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    get accepted() {
      return accepted
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      ;(server as Partial<HttpServer | HttpsServer>).closeAllConnections?.()
      await closed
    },
  }
}
