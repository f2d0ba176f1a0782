// Usage: node dist/tools/bench/http-mitm-proxy.js FOLDER < one line of JSON (Target)
// http-mitm-proxy as a process of its own, its upstream turned to the bench's origin.
// Prints its port and its root as one line of JSON; ends with standard input.
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { Proxy } from 'http-mitm-proxy'
import type { Target } from './jobs.js'

class OriginAgent extends Agent {
  readonly #origin: Target

  constructor(origin: Target) {
    super({ keepAlive: true, maxSockets: 256, ca: origin.caPem })
    this.#origin = origin
  }

  override createConnection(options: ConnectionOptions): ReturnType<typeof connectTls> {
    return connectTls({
      ...options,
      host: '127.0.0.1',
      port: this.#origin.originPort,
    })
  }
}

function serve(origin: Target, folder: string): void {
  const proxy = new Proxy()
  proxy.onError(() => undefined)
  proxy.onConnect((request, client, head: Buffer, callback) => {
    if (request.url !== 'bank.test:443') return callback()
    const upstream = connect(origin.tunnelPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
  })
  // Its inner servers are dialled at 0.0.0.0, which leads to the loopback.
  const options = {
    host: '127.0.0.1',
    port: 0,
    keepAlive: true,
    sslCaDir: folder,
    httpsAgent: new OriginAgent(origin),
  }
  proxy.listen(options, () => {
    const caPem = readFileSync(join(folder, 'certs', 'ca.pem'), 'utf8')
    console.log(JSON.stringify({ port: proxy.httpPort, caPem }))
  })
}

const input = createInterface({ input: process.stdin })
input.once('line', (line) => serve(JSON.parse(line) as Target, process.argv[2] ?? '.'))
input.once('close', () => process.exit())
