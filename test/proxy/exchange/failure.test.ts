/** What a client and the record see when a provider fails. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { rawTlsClient } from '../../support/clients.js'
import { startOrigin, startRawOrigin } from '../../support/origins.js'
import { anthropicSdk } from '../../support/sdk.js'
import {
  ask,
  behind,
  certificate,
  disposable,
  endedExchanges,
} from '../../support/proxied.js'
import { get, joined, NAME, originCa, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { TestCa } from '../../support/test-ca.js'
import type { Issued } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const DAY_MS = 86_400_000

interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly request_id: string
  }
}

function errorOf(answer: string): ErrorBody['error'] {
  return (JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as ErrorBody).error
}

const wholeError = (soFar: string): boolean => soFar.endsWith('}')

describe('a provider that fails', () => {
  const untrusted: readonly (readonly [string, Issued])[] = [
    ['is of an unknown root', new TestCa('Stranger').issue({ names: [NAME] })],
    [
      'has expired',
      originCa.issue({ names: [NAME], notAfter: new Date(Date.now() - DAY_MS) }),
    ],
    ['is for another name', originCa.issue({ names: ['api.anthropic.com'] })],
    ['is self-signed', originCa.issue({ names: [NAME], selfSigned: true })],
  ]
  for (const [title, bad] of untrusted) {
    it(`gets 502 and no request when its certificate ${title}`, async () => {
      let reached = 0
      const origin = await startOrigin({ certificate: bad, handler: () => reached++ })
      await using setup = await joined(origin)
      using socket = disposable(await setup.yori.tls(NAME))
      const answer = await ask(socket.stream, get('/v1/models'), wholeError)
      assert.match(answer, /^HTTP\/1\.1 502 /)
      assert.match(answer, /x-should-retry: false/)
      const error = errorOf(answer)
      assert.equal(error.code, 'YORI_UPSTREAM_UNTRUSTED')
      assert.match(error.message, /certificate did not verify/)
      assert.equal(reached, 0)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['request_id'], error.request_id)
      assert.equal(row['code'], 'YORI_UPSTREAM_UNTRUSTED')
    })
  }

  it('raises the ordinary error of its SDK, with our reason and the request id', async () => {
    const origin = await startOrigin({
      certificate: new TestCa().issue({ names: ['x.test'] }),
    })
    await using yori = await Yori.start({ origins: { 'api.anthropic.com': origin } })
    await using _origin = origin
    const client = anthropicSdk({ dispatcher: yori.dispatcher() })
    const asked = client.messages.create({
      model: 'claude-haiku-4-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'x' }],
    })
    await assert.rejects(asked, (error: { status?: number; message: string }) => {
      assert.equal(error.status, 502)
      assert.match(error.message, /certificate did not verify.*request [0-9a-f-]{36}/)
      return true
    })
  })

  it('gets 502 when nothing listens there', async () => {
    const origin = await startOrigin({ certificate })
    await origin[Symbol.asyncDispose]()
    await using setup = await joined(origin)
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 502 /)
    assert.equal(errorOf(answer).code, 'YORI_UPSTREAM_UNREACHABLE')
  })

  it('gets 504 when its response head does not come in time', async () => {
    const config = { proxy: { upstream_timeout: 1 } }
    await using setup = await behind(() => undefined, config)
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 504 /)
    assert.equal(errorOf(answer).code, 'YORI_UPSTREAM_TIMEOUT')
  })

  it('gets 504 when its TLS handshake does not come to an end', async () => {
    await using origin = await startRawOrigin((socket) => void socket.resume())
    await using setup = await joined(origin, { timeouts: { upstream_tls: 1 } })
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 504 /)
    assert.equal(errorOf(answer).code, 'YORI_UPSTREAM_CONNECT_TIMEOUT')
  })

  it('gets 502 when it speaks no HTTP', async () => {
    const script = (socket: Socket): void => void socket.end('220 smtp.test ESMTP\r\n')
    await using origin = await startRawOrigin(script, { certificate })
    await using setup = await joined(origin)
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 502 /)
    assert.equal(errorOf(answer).code, 'YORI_UPSTREAM_MALFORMED')
  })

  it('closes the client when it breaks off inside a body', async () => {
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this')
      },
      { certificate },
    )
    await using setup = await joined(origin)
    const { port, rootPem } = setup.yori
    const socket = await rawTlsClient({ port, servername: NAME, ca: rootPem })
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    // By a reset or not: which of the two it hears is a matter of Node's version.
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write(get('/v1/models'))
    await closed
    assert.match(text, /only this$/)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['truncated'], 1)
    assert.equal(row['event_type'], 'error')
  })

  it('is asked once more when a connection that had served before has died', async () => {
    let requests = 0
    await using origin = await startRawOrigin(
      async (socket) => {
        for (;;) {
          await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
          requests++
          // The second request of a connection finds it dead, without a byte of an answer.
          if (requests === 2) {
            socket.destroy()
            return
          }
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        }
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using socket = disposable(await setup.yori.tls(NAME))
    for (let i = 0; i < 2; i++) {
      const answer = await ask(socket.stream, get('/v1/models'), (soFar) =>
        soFar.endsWith('ok'),
      )
      assert.match(answer, /^HTTP\/1\.1 200 /)
    }
    assert.equal(requests, 3)
    const rows = await endedExchanges(setup.yori, 2)
    assert.deepEqual(
      rows.map((row) => row['retried']),
      [null, 1],
    )
  })

  const long = 'x'.repeat(300_000)
  // A PUT may be asked twice, however late it is left.
  const counted = `PUT /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 300000\r\n\r\n`
  const chunked = `PUT /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n\r\n`
  for (const [title, head, first, rest, sees] of [
    ['a long body', counted, long, '', long],
    [
      'a body that is still coming',
      counted,
      long.slice(99_999),
      long.slice(200_001),
      long,
    ],
    ['a body in chunks', chunked, '3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n', 'abcde'],
  ] as const) {
    it(`is given ${title} once more from its beginning`, async () => {
      const bodies: string[] = []
      const isWhole = (soFar: Buffer): boolean =>
        soFar.includes('chunked')
          ? soFar.includes('\r\n0\r\n\r\n')
          : soFar.length === soFar.indexOf('\r\n\r\n') + 4 + sees.length
      let heads = 0
      let died: (() => void) | undefined
      const dead = new Promise<void>((resolve) => (died = resolve))
      await using origin = await startRawOrigin(
        async (socket) => {
          for (;;) {
            const head = await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
            heads += 1
            if (heads === 2) {
              // It has read some of it, and is gone without a word.
              socket.once('close', () => died?.()).destroy()
              return
            }
            if (heads === 3) {
              socket.unshift(head)
              const all = (await readUntil(socket, isWhole)).toString()
              const body = all.slice(all.indexOf('\r\n\r\n') + 4)
              bodies.push(
                head.includes('chunked')
                  ? body.replaceAll(/[0-9a-f]+\r\n([^\r]*)\r\n/g, '$1')
                  : body,
              )
            }
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
          }
        },
        { certificate },
      )
      await using setup = await joined(origin)
      using socket = disposable(await setup.yori.tls(NAME))
      const isOk = (soFar: string): boolean => soFar.endsWith('ok')
      await ask(socket.stream, get('/v1/models'), isOk)
      socket.stream.write(head + first)
      await dead
      await until(() => heads === 3)
      const answer = await ask(socket.stream, rest, isOk)
      assert.match(answer, /^HTTP\/1\.1 200 /)
      assert.equal(bodies.length, 1)
      assert.ok(bodies[0] === sees, `${bodies[0]?.length} bytes`)
      const rows = await endedExchanges(setup.yori, 2)
      assert.deepEqual(
        rows.map((row) => [row['retried'], row['event_type'], row['request_bytes']]),
        [
          [null, 'response', 0],
          [1, 'response', sees.length],
        ],
      )
    })
  }

  it('is not given again what is longer than what is kept of it', async () => {
    let heads = 0
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        heads += 1
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        // Until there is more of the next one than is kept.
        await readUntil(socket, (soFar) => soFar.length > 200_000)
        heads += 1
        socket.destroy()
      },
      { certificate },
    )
    await using setup = await joined(origin, { inspect: { max_body_bytes: 65_536 } })
    using socket = disposable(await setup.yori.tls(NAME))
    await ask(socket.stream, get('/v1/models'), (soFar) => soFar.endsWith('ok'))
    socket.stream.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.stream.once('close', resolve))
    socket.stream.write(counted + long)
    await closed
    const [, row] = await endedExchanges(setup.yori, 2)
    assert.deepEqual([row?.['retried'], row?.['code']], [null, 'YORI_UPSTREAM_CLOSED'])
    assert.deepEqual([heads, origin.accepted], [2, 1])
  })

  it('is not asked again when a fresh connection dies', async () => {
    let requests = 0
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        requests++
        socket.destroy()
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 502 /)
    assert.equal(requests, 1)
  })

  it('gets no more exchanges than may be under way: the next is answered 429', async () => {
    let release: (() => void) | undefined
    const config = { limits: { exchanges: 1 } }
    await using setup = await behind((_request, response) => {
      release = () => response.end('ok')
    }, config)
    using first = disposable(await setup.yori.tls(NAME))
    using second = disposable(await setup.yori.tls(NAME))
    first.stream.write(get('/v1/models'))
    await until(() => release !== undefined)
    const answer = await ask(second.stream, get('/v1/models'), wholeError)
    assert.match(answer, /^HTTP\/1\.1 429 /)
    assert.equal(errorOf(answer).code, 'YORI_TOO_MANY_REQUESTS')
    release?.()
    await readUntil(first.stream, (soFar) => soFar.includes('ok'))
  })

  it('gets 502 loop when its name leads back to us', async () => {
    await using yori = await Yori.start({
      config: { upstream: { dns: ['127.0.0.1:9'] } },
    })
    // The resolver is not reached: an address of our own is what the client named.
    const socket = connect(yori.port, '127.0.0.1')
    socket.write(`CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\n\r\n`)
    const answer = await readUntil(socket, (soFar) => soFar.includes('}'))
    assert.match(answer.toString(), /^HTTP\/1\.1 502 [^]*YORI_UPSTREAM_LOOP/)
    socket.destroy()
  })
})
