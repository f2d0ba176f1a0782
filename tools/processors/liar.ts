/**
 * Says what no processor says, after an honest handshake. Usage: liar.js SOCKET HOW, which is
 * garbage, bytes (one at a time), huge (1 GB is announced), flood, other (of another request),
 * none (no decision) or end.
 */
import { unlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'

const [path = '/tmp/yori-liar.sock', how = 'garbage'] = process.argv.slice(2)

function frame(type: number, value: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(value))
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 1)
  head[4] = type
  return Buffer.concat([head, payload])
}

const INTRODUCTION = {
  protocol_version: 2,
  capabilities: { agent_id: 'liar', name: 'liar', version: '0' },
  success: true,
}

function lie(socket: Socket): void {
  const honest = frame(0x20, { version: 2, decision: 'allow' })
  switch (how) {
    case 'garbage':
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      return
    case 'huge':
      socket.write(Buffer.from([0x40, 0, 0, 0, 0x20]))
      return
    case 'flood':
      for (let i = 0; i < 100_000; i++) socket.write(frame(0x30, { state: 'healthy' }))
      return
    case 'other':
      socket.write(
        frame(0x20, { decision: 'allow', audit: { custom: { correlation_id: 'x' } } }),
      )
      return
    case 'none':
      socket.write(frame(0x20, { version: 2 }))
      return
    case 'end':
      socket.destroy()
      return
    default:
      drip(socket, honest)
  }
}

function drip(socket: Socket, bytes: Buffer): void {
  const [first] = bytes
  if (first === undefined || socket.destroyed) return
  socket.write(bytes.subarray(0, 1))
  setTimeout(() => {
    drip(socket, bytes.subarray(1))
  }, 20)
}

try {
  unlinkSync(path)
} catch {
  // Nobody was there before.
}
createServer((socket) => {
  socket.on('error', () => undefined)
  socket.once('data', () => {
    socket.write(frame(0x02, INTRODUCTION))
    socket.on('data', () => {
      lie(socket)
    })
  })
}).listen(path)
