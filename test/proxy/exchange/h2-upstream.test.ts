/** Providers that want HTTP/2: what goes up to them and how their sessions are kept. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, constants } from 'node:http2'
import type { RequestListener } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { h2Answer, h2Ask, h2Client } from '../../support/h2.js'
import { beforeH2, startH2Origin } from '../../support/h2-origin.js'
import { ask, certificate, disposable, get } from '../../support/proxied.js'
import { endedExchanges, joined, NAME, until } from '../../support/proxied.js'
import { startOrigin, startRawOrigin } from '../../support/origins.js'
import { runProgram } from '../../support/programs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { Yori } from '../../support/yori.js'
import { needs } from '../../support/needs.js'

const post = { ':method': 'POST', ':path': '/v1/chat/completions' }

function answer(stream: ServerHttp2Stream, body = 'ok'): void {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' })
  stream.end(body)
}

describe('a provider that wants HTTP/2', () => {
  it('is asked over one session, with fields and bodies as they are', async () => {
    const seen: Record<string, unknown>[] = []
    await using origin = await startH2Origin((stream, headers) => {
      seen.push({ ...headers })
      stream.respond({
        ...{ ':status': 201, 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] },
        'alt-svc': 'h3=":443"',
      })
      stream.pipe(stream)
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const fields = { 'X-Two': ['2', '3'], cookie: ['a=1', 'b=2'], 'x-yori-tags': 'no' }
    for (let i = 0; i < 3; i++) {
      const got = await h2Ask(client.session, { ...post, ...fields }, 'hello')
      assert.equal(got.headers[':status'], 201)
      assert.equal(got.headers['x-one'], '1')
      assert.deepEqual(got.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal(got.headers['alt-svc'], undefined)
      assert.equal(got.body, 'hello')
    }
    using old = disposable(await setup.yori.tls(NAME))
    const text = await ask(
      old.stream,
      `POST /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nConnection: x-hop\r\nX-Hop: 1\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      (soFar) => soFar.endsWith('0\r\n\r\n'),
    )
    assert.match(text, /^HTTP\/1\.1 201 Created\r\n/)
    assert.match(text, /hello/)
    assert.equal(origin.sessions.length, 1)
    const [first, , , last] = seen
    assert.equal(first?.[':authority'], NAME)
    assert.equal(first['x-two'], '2, 3')
    assert.equal(first['cookie'], 'a=1; b=2')
    assert.equal(first['te'], undefined)
    assert.equal(first['x-yori-tags'], undefined)
    assert.equal(last?.['x-hop'], undefined)
  })

  it('gets trailers of a client and gives its own', async () => {
    let got: unknown
    await using origin = await startH2Origin((stream) => {
      stream.on('trailers', (fields: Record<string, unknown>) => (got = fields['x-sum']))
      stream.resume().once('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': '9' }))
        stream.end('body')
      })
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const stream = client.session.request(
      { ...post, te: 'trailers' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }))
    stream.end('hello')
    const { body, trailers } = await h2Answer(stream)
    assert.equal(body, 'body')
    assert.equal(trailers?.['x-back'], '9')
    assert.equal(got, '7')
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['trailers_dropped'], null)
  })

  it('that resets a stream is heard with its code', async () => {
    await using origin = await startH2Origin((stream, headers) => {
      if (headers[':path'] === '/good') answer(stream)
      else if (headers[':path'] === '/late') {
        // Node would end it in order first, were there no trailers to wait for.
        stream.respond({ ':status': 200 }, { waitForTrailers: true })
        stream.write('half', () => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM))
      } else stream.close(constants.NGHTTP2_CANCEL)
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const late = client.session.request(
      { ...post, ':path': '/late' },
      { endStream: true },
    )
    late.on('error', () => undefined)
    await new Promise((resolve) => late.resume().once('close', resolve))
    assert.equal(late.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    const early = await h2Ask(client.session, { ...post, ':path': '/early' })
    assert.equal(early.headers[':status'], 502)
    const good = await h2Ask(client.session, { ...post, ':path': '/good' })
    assert.equal(good.body, 'ok')
    assert.equal(origin.sessions.length, 1)
    const rows = await endedExchanges(setup.yori, 3)
    assert.deepEqual(
      rows.map((row) => row['code']),
      ['YORI_UPSTREAM_CLOSED', 'YORI_UPSTREAM_CLOSED', null],
    )
  })

  it('that refuses a stream is asked once more on another session', async () => {
    let asked = 0
    await using origin = await startH2Origin((stream) => {
      if (++asked === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
      else answer(stream)
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const length = { 'content-length': '5' }
    const got = await h2Ask(client.session, { ...post, ...length }, 'hello')
    assert.equal(got.body, 'ok')
    assert.equal(asked, 2)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['retried'], 1)
  })

  it('that says GOAWAY serves what it has, and the next are asked elsewhere', async () => {
    const waiting: ServerHttp2Stream[] = []
    await using origin = await startH2Origin((stream, headers) => {
      if (headers[':path'] === '/wait') waiting.push(stream)
      else answer(stream)
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const slow = h2Ask(client.session, { ...post, ':path': '/wait' })
    await until(() => waiting.length === 1)
    const { upstream } = setup.yori.appliance.current.services
    origin.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR)
    await until(async () => {
      await h2Ask(client.session, post)
      return origin.sessions.length === 2
    })
    answer(waiting[0] as ServerHttp2Stream, 'at last')
    assert.equal((await slow).body, 'at last')
    await until(() => upstream.connections === 1)
  })

  it('whose session breaks off is heard, and has another', async () => {
    await using origin = await startH2Origin((stream, headers) => {
      if (headers[':path'] === '/break') stream.session?.destroy()
      else answer(stream)
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const broken = await h2Ask(client.session, { ...post, ':path': '/break' })
    assert.equal(broken.headers[':status'], 502)
    assert.equal((await h2Ask(client.session, post)).body, 'ok')
    assert.equal(origin.sessions.length, 2)
  })

  it('gets no more streams on a session than it takes', async () => {
    const waiting: ServerHttp2Stream[] = []
    await using origin = await startH2Origin((stream) => void waiting.push(stream), {
      settings: { maxConcurrentStreams: 10 },
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const asked = Array.from({ length: 25 }, () => h2Ask(client.session, post))
    await until(() => waiting.length === 25)
    assert.equal(origin.sessions.length, 3)
    for (const stream of waiting) answer(stream)
    const answers = await Promise.all(asked)
    assert.ok(answers.every(({ body }) => body === 'ok'))
  })

  it('is not held up by a client that does not read one answer', async () => {
    let written = 0
    await using origin = await startH2Origin((stream, headers) => {
      if (headers[':path'] !== '/large') return void answer(stream)
      stream.respond({ ':status': 200 })
      const piece = Buffer.alloc(64 * 1024)
      const pour = (): void => {
        while (written < 64 * 1024 * 1024 && !stream.destroyed) {
          written += piece.length
          if (!stream.write(piece)) return void stream.once('drain', pour)
        }
      }
      pour()
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const stuck = [1, 2, 3, 4, 5, 6].map(() => {
      const stream = client.session.request({ ...post, ':path': '/large' })
      stream.on('error', () => undefined)
      return stream.end()
    })
    await Promise.all(stuck.map((stream) => once(stream, 'response')))
    let before = -1
    while (before !== written) {
      before = written
      for (let i = 0; i < 5; i++)
        assert.equal((await h2Ask(client.session, post)).body, 'ok')
    }
    assert.ok(written < 16 * 1024 * 1024, `${written} bytes were taken`)
    for (const stream of stuck) stream.close(constants.NGHTTP2_CANCEL)
  })

  it('that does not read one upload answers the others', async () => {
    const stalled: ServerHttp2Stream[] = []
    await using origin = await startH2Origin((stream, headers) => {
      if (headers[':path'] === '/stall') stalled.push(stream)
      else stream.resume().once('end', () => answer(stream))
    })
    await using setup = await beforeH2(origin)
    using client = await h2Client(setup.yori, NAME)
    const upload = client.session.request({ ...post, ':path': '/stall' })
    upload.on('error', () => undefined)
    const large = Buffer.alloc(8 * 1024 * 1024)
    let taken = false
    upload.end(large, () => (taken = true))
    await until(() => stalled.length === 1)
    for (let i = 0; i < 20; i++) {
      const got = await h2Ask(client.session, post, Buffer.alloc(100_000))
      assert.equal(got.body, 'ok')
    }
    assert.equal(taken, false)
    const [stream] = stalled
    let bytes = 0
    stream?.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await once(stream as ServerHttp2Stream, 'end')
    assert.equal(bytes, large.length)
    answer(stream as ServerHttp2Stream)
    assert.equal((await h2Answer(upload)).body, 'ok')
    assert.equal(origin.sessions.length, 1)
  })

  it('that does not speak it is answered for with 502', async () => {
    await using origin = await startOrigin({ certificate })
    await using setup = await beforeH2(origin)
    using client = disposable(await setup.yori.tls(NAME))
    assert.match(await ask(client.stream, get('/v1/models')), /^HTTP\/1\.1 502 /)
    const [row] = await endedExchanges(setup.yori, 1)
    assert.match(String(row?.['code']), /^YORI_UPSTREAM_/)
  })

  for (const [title, config, script, code] of [
    ['settings', { upstream_tls: 0.2 }, () => undefined, 'YORI_UPSTREAM_CONNECT_TIMEOUT'],
    [
      'a response head',
      { response_header: 1 },
      (socket: { write(bytes: Buffer): unknown }) =>
        // An empty SETTINGS, RFC 9113 §6.5.
        socket.write(Buffer.from('000000040000000000', 'hex')),
      'YORI_UPSTREAM_TIMEOUT',
    ],
  ] as const) {
    it(`that gives no ${title} in time is answered for with 504`, async () => {
      await using origin = await startRawOrigin(
        (socket) => {
          socket.resume()
          script(socket)
        },
        { certificate, tls: { ALPNProtocols: ['h2'] } },
      )
      await using setup = await beforeH2(origin, { timeouts: config })
      using client = disposable(await setup.yori.tls(NAME))
      assert.match(await ask(client.stream, get('/v1/models')), /^HTTP\/1\.1 504 /)
      const [row] = await endedExchanges(setup.yori, 1)
      assert.equal(row?.['code'], code)
    })
  }

  it('ends its idle sessions, and those of a YORI that stops', async () => {
    await using origin = await startH2Origin((stream) => answer(stream))
    {
      await using setup = await beforeH2(origin, { upstream: { idle_timeout: 1 } })
      using client = await h2Client(setup.yori, NAME)
      await h2Ask(client.session, post)
      const { upstream } = setup.yori.appliance.current.services
      await until(() => upstream.connections === 0)
      assert.equal(origin.sessions[0]?.closed, true)
      await h2Ask(client.session, post)
    }
    await until(() => origin.sessions.every((session) => session.destroyed))
    assert.equal(origin.sessions.length, 2)
  })
})

/** Two requests, one after the other, of a client that offers HTTP/2 alone. */
async function asked(yori: Yori): Promise<string[]> {
  const socket = await yori.tls(NAME, { ALPNProtocols: ['h2'] })
  assert.equal(socket.alpnProtocol, 'h2')
  const session = connect(`https://${NAME}`, { createConnection: () => socket })
  const first = await h2Ask(session, post, '{}')
  const second = await h2Ask(session, post, '{}')
  session.destroy()
  return [first.body, second.body]
}

async function inspected(yori: Yori): Promise<void> {
  await until(async () => (await yori.rows('connections')).length === 1)
  const [row] = await yori.rows('connections')
  assert.equal(row?.['coverage'], 'inspected')
}

describe('a client that offers HTTP/2 alone', () => {
  it('is inspected where the provider speaks it', async () => {
    await using origin = await startH2Origin((stream) => answer(stream))
    await using setup = await beforeH2(origin)
    const socket = await setup.yori.tls(NAME, { ALPNProtocols: ['h2'] })
    assert.equal(socket.alpnProtocol, 'h2')
    const session = connect(`https://${NAME}`, { createConnection: () => socket })
    assert.equal((await h2Ask(session, post)).body, 'ok')
    session.destroy()
    await until(async () => (await setup.yori.rows('connections')).length === 1)
    const [row] = await setup.yori.rows('connections')
    assert.equal(row?.['coverage'], 'inspected')
  })

  it('called nghttp has all of its uploads answered', async function () {
    needs(this, 'nghttp')
    let bytes = 0
    await using origin = await startH2Origin((stream) => {
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
      stream.once('end', () => answer(stream))
    })
    await using setup = await beforeH2(origin)
    await using folder = await tempFolder()
    const body = folder.file('body')
    await writeFile(body, Buffer.alloc(300_000, 'x'))
    // It dials by address and takes the name for SNI from the field.
    const ran = await runProgram('nghttp', [
      ...['--null-out', '--stat', '--no-verify-peer', '-m', '30', '--data', body],
      ...['--header', `:authority: ${NAME}`],
      `https://127.0.0.1:${setup.yori.port}/v1/files`,
    ])
    const answers = ran.stdout.toString().match(/ 200 +2 \/v1\/files/g)
    assert.equal(answers?.length, 30, ran.stdout.toString())
    assert.equal(bytes, 30 * 300_000)
    await until(async () => (await setup.yori.rows('connections')).length === 1)
    const [row] = await setup.yori.rows('connections')
    assert.equal(row?.['coverage'], 'inspected')
    assert.equal(row['exchanges'], 30)
  })

  it('goes up as HTTP/2 where nobody said what the provider speaks', async () => {
    await using origin = await startH2Origin((stream) => answer(stream))
    await using setup = await joined(origin as never)
    assert.deepEqual(await asked(setup.yori), ['ok', 'ok'])
    assert.equal(origin.sessions.length, 1)
    await inspected(setup.yori)
  })

  for (const [speaks, tls] of [
    ['HTTP/1.1 by ALPN', { ALPNProtocols: ['http/1.1'] }],
    ['HTTP/1.1 and no ALPN', {}],
  ] as const)
    it(`is translated where the provider speaks ${speaks}`, async () => {
      const versions: string[] = []
      const handler: RequestListener = (request, response) => {
        versions.push(request.httpVersion)
        request.pipe(response)
      }
      await using setup = await joined(await startOrigin({ certificate, tls, handler }))
      assert.deepEqual(await asked(setup.yori), ['{}', '{}'])
      assert.deepEqual(versions, ['1.1', '1.1'])
      // The handshake that asked for HTTP/2, and the connection that carried both.
      assert.equal(setup.origin.accepted, 2)
      await inspected(setup.yori)
    })
})
