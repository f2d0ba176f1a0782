/** Sessions of HTTP/2 towards providers, and which of them is asked again. */
import assert from 'node:assert/strict'
import type { ServerHttp2Stream } from 'node:http2'
import { startH2Origin } from '../support/h2-origin.js'
import { NAME, originCa } from '../support/proxied.js'
import { testUpstream } from '../support/upstream-asked.js'
import type { Asked } from '../support/upstream-asked.js'
import { settled } from '../support/upstream-origin.js'

describe('a session of HTTP/2 towards a provider', () => {
  it('is no more asked once its own address was taken away; what it carries goes on', async () => {
    const streams: (() => void)[] = []
    await using origin = await startH2Origin((stream) => {
      stream.respond({ ':status': 200 })
      streams.push(() => stream.end('ok'))
    })
    const port = Number(origin.address.split(':')[1])
    const own = new Set(['127.0.0.1'])
    const known = { address: '127.0.0.1', port }
    await using one = testUpstream(
      { port },
      { hasAddress: (local) => own.has(local) },
      originCa,
    )
    const target = { host: NAME, port }
    const ask = (): Asked => one.ask({ target, known, version: 'h2' })
    const opened = async (count: number): Promise<void> => {
      while (streams.length < count) await settled()
    }
    const first = ask()
    await opened(1)
    const second = ask()
    await opened(2)
    assert.equal(origin.sessions.length, 1, 'both on one')
    own.clear()
    const third = ask()
    await opened(3)
    assert.equal(origin.sessions.length, 2)
    own.add('127.0.0.1')
    const fourth = ask()
    await opened(4)
    assert.equal(origin.sessions.length, 2, 'the former takes no more, whatever comes')
    for (const end of streams) end()
    for (const asked of [first, second, third, fourth])
      assert.equal((await asked.ended()).body, 'ok')
  })

  it('is not taken for an end when a stream is cut by it without an error', async () => {
    const ways: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
      // Node's server resets each stream by NO_ERROR when it lets go of a session.
      'after a head': (stream) => {
        stream.respond({ ':status': 200 })
        setImmediate(() => stream.session?.destroy())
      },
      'within a body': (stream) => {
        stream.respond({ ':status': 200 })
        stream.write('half', () => stream.session?.destroy())
      },
      whole: (stream) => {
        stream.respond({ ':status': 200 })
        stream.end('whole')
      },
      'whole, with trailers': (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
        stream.end('whole')
      },
      'without a body': (stream) =>
        stream.respond({ ':status': 204 }, { endStream: true }),
    }
    let way = ''
    await using origin = await startH2Origin((stream) => ways[way]?.(stream))
    const port = Number(origin.address.split(':')[1])
    const target = { host: NAME, port }
    const known = { address: '127.0.0.1', port }
    await using one = testUpstream({ port }, {}, originCa)
    for (way of Object.keys(ways)) {
      const told = await one.ask({ target, known, version: 'h2' }).ended()
      const isCut = way === 'after a head' || way === 'within a body'
      assert.equal(told.error?.code, isCut ? 'YORI_UPSTREAM_CLOSED' : undefined, way)
      assert.equal(
        told.body,
        { 'within a body': 'half' }[way] ?? (way.startsWith('whole') ? 'whole' : ''),
        way,
      )
      if (way === 'whole, with trailers') assert.deepEqual(told.trailers, ['x-sum', '1'])
    }
  })
})
