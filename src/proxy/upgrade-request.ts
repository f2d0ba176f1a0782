/**
 * A request to switch protocols. WebSocket is relayed; anything else (`h2c`) is served as the
 * plain request that it also is, RFC 9110 §7.8: a server may ignore `Upgrade`.
 */
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Client, HttpFront } from './http-front.js'
import { endSoon } from './refusal.js'
import { serveRequest } from './requests.js'
import type { Services } from './services.js'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came after the head. */
  readonly head: Buffer
}

export function serveUpgrade(
  upgrade: UpgradeRequest,
  from: Client,
  context: { services: Services; http: HttpFront },
): void {
  const { request, socket, head } = upgrade
  if ((request.headers.upgrade ?? '').trim().toLowerCase() !== 'websocket') {
    socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]))
    void context.http.serve(socket, from.state)
    return
  }
  if (head.length > 0) socket.unshift(head)
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  // Unless the protocols were switched, this answer is the last on this connection.
  response.shouldKeepAlive = false
  response.once('finish', () => {
    response.detachSocket(socket)
    endSoon(socket, '')
  })
  socket.once('close', () => response.emit('close'))
  serveRequest({ request, response }, from, context.services, 'websocket')
}

function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const lines = [
    `${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`,
  ]
  const { rawHeaders } = request
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    const value = rawHeaders[i + 1] as string
    if (lower === 'upgrade' || lower === 'http2-settings') continue
    lines.push(`${name}: ${lower === 'connection' ? withoutUpgrade(value) : value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** A `Connection` value without the options that belong to an upgrade. */
function withoutUpgrade(value: string): string {
  const options = value.split(',').filter((option) => {
    const name = option.trim().toLowerCase()
    return name !== 'upgrade' && name !== 'http2-settings'
  })
  return options.join(',').trim()
}
