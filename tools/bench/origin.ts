// Usage: node dist/tools/bench/origin.js
// The origin of the bench, much lighter than what is measured: one prepared answer over
// TLS, event streams with the time in each event, and a TCP port that sends plain bytes
// after a ClientHello. Prints its ports and its root as one line of JSON; ends with stdin.
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { once } from 'node:events'
import { TestCa } from '../../test/support/test-ca.js'
import { EVENTS_PATH, RESPONSE_BODY } from './jobs.js'

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')
const TUNNEL_CHUNK = Buffer.alloc(64 * 1024, 'yori')
const MAX_PENDING_BYTES = 1024 * 1024

const ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(RESPONSE_BODY)}\r\n\r\n${RESPONSE_BODY}`,
)

function serveRequests(socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    if (pending.length > MAX_PENDING_BYTES) socket.destroy()
    for (;;) {
      const end = requestEnd(pending)
      if (end === undefined) return
      const target = pending.toString('latin1', 0, pending.indexOf('\r\n')).split(' ')[1]
      pending = pending.subarray(end)
      if (target?.startsWith(EVENTS_PATH) === true) streamEvents(socket, target)
      else socket.write(ANSWER)
    }
  })
}

/** Where the first request in `bytes` ends; undefined when it is not whole. */
function requestEnd(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const bodyStart = headEnd + HEAD_END.length
  const length = /content-length: *(\d{1,9})/i.exec(head)?.[1]
  if (length !== undefined) {
    const end = bodyStart + Number(length)
    return bytes.length >= end ? end : undefined
  }
  if (!/transfer-encoding: *chunked/i.test(head)) return bodyStart
  const last = bytes.indexOf(LAST_CHUNK, bodyStart)
  return last === -1 ? undefined : last + LAST_CHUNK.length
}

function streamEvents(socket: Socket, target: string): void {
  const query = new URLSearchParams(target.split('?')[1])
  const events = Number(query.get('events'))
  const gapMs = Number(query.get('gap'))
  socket.write(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  let sent = 0
  const timer = setInterval(() => {
    const event = `data: ${process.hrtime.bigint()}\n\n`
    socket.write(`${event.length.toString(16)}\r\n${event}\r\n`)
    if (++sent < events) return
    clearInterval(timer)
    socket.write(LAST_CHUNK)
  }, gapMs)
  socket.once('close', () => clearInterval(timer))
}

/** The wanted length follows the ClientHello as 8 bytes, big-endian. */
function serveTunnel(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  let pending = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk])
    if (pending.length < 5) return
    const helloEnd = 5 + pending.readUInt16BE(3)
    if (pending.length < helloEnd + 8) return
    socket.off('data', onData)
    socket.resume()
    sendBytes(socket, Number(pending.readBigUInt64BE(helloEnd)))
  }
  socket.on('data', onData)
}

function sendBytes(socket: Socket, wanted: number): void {
  let left = wanted
  const more = (): void => {
    while (left > 0) {
      const chunk =
        left >= TUNNEL_CHUNK.length ? TUNNEL_CHUNK : TUNNEL_CHUNK.subarray(0, left)
      left -= chunk.length
      if (!socket.write(chunk)) {
        socket.once('drain', more)
        return
      }
    }
    socket.end()
  }
  more()
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1', 1024)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const ca = new TestCa('Bench Root')
const issued = ca.issue({
  names: ['api.openai.com', 'bank.test', 'llm.bench.test', 'localhost'],
})
const tls = createTlsServer(
  { cert: issued.certificatePem, key: issued.keyPem, ALPNProtocols: ['http/1.1'] },
  serveRequests,
)
tls.on('tlsClientError', () => undefined)
const [originPort, tunnelPort] = await Promise.all([
  listen(tls),
  listen(createTcpServer(serveTunnel)),
])
console.log(JSON.stringify({ originPort, tunnelPort, caPem: ca.certificatePem }))

process.stdin.resume().once('end', () => process.exit())
