/**
 * Clients that stop half-way: inside a ClientHello, inside a request head. They come from many
 * addresses of 127/8, since no one address may have so many connections undecided; Linux only.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { readUntil } from './streams.js'

export interface StallTarget {
  readonly port: number
  /** `host:port` that a proxy is asked for before a hello; without it, hellos go straight. */
  readonly connect?: string
}

const PER_ADDRESS = 40
const AT_ONCE = 50
/** The beginning of a record with a ClientHello. RFC 8446 §5.1, §4.1.2. */
const HALF_HELLO = Buffer.from('160301020001000001fc0303', 'hex')
const HALF_HEAD = 'GET / HTTP/1.1\r\nHost: local'

/** The sockets are the caller's to destroy. */
export async function stallClients(
  target: StallTarget,
  counts: { readonly hellos: number; readonly heads: number },
): Promise<Socket[]> {
  const sockets: Socket[] = []
  const total = counts.hellos + counts.heads
  for (let first = 0; first < total; first += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, total - first) }, (_, i) =>
      stall(target, first + i, first + i < counts.hellos),
    )
    sockets.push(...(await Promise.all(some)))
  }
  return sockets
}

async function stall(target: StallTarget, at: number, isHello: boolean): Promise<Socket> {
  const localAddress = `127.0.1.${1 + Math.floor(at / PER_ADDRESS)}`
  const socket = connect({ port: target.port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (isHello && target.connect !== undefined) {
    socket.write(`CONNECT ${target.connect} HTTP/1.1\r\nHost: ${target.connect}\r\n\r\n`)
    await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
  }
  socket.write(isHello ? HALF_HELLO : HALF_HEAD)
  return socket.resume()
}
