// Usage: node named-server.js PORT FILE
// An HTTPS server for the names in FILE (JSON: name to {key, cert}), on both families. Answers
// each request with whom it saw: {"name": SNI, "from": the peer's address}.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { once } from 'node:events'

const [port, file = ''] = process.argv.slice(2)
const pairs = JSON.parse(readFileSync(file, 'utf8')) as Record<
  string,
  { key: string; cert: string }
>
const contexts = new Map<string, SecureContext>()
for (const [name, pair] of Object.entries(pairs))
  contexts.set(name, createSecureContext(pair))

const server = createServer(
  {
    SNICallback: (name, done) => {
      const context = contexts.get(name)
      if (context === undefined) done(new Error(`no certificate for ${name}`))
      else done(null, context)
    },
  },
  (request, response) => {
    const { servername, remoteAddress } = request.socket as TLSSocket & {
      servername?: string
    }
    request.resume()
    request.once('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name: servername, from: remoteAddress }))
    })
  },
)
// None: how long a test takes is no matter.
server.keepAliveTimeout = 0
server.listen({ port: Number(port), host: '::' })
await once(server, 'listening')
console.log('listening')
