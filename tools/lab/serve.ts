// Usage: node serve.js '{"tls":[443],"tcp":[80],"udp":[[443,"192.0.2.1"]],"pairs":"FILE"}'
// Servers of the lab: HTTPS that says how many bytes of a body came and sends as many back; TCP
// and UDP that say `itself`. FILE holds certificates by name. Prints `listening`.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createServer as createTcpServer, isIPv6 } from 'node:net'
import { createSecureContext } from 'node:tls'

interface What {
  readonly tls?: readonly number[]
  readonly tcp?: readonly number[]
  /** Answers must come from the address that was asked. */
  readonly udp?: readonly (readonly [number, string])[]
  readonly pairs?: string
}

const what = JSON.parse(process.argv[2] ?? '{}') as What

for (const port of what.tls ?? []) {
  const pairs = JSON.parse(readFileSync(what.pairs ?? '', 'utf8')) as {
    name: string
    key: string
    cert: string
  }[]
  const contexts = new Map(pairs.map((pair) => [pair.name, createSecureContext(pair)]))
  const server = createServer(
    {
      SNICallback: (name, done) => {
        const context = contexts.get(name)
        if (context === undefined) done(new Error(`no certificate for ${name}`))
        else done(null, context)
      },
    },
    (request, response) => {
      let bytes = 0
      request.on('data', (chunk: Buffer) => (bytes += chunk.length))
      request.once('end', () => response.end('x'.repeat(bytes)))
    },
  )
  server.listen({ port, host: '::' })
  await once(server, 'listening')
}
for (const port of what.tcp ?? []) {
  const server = createTcpServer((socket) => {
    socket.on('data', () => void socket.write('itself'))
    socket.on('error', () => socket.destroy())
  })
  server.listen({ port, host: '::' })
  await once(server, 'listening')
}
for (const [port, address] of what.udp ?? []) {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('message', (_data, peer) => socket.send('itself', peer.port, peer.address))
  socket.bind(port, address)
  await once(socket, 'listening')
}
console.log('listening')
