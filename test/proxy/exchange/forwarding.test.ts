/** What passes through an intercepted exchange, and how: RFC 9110 and RFC 9112. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { startRawOrigin } from '../../support/origins.js'
import {
  ask,
  behind,
  certificate,
  disposable,
  endedExchanges,
} from '../../support/proxied.js'
import { get, joined, NAME, until } from '../../support/proxied.js'
import { collect, readUntil } from '../../support/streams.js'

describe('forwarding', () => {
  it('keeps names, values, duplicates and order of end-to-end fields both ways', async () => {
    let seen: string[] = []
    await using setup = await behind((request, response) => {
      seen = request.rawHeaders
      response.writeHead(200, [
        ...['X-B', '1', 'set-cookie', 'a=1', 'X-A', '2', 'Set-Cookie', 'b=2'],
        ...['Alt-Svc', 'h3=":443"', 'Content-Length', '2'],
      ])
      response.end('ok')
    })
    using socket = disposable(await setup.yori.tls(NAME))

    const answer = await ask(
      socket.stream,
      get(
        '/v1/models?x=1',
        ...['X-Second: 2', 'Authorization: Bearer k', 'x-FIRST: a', 'X-Second: 3'],
        ...[
          'Connection: keep-alive, X-Private',
          'X-Private: mine',
          'Keep-Alive: timeout=5',
        ],
        ...['TE: trailers', 'Proxy-Authorization: Basic eA==', 'X-YORI-Override: secret'],
        'Accept-Encoding: zstd, gzip;q=0.8, br, dcb',
      ),
      (soFar) => soFar.endsWith('ok'),
    )

    const passed = seen.filter((_, at) => at % 2 === 0)
    assert.deepEqual(
      passed.filter((name) => /^(x-|auth|accept)/i.test(name)),
      ['X-Second', 'Authorization', 'x-FIRST', 'X-Second', 'Accept-Encoding'],
    )
    assert.deepEqual(valuesOf(seen, 'x-second'), ['2', '3'])
    assert.deepEqual(valuesOf(seen, 'accept-encoding'), ['gzip;q=0.8, br'])
    assert.deepEqual(valuesOf(seen, 'host'), [NAME])
    for (const gone of [
      'x-private',
      'keep-alive',
      'te',
      'proxy-authorization',
      'x-yori-override',
    ]) {
      assert.deepEqual(valuesOf(seen, gone), [], gone)
    }
    const lines = answer.split('\r\n')
    const fields = lines.filter((line) => /^(x-|set-cookie|alt-svc)/i.test(line))
    assert.deepEqual(fields, ['X-B: 1', 'set-cookie: a=1', 'X-A: 2', 'Set-Cookie: b=2'])
  })

  it('serves every method, with and without bodies', async () => {
    await using setup = await behind((request, response) => {
      void collect(request).then((body) => {
        response.setHeader('x-method', request.method ?? '')
        response.end(request.method === 'HEAD' ? undefined : body)
      })
    })
    for (const method of [
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'REPORT',
    ]) {
      using socket = disposable(await setup.yori.tls(NAME))
      const body = method === 'GET' || method === 'HEAD' ? '' : `body of ${method}`
      const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
      const text = `${method} /v1/x HTTP/1.1\r\nHost: ${NAME}\r\n${length}\r\n${body}`
      const answer = await ask(socket.stream, text, (soFar) =>
        soFar.includes(`\r\n\r\n${body}`),
      )
      assert.match(answer, new RegExp(`x-method: ${method}`), method)
    }
  })

  it('carries chunked bodies both ways, re-framed', async () => {
    await using setup = await behind((request, response) => {
      assert.equal(request.headers['transfer-encoding'], 'chunked')
      void collect(request).then((body) => {
        response.write(body.subarray(0, 3))
        response.end(body.subarray(3))
      })
    })
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(
      socket.stream,
      `POST /v1/x HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n',
      (soFar) => soFar.endsWith('0\r\n\r\n'),
    )
    const payload = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    assert.equal(payload.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '').trim(), 'hello world')
    const [row] = await setup.yori.rows('exchanges')
    assert.equal(row?.['trailers_dropped'], 1)
  })

  for (const [status, expected] of [
    [204, /^HTTP\/1\.1 204 No Content\r\n/],
    [304, /^HTTP\/1\.1 304 Not Modified\r\n/],
  ] as const) {
    it(`ends a ${status} at its head and keeps the connection`, async () => {
      await using setup = await behind((_request, response) => {
        response.writeHead(status, { etag: '"x"' })
        response.end()
      })
      using socket = disposable(await setup.yori.tls(NAME))
      for (let i = 0; i < 2; i++) {
        const answer = await ask(socket.stream, get('/v1/models'))
        assert.match(answer, expected)
        assert.ok(answer.endsWith('\r\n\r\n'))
      }
    })
  }

  it('gives a HEAD its length and no body', async () => {
    await using setup = await behind((_request, response) => {
      response.writeHead(200, { 'content-length': '1234' })
      response.end()
    })
    using socket = disposable(await setup.yori.tls(NAME))
    const head = get('/v1/models').replace('GET', 'HEAD')
    const answer = await ask(socket.stream, head)
    assert.match(answer, /content-length: 1234/i)
    assert.ok(answer.endsWith('\r\n\r\n'))
  })

  it('passes 103 on before the answer', async () => {
    await using setup = await behind((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () =>
        response.end('ok'),
      )
    })
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/'), (soFar) =>
      soFar.includes('HTTP/1.1 200'),
    )
    assert.match(
      answer,
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>; rel=preload\r\n/i,
    )
  })

  it('answers Expect itself and does not send it on', async () => {
    let expect: string | undefined = 'unset'
    await using setup = await behind((request, response) => {
      expect = request.headers.expect
      void collect(request).then((body) => response.end(body))
    })
    using socket = disposable(await setup.yori.tls(NAME))
    const fields = `Host: ${NAME}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`
    const first = await ask(socket.stream, `POST /v1/x HTTP/1.1\r\n${fields}`)
    assert.equal(first, 'HTTP/1.1 100 Continue\r\n\r\n')
    const answer = await ask(socket.stream, 'hello', (soFar) => soFar.endsWith('hello'))
    assert.match(answer, /^HTTP\/1\.1 200/)
    assert.equal(expect, undefined)
  })

  it('carries bodies of 32 MiB unchanged both ways', async () => {
    const bytes = Buffer.alloc(32 * 1024 * 1024)
    for (let i = 0; i < bytes.length; i += 4)
      bytes.writeUInt32LE((i * 2654435761) >>> 0, i)
    const sha = createHash('sha256').update(bytes).digest('hex')
    let sawUp = ''
    await using setup = await behind((request, response) => {
      const hash = createHash('sha256')
      request.on('data', (chunk: Buffer) => hash.update(chunk))
      request.on('end', () => {
        sawUp = hash.digest('hex')
        response.writeHead(200, { 'content-length': bytes.length })
        response.end(bytes)
      })
    })
    const dispatcher = setup.yori.dispatcher()
    const { request } = await import('undici')
    const answer = await request(`https://${NAME}/v1/files`, {
      dispatcher,
      method: 'POST',
      body: bytes,
    })
    const hash = createHash('sha256')
    for await (const chunk of answer.body) hash.update(chunk as Buffer)
    assert.equal(sawUp, sha)
    assert.equal(hash.digest('hex'), sha)
  })

  it('holds the provider back when the client does not read', async () => {
    let written = 0
    const total = 256 * 1024 * 1024
    const block = Buffer.alloc(64 * 1024)
    await using setup = await behind((_request, response) => {
      response.writeHead(200, { 'content-length': total })
      const pour = (): void => {
        while (written < total && response.write(block)) written += block.length
        if (written < total) response.once('drain', pour)
      }
      pour()
    })
    using socket = disposable(await setup.yori.tls(NAME))
    socket.stream.write(get('/v1/files/x'))
    await once(socket.stream, 'readable')
    // Back-pressure has reached the origin once its writing stands still.
    await until(async () => {
      const before = written
      await new Promise((resolve) => setTimeout(resolve, 100))
      return written === before
    })
    assert.ok(written < 48 * 1024 * 1024, `${written} bytes were taken from the provider`)
  })

  it('cancels the provider when the client leaves', async () => {
    let left: Promise<unknown> | undefined
    let arrived: (() => void) | undefined
    const asked = new Promise<void>((resolve) => (arrived = resolve))
    await using setup = await behind((request: IncomingMessage, response) => {
      left = once(request.socket, 'close')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      arrived?.()
    })
    const socket = await setup.yori.tls(NAME)
    await ask(socket, get('/v1/x'), (soFar) => soFar.includes('data: 1'))
    await asked
    socket.destroy()
    await left
    const [row] = await endedExchanges(setup.yori, 1)
    assert.equal(row?.['code'], 'YORI_CLIENT_GONE')
  })

  it('gives an event stream event by event', async () => {
    let next: (() => void) | undefined
    await using setup = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      let count = 0
      next = () => response.write(`data: ${++count}\n\n`)
      next()
    })
    using socket = disposable(await setup.yori.tls(NAME))
    await ask(socket.stream, get('/v1/x'), (soFar) => soFar.includes('data: 1'))
    for (let i = 2; i < 6; i++) {
      next?.()
      // Each event arrives although the next has not been written.
      await readUntil(socket.stream, (soFar) => soFar.includes(`data: ${i}`))
    }
  })

  it('sends the head of a stream that thinks first', async () => {
    await using setup = await behind((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
    })
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/x'))
    assert.match(answer, /text\/event-stream/)
  })

  it('passes an answer that comes before the body was read, whole', async () => {
    const body = 'x'.repeat(100_000)
    await using origin = await startRawOrigin(
      async (socket) => {
        await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
        socket.pause()
        socket.write(
          `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        )
      },
      { certificate },
    )
    await using setup = await joined(origin)
    using socket = disposable(await setup.yori.tls(NAME))
    socket.stream.write(
      `POST /v1/files HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`,
    )
    socket.stream.write(Buffer.alloc(1024 * 1024))
    const answer = await readUntil(socket.stream, (soFar) => soFar.length > body.length)
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 401 Unauthorized\r\n/)
  })

  for (const [title, head, expected] of [
    ['another Host', `Host: api.anthropic.com`, 421],
    ['no Host', 'X-Y: 1', 421],
    ['two Hosts', `Host: ${NAME}\r\nHost: ${NAME}`, 421],
    ['Host in capitals with the port and a dot', `Host: API.OpenAI.com.:443`, 200],
    ['a field over its limit', `Host: ${NAME}\r\nX-Big: ${'a'.repeat(17_000)}`, 431],
    ['a name over its limit', `Host: ${NAME}\r\n${'a'.repeat(300)}: 1`, 431],
    ['too many fields', `Host: ${NAME}\r\n${'X-A: 1\r\n'.repeat(250)}X-Z: 1`, 431],
    [
      'a head over its limit',
      `Host: ${NAME}\r\n${`X-A: ${'a'.repeat(9000)}\r\n`.repeat(4)}X-Z: 1`,
      431,
    ],
    ['a space before the colon', `Host: ${NAME}\r\nX-Bad : 1`, 400],
    ['two lengths', `Host: ${NAME}\r\nContent-Length: 1\r\nContent-Length: 2`, 400],
    [
      'length and chunked',
      `Host: ${NAME}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked`,
      400,
    ],
  ] as const) {
    it(`answers ${expected} to ${title}`, async () => {
      let reached = 0
      await using setup = await behind((_request, response) => {
        reached++
        response.end()
      })
      using socket = disposable(await setup.yori.tls(NAME))
      const answer = await ask(
        socket.stream,
        `GET /v1/models HTTP/1.1\r\n${head}\r\n\r\n`,
      )
      assert.match(answer, new RegExp(`^HTTP/1.1 ${expected} `))
      assert.equal(reached, expected === 200 ? 1 : 0)
    })
  }

  for (const [title, rest] of [
    ['a declared length', 'Content-Length: 1001\r\n\r\n'],
    [
      'chunks that add up',
      `Transfer-Encoding: chunked\r\n\r\n${`1f4\r\n${'x'.repeat(500)}\r\n`.repeat(3)}`,
    ],
  ] as const) {
    it(`answers 413 in the shape of the provider to ${title} over the limit`, async () => {
      const config = { proxy: { max_request_size: 1000 } }
      await using setup = await behind((_request, response) => response.end('ok'), config)
      using socket = disposable(await setup.yori.tls(NAME))
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: ${NAME}\r\n`
      const answer = await ask(socket.stream, head + rest, (soFar) => soFar.endsWith('}'))
      assert.match(answer, /^HTTP\/1\.1 413 /)
      const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
        error: { code: string; request_id: string }
      }
      assert.equal(body.error.code, 'YORI_REQUEST_BODY_TOO_LARGE')
      assert.match(body.error.request_id, /^[0-9a-f-]{36}$/)
    })
  }
})

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name,
  )
}
