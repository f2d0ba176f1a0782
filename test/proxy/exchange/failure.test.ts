/** What a client and the record see when a provider fails. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
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
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
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
