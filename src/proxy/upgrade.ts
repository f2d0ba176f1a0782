/**
 * After 101: the provider's answer goes to the client and both sockets are joined. WebSocket
 * messages pass as they are (RFC 6455), permessage-deflate included.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The provider's fields of a 101 go on whole: `Upgrade` and `Connection` are its substance. */
export interface Upgraded {
  readonly rawHeaders: readonly Buffer[]
  readonly socket: Duplex
}

/** Resolves with the bytes that went to the client when both sides have closed. */
export function joinUpgraded(
  response: ServerResponse,
  client: Socket,
  upgraded: Upgraded,
): Promise<number> {
  const upstream = upgraded.socket
  response.detachSocket(client)
  const lines = ['HTTP/1.1 101 Switching Protocols']
  const { rawHeaders } = upgraded
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i] as Buffer, rawHeaders[i + 1] as Buffer]
    lines.push(`${name.toString('latin1')}: ${value.toString('latin1')}`)
  }
  client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return new Promise((resolve) => {
    let open = 2
    let bytes = 0
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      resolve(bytes)
    }
    upstream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy())
      from.once('close', () => {
        to.destroy()
        closed()
      })
      from.pipe(to)
    }
  })
}
