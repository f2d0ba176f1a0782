// Usage: node destination-listener.js PORT [transparent]
// Accepts on both families and prints, per connection, whom its client had dialled.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemClock } from '../../src/core/clock.js'
import type { Log } from '../../src/core/log.js'
import { openOriginalDestination } from '../../src/net/original-destination.js'
import { OwnAddresses } from '../../src/net/own-addresses.js'

const [port, mode] = process.argv.slice(2)
const say = (value: unknown): void =>
  void process.stdout.write(`${JSON.stringify(value)}\n`)
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_fields, message) => say({ warning: message }),
  error: (_fields, message) => say({ error: message }),
}

const destination = await openOriginalDestination({
  own: new OwnAddresses({ clock: systemClock }),
  log,
})
const server = createServer(async (socket) => {
  const peer = socket.remoteAddress
  say({ ...(await destination.of(socket)), peer })
  socket.end('ok')
})
server.listen({ port: Number(port), host: '::' })
await once(server, 'listening')
const problem = mode === 'transparent' ? destination.acceptForeign(server) : undefined
say({ listening: problem ?? 'yes' })
