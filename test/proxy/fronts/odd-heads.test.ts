/** Heads that are too long, or that one version of HTTP can carry and the other cannot. */
import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import type { OutgoingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { h2Ask, h2Client } from '../../support/h2.js'
import { beforeH2, startH2Origin } from '../../support/h2-origin.js'
import { startRawOrigin } from '../../support/origins.js'
import {
  behind,
  certificate,
  endedExchanges,
  joined,
  NAME,
} from '../../support/proxied.js'
import type { Proxied } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'

/** What comes back, however much is still being sent; `reset` when it ended so. */
function answerTo(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
    socket.once('end', () => resolve(answer))
    socket.on('error', (error) => resolve(answer === '' ? error.message : answer))
    socket.once('close', () => resolve(answer === '' ? 'closed' : answer))
    socket.write(text)
  })
}

/** A provider whose answer's head is written by hand. */
function saying(...head: string[]): Promise<Proxied> {
  const text = [...head, 'Content-Length: 2', '', 'ok'].join('\r\n')
  return startRawOrigin(
    async (socket) => {
      await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
      socket.write(text, 'latin1')
    },
    { certificate },
  ).then((origin) => joined(origin))
}

const GET = { ':method': 'GET', ':path': '/v1/models' }

describe('a head that is too long', () => {
  for (const size of [40_000, 66_000, 500_000, 5_000_000]) {
    it(`of ${size} bytes is answered 431 on every way in, not by a reset`, async () => {
      await using setup = await behind((_request, response) => response.end('ok'))
      const { yori } = setup
      for (const [line, socket] of [
        ['GET /v1/models', await yori.tls(NAME)],
        [`GET http://${NAME}/v1/models`, connect(yori.port)],
        [`CONNECT ${NAME}:443`, connect(yori.port)],
      ] as const) {
        const head = `${line} HTTP/1.1\r\nHost: ${NAME}`
        const answer = await answerTo(socket, `${head}\r\nX: ${'a'.repeat(size)}\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 431 [^]*HEAD_TOO_LARGE/, line)
        socket.destroy()
      }
    })
  }

  it('and malformed is answered 400 although more and more follows', async () => {
    await using setup = await behind((_request, response) => response.end('ok'))
    const socket = await setup.yori.tls(NAME)
    const text = `GET / HTTP/1.1\r\nHost: ${NAME}\r\nbad : ${'a'.repeat(2_000_000)}\r\n\r\n`
    assert.match(await answerTo(socket, text), /^HTTP\/1\.1 400 /)
    socket.destroy()
  })

  for (const [what, count, size] of [
    ['too many fields', 205, 1],
    ['far too many fields', 700, 1],
    ['a field over its limit', 1, 17_000],
    ['more than 64 KB of them', 6, 15_000],
  ] as const) {
    it(`over HTTP/2, ${what}, is answered 431 on its stream alone`, async () => {
      let reached = 0
      await using setup = await behind((_request, response) => {
        reached++
        response.end('ok')
      })
      const options = { maxSendHeaderBlockLength: 1_000_000 }
      using client = await h2Client(setup.yori, NAME, options)
      const head: OutgoingHttpHeaders = { ...GET }
      for (let i = 0; i < count; i++) head[`x-${i}`] = 'a'.repeat(size)
      const [good, bad] = await Promise.all([
        h2Ask(client.session, GET),
        h2Ask(client.session, head),
      ])
      assert.equal(bad.headers[':status'], 431)
      assert.equal(good.headers[':status'], 200)
      assert.equal(reached, 1)
    })
  }
})

describe('a provider’s head that HTTP/2 cannot carry', () => {
  for (const status of [600, 799, 999]) {
    it(`with status ${status} reaches the client as a 5xx, recorded as it came`, async () => {
      await using setup = await saying(`HTTP/1.1 ${status} Odd`)
      using client = await h2Client(setup.yori, NAME)
      const answer = await h2Ask(client.session, GET)
      assert.equal(answer.headers[':status'], 500)
      assert.equal(answer.body, 'ok')
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['response_status'], status)
      assert.equal(row['event_type'], 'response')
    })
  }

  it('for its connection fields reaches the client without them', async () => {
    const fields = ['HTTP2-Settings: AAMAAABk', 'TE: gzip', 'X-Kept: 1']
    await using setup = await saying('HTTP/1.1 200 OK', ...fields, 'Keep-Alive: x')
    using client = await h2Client(setup.yori, NAME)
    const answer = await h2Ask(client.session, GET)
    assert.equal(answer.body, 'ok')
    assert.equal(answer.headers['x-kept'], '1')
    for (const name of ['http2-settings', 'te', 'keep-alive'])
      assert.equal(answer.headers[name], undefined, name)
  })

  it('for fields that stand twice reaches the client with one of them or both', async () => {
    // Every field that Node's HTTP/2 knows by name, and some that a list would mistake.
    const names = Object.entries(constants)
      .filter(([key]) => key.startsWith('HTTP2_HEADER_'))
      .map(([, name]) => String(name))
      .filter((name) => !/^:|^content-(length|encoding)$|^transfer-/.test(name))
    const origin = await startRawOrigin(
      async (socket) => {
        for (;;) {
          const asked = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          const name = /^GET \/v1\/(\S+)/.exec(asked.toString())?.[1] ?? ''
          const head = ['HTTP/1.1 200 OK', `${name}: a`, `${name}: b`]
          socket.write([...head, 'Content-Length: 2', '', 'ok'].join('\r\n'))
        }
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using client = await h2Client(setup.yori, NAME)
    assert.ok(names.length > 60, String(names.length))
    for (const name of [...names, 'constructor', '__proto__', 'x-twice']) {
      const answer = await h2Ask(client.session, { ...GET, ':path': `/v1/${name}` })
      assert.equal(answer.body, 'ok', name)
    }
  })
})

describe('a client’s head that HTTP/2 cannot carry', () => {
  it('goes up to a provider that speaks it, with the first of what may stand once', async () => {
    const seen: unknown[] = []
    await using origin = await startH2Origin((stream, headers) => {
      seen.push([headers['authorization'], headers['user-agent'], headers['x-a']])
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
    await using setup = await beforeH2(origin)
    const fields = ['User-Agent: u', 'User-Agent: v', 'X-A: 1', 'X-A: 2', 'Referer: r']
    const more = ['Authorization: Bearer k', 'Authorization: Bearer l', 'Referer: s']
    const socket = await setup.yori.tls(NAME)
    const head = [`GET /v1/models HTTP/1.1`, `Host: ${NAME}`, 'Connection: close']
    const text = [...head, ...fields, ...more, '', ''].join('\r\n')
    assert.match(await answerTo(socket, text), /^HTTP\/1\.1 200 /)
    assert.deepEqual(seen, [['Bearer k', 'u', '1, 2']])
    socket.destroy()
  })
})
