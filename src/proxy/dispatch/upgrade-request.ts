/**
 * A request to switch protocols. WebSocket is relayed; anything else (`h2c`) is served as the
 * plain request that it also is, RFC 9110 §7.8: a server may ignore `Upgrade`.
 */
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { endSoon } from '../../net/end-soon.js'
import type { H1Front } from '../fronts/h1-front.js'
import type { Client } from '../fronts/http-front.js'
import { serveRequest } from './requests.js'
import type { DispatchPort } from './port.js'

export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came after the head. */
  readonly head: Buffer
}

export function serveUpgrade(
  upgrade: UpgradeRequest,
  from: Client,
  context: { services: DispatchPort; http: Pick<H1Front, 'serve'> },
): void {
  const { request, socket, head } = upgrade
  if (!isWebSocket(request)) {
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
    endSoon(socket)
  })
  socket.once('close', () => response.emit('close'))
  serveRequest({ request, response }, from, context.services, 'websocket')
}

/** A GET without a body, RFC 6455 §4.1: any other message must be framed as what it is. */
function isWebSocket(request: IncomingMessage): boolean {
  const { upgrade, 'content-length': length } = request.headers
  const hasBody =
    length !== undefined || request.headers['transfer-encoding'] !== undefined
  const isAsked = (upgrade ?? '').trim().toLowerCase() === 'websocket'
  return isAsked && request.method === 'GET' && !hasBody
}

function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const lines = [
    `${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`,
  ]
  const { rawHeaders } = request
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i] as string, rawHeaders[i + 1] as string]
    const lower = name.toLowerCase()
    if (lower === 'upgrade' || lower === 'http2-settings') continue
    lines.push(`${name}: ${lower === 'connection' ? withoutUpgrade(value) : value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** The other options stay: fields that they name are hop-by-hop, and `close` is meant. */
function withoutUpgrade(connection: string): string {
  const options = connection.split(',').map((option) => option.trim())
  const mine = new Set(['upgrade', 'http2-settings'])
  return options.filter((option) => !mine.has(option.toLowerCase())).join(', ')
}
