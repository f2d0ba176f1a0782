/** One stream of HTTP/2, moment by moment: over a way on which Node tells head and body in one go. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { H2Stream } from '../../src/net/upstream-h2-stream.js'

/** Two ends in one process: what one writes the other reads, within the other's turn of JavaScript. */
class End extends Duplex {
  other: End | undefined

  override _read(): void {
    // It is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other?.push(chunk)
    done()
  }

  override _final(done: () => void): void {
    this.other?.push(null)
    done()
  }
}

describe('a stream of HTTP/2 towards a provider', () => {
  for (const length of [undefined, 5])
    it(`tells the head first, of a body of ${length ?? 'unknown'} bytes in the same piece`, async () => {
      const [here, there] = [new End(), new End()]
      here.other = there
      there.other = here
      const server = createServer()
      server.on('stream', (stream: ServerHttp2Stream) => {
        stream.respond({
          ':status': 200,
          ...(length === undefined ? {} : { 'content-length': length }),
        })
        stream.end('hello')
      })
      server.emit('connection', there)
      const session = connect('http://provider.test', { createConnection: () => here })
      try {
        await once(session, 'remoteSettings')
        const told: string[] = []
        const ended = new Promise<void>((resolve) => {
          const stream = new H2Stream(
            {
              target: { host: 'provider.test', port: 80, plain: true },
              ...{ method: 'GET', path: '/', host: 'provider.test', fields: [] },
              body: { kind: 'none' },
            },
            {
              onInformation: () => told.push('information'),
              onHead: (status) => told.push(`head ${status}`),
              onData: (chunk) => told.push(`data ${chunk.toString()}`) > 0,
              onEnd: () => {
                told.push('end')
                resolve()
              },
              onUpgrade: () => told.push('upgrade'),
              onError: (error) => {
                told.push(error.message)
                resolve()
              },
            },
            { responseHeadTimeoutMs: 60_000, responseSilenceTimeoutMs: 60_000 },
          )
          stream.open(session, { reused: false, release: () => undefined })
        })
        await ended
        assert.deepEqual(told, ['head 200', 'data hello', 'end'])
      } finally {
        session.destroy()
        for (const end of [here, there]) end.destroy()
      }
    })
})
