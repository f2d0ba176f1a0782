// Usage: node real-server.js [udp] PORT ADDRESS...
// The server that clients mean: says `direct` to each message, by TCP and UDP.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6 } from 'node:net'

const words = process.argv.slice(2)
const onlyUdp = words[0] === 'udp'
const [port, ...addresses] = onlyUdp ? words.slice(1) : words
const server = createServer((socket) => {
  socket.on('data', () => void socket.write('direct'))
  socket.on('error', () => socket.destroy())
})
if (!onlyUdp) {
  server.listen({ port: Number(port), host: '::' })
  await once(server, 'listening')
}
// One socket an address: answers must come from the one that was asked.
for (const address of addresses) {
  const quic = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  quic.on('message', (_data, peer) => quic.send('direct', peer.port, peer.address))
  quic.bind(Number(port), address)
  await once(quic, 'listening')
}
console.log('listening')
