/** Messages at the edge of the rules: what goes on, what is refused, in which order. RFC 9112. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { startRawOrigin } from '../../support/origins.js'
import {
  ask,
  behind,
  certificate,
  disposable,
  endedExchanges,
  get,
  joined,
  NAME,
  until,
} from '../../support/proxied.js'
import type { Row } from '../../support/yori.js'
import { collect, readUntil } from '../../support/streams.js'

const statuses = (answer: string): string[] =>
  Array.from(answer.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g), ([, status]) => status ?? '')

const lines = (...all: string[]): string => all.join('\r\n')

/** Answers with what it got. */
const telling =
  (seen: string[]): RequestListener =>
  (request, response) => {
    void collect(request).then((body) => {
      seen.push(`${request.method} ${request.url} ${body.toString()}`)
      response.end('told')
    })
  }

describe('framing', () => {
  it('answers good requests before the bad one that came with them', async () => {
    const seen: string[] = []
    await using setup = await behind(telling(seen))
    using socket = disposable(await setup.yori.tls(NAME))
    const bad = `G@T /b HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
    socket.stream.write(get('/a') + bad)
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200', '400'])
    assert.deepEqual(seen, ['GET /a '])
  })

  it('ignores what follows a request that ends the connection', async () => {
    const seen: string[] = []
    await using setup = await behind(telling(seen))
    using socket = disposable(await setup.yori.tls(NAME))
    socket.stream.write(get('/a', 'Connection: close') + get('/b'))
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200'])
    assert.deepEqual(seen, ['GET /a '])
  })

  it('answers a broken chunked body in its turn and completes nothing', async () => {
    const seen: string[] = []
    await using setup = await behind(telling(seen))
    using socket = disposable(await setup.yori.tls(NAME))
    const head = ['POST /b HTTP/1.1', `Host: ${NAME}`, 'Transfer-Encoding: chunked', '']
    socket.stream.write(get('/a') + lines(...head, '5', 'hello', 'zz', ''))
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200', '400'])
    assert.deepEqual(seen, ['GET /a '])
    const rows = await endedExchanges(setup.yori, 2)
    assert.deepEqual(rows.map((row) => `${row['http_path']} ${row['code']}`).sort(), [
      '/a null',
      '/b YORI_REQUEST_MALFORMED',
    ])
  })

  for (const [what, version, coding, status] of [
    ['a coding that it cannot undo', '1.1', 'gzip, chunked', '501'],
    ['chunked in HTTP/1.0', '1.0', 'chunked', '400'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const seen: string[] = []
      await using setup = await behind(telling(seen))
      using socket = disposable(await setup.yori.tls(NAME))
      const head = [`POST /a HTTP/${version}`, `Host: ${NAME}`]
      const answer = await ask(
        socket.stream,
        lines(...head, `Transfer-Encoding: ${coding}`, '', '2', 'ab', '0', '', ''),
      )
      assert.deepEqual(statuses(answer), [status])
      assert.deepEqual(seen, [])
    })
  }

  for (const [what, target, status] of [
    ['takes the absolute form of its name', `https://${NAME}/v1/x?y=1`, '200'],
    ['takes the absolute form without a path', `https://${NAME}`, '200'],
    ['refuses the absolute form of another name', 'https://other.test/v1/x', '421'],
    ['refuses another scheme', `http://${NAME}/v1/x`, '400'],
    ['refuses a target that is not encoded', '/v1/\u00e9', '400'],
    ['refuses the asterisk form', '*', '400'],
  ] as const) {
    it(`${what}`, async () => {
      const seen: string[] = []
      await using setup = await behind(telling(seen))
      using socket = disposable(await setup.yori.tls(NAME))
      const answer = await ask(socket.stream, get(target))
      assert.deepEqual(statuses(answer), [status])
      const path = target === `https://${NAME}` ? '/' : '/v1/x?y=1'
      assert.deepEqual(seen, status === '200' ? [`GET ${path} `] : [])
    })
  }

  it('forwards the body of a request that also asks for WebSocket', async () => {
    const seen: string[] = []
    await using setup = await behind(telling(seen))
    using socket = disposable(await setup.yori.tls(NAME))
    const head = ['POST /ws HTTP/1.1', `Host: ${NAME}`, 'Connection: close, upgrade']
    socket.stream.write(
      lines(...head, 'Upgrade: websocket', 'Content-Length: 4', '', 'abcd'),
    )
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200'])
    assert.deepEqual(seen, ['POST /ws abcd'])
  })

  it('serves a request to upgrade after those before it', async () => {
    const seen: string[] = []
    await using setup = await behind(telling(seen))
    using socket = disposable(await setup.yori.tls(NAME))
    const upgrade = ['Connection: upgrade', 'Upgrade: h2c']
    socket.stream.write(
      get('/a') + get('/b', ...upgrade) + get('/c', 'Connection: close'),
    )
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200', '200', '200'])
    assert.deepEqual(seen.sort(), ['GET /a ', 'GET /b ', 'GET /c '])
  })

  it('lets go of a client whose WebSocket was declined', async () => {
    await using setup = await behind(telling([]))
    using socket = disposable(await setup.yori.tls(NAME))
    const upgrade = ['Connection: upgrade', 'Upgrade: websocket']
    socket.stream.write(get('/ws', ...upgrade) + get('/smuggled'))
    const answer = (await collect(socket.stream)).toString()
    assert.deepEqual(statuses(answer), ['200'])
    socket.stream.end()
    let connections: Row[] = []
    await until(async () => {
      connections = await setup.yori.rows('connections')
      return connections.length > 0
    })
    assert.equal(connections[0]?.['exchanges'], 1)
  })

  it('says 502 for a response in a coding that it cannot undo', async () => {
    await using setup = await joined(
      await startRawOrigin(
        async (socket) => {
          await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzipped')
        },
        { certificate },
      ),
    )
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'))
    assert.deepEqual(statuses(answer), ['502'])
    assert.match(answer, /YORI_UPSTREAM_MALFORMED/)
  })

  it('passes a response whose reason phrase is no ASCII', async () => {
    await using setup = await joined(
      await startRawOrigin(
        async (socket) => {
          await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          socket.write('HTTP/1.1 500 L\xe0s\r\nContent-Length: 2\r\n\r\nok', 'latin1')
        },
        { certificate },
      ),
    )
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), (soFar) =>
      soFar.endsWith('ok'),
    )
    assert.deepEqual(statuses(answer), ['500'])
  })

  it('breaks off a response that the provider did, and records why', async () => {
    await using setup = await joined(
      await startRawOrigin(
        async (socket) => {
          await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort')
        },
        { certificate },
      ),
    )
    using socket = disposable(await setup.yori.tls(NAME))
    await ask(socket.stream, get('/v1/models'), (soFar) => soFar.endsWith('short'))
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['code'], 'YORI_UPSTREAM_CLOSED')
    assert.equal(row?.['truncated'], 1)
  })
})
