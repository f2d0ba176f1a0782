/** HTTP/1.1 towards providers: requests as they are written, answers as they are read. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { startRawOrigin } from '../support/origins.js'
import { readUntil } from '../support/streams.js'
import { Asked, HOST, testUpstream } from '../support/upstream-asked.js'
import {
  answering,
  ca,
  drained,
  fixed,
  headOf,
  OK,
  settled,
} from '../support/upstream-origin.js'

describe('a request', () => {
  it('is written from what was asked, its framing and Host ours', async () => {
    let seen = ''
    await using origin = await answering((head, socket) => {
      seen += head
      socket.write(OK)
    })
    await using one = testUpstream(origin)
    const fields = ['X-A', '1', 'x-a', '\xe9']
    await one.ask({ path: '/a?b', fields }).ended()
    await settled()
    await one.ask({ method: 'POST' }).ended()
    await settled()
    const body = { kind: 'whole', bytes: Buffer.from('whole') } as const
    await one.ask({ method: 'PUT', body }).ended()
    assert.equal(
      seen,
      `GET /a?b HTTP/1.1\r\nhost: ${HOST}\r\nX-A: 1\r\nx-a: \xe9\r\n\r\n` +
        `POST / HTTP/1.1\r\nhost: ${HOST}\r\ncontent-length: 0\r\n\r\n` +
        `PUT / HTTP/1.1\r\nhost: ${HOST}\r\ncontent-length: 5\r\n\r\nwhole`,
    )
    assert.equal(origin.accepted, 1)
  })

  it('that cannot be written is none', async () => {
    await using origin = await fixed(OK)
    await using one = testUpstream(origin)
    const { error } = await one.ask({ fields: ['X', 'a\r\nb: c'] }).ended()
    assert.equal(error?.code, 'YORI_INTERNAL')
    assert.equal(origin.accepted, 0)
  })

  for (const length of [undefined, 11]) {
    it(`streams its body, ${length === undefined ? 'in chunks' : 'counted'}`, async () => {
      let seen = ''
      await using origin = await startRawOrigin(async (socket) => {
        const done = length === undefined ? '0\r\n\r\n' : 'world'
        seen = (await readUntil(socket, (soFar) => soFar.includes(done))).toString()
        socket.write(OK)
      })
      await using one = testUpstream(origin)
      const stream = new PassThrough()
      const asked = one.ask({ method: 'POST', body: { kind: 'stream', stream, length } })
      stream.write('hello ')
      await settled()
      stream.end('world')
      assert.equal((await asked.ended()).body, 'ok')
      const body = seen.slice(headOf(seen).length)
      if (length === undefined) {
        assert.match(headOf(seen), /\r\ntransfer-encoding: chunked\r\n/)
        assert.equal(body.replaceAll(/[0-9a-f]+\r\n([^\r]*)\r\n/g, '$1'), 'hello world')
      } else {
        assert.match(headOf(seen), /\r\ncontent-length: 11\r\n/)
        assert.equal(body, 'hello world')
      }
    })
  }

  for (const [what, text] of [
    ['shorter', 'abc'],
    ['longer', 'abcdefgh'],
  ] as const) {
    it(`whose body is ${what} than was said is broken off`, async () => {
      let seen = ''
      await using origin = await startRawOrigin(async (socket) => {
        for await (const chunk of socket) seen += String(chunk)
      })
      await using one = testUpstream(origin)
      const stream = new PassThrough()
      stream.end(text)
      const body = { kind: 'stream', stream, length: 5 } as const
      const { error } = await one.ask({ method: 'POST', body }).ended()
      assert.equal(error?.code, 'YORI_INTERNAL')
      assert.doesNotMatch(seen, /abcdefgh/)
    })
  }

  it('goes up with the first byte of its body, in one piece', async () => {
    const pieces: string[] = []
    await using origin = await startRawOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => {
        pieces.push(chunk.toString('latin1'))
        if (chunk.includes('0\r\n\r\n')) socket.write(OK)
      })
    })
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    while (origin.accepted === 0) await settled()
    for (let turns = 0; turns < 20; turns++) await settled()
    assert.deepEqual(pieces, [])
    stream.end('hello')
    assert.equal((await asked.ended()).body, 'ok')
    assert.match(pieces.join(''), /chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/)
    assert.match(pieces[0] ?? '', /^POST [^]*\r\n\r\n5\r\nhello/)
  })

  it('whose body breaks off is broken off with its reason', async () => {
    await using origin = await startRawOrigin((socket) => void socket.resume())
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    stream.write('a')
    stream.destroy()
    assert.equal((await asked.ended()).error?.code, 'YORI_CLIENT_GONE')
    assert.equal(one.upstream.connections, 0)
  })

  it('is held back while the provider does not read', async () => {
    let provider: Socket | undefined
    await using origin = await startRawOrigin(
      (socket) => void (provider = socket.pause()),
    )
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    const piece = Buffer.alloc(256 * 1024)
    let written = 0
    while (stream.write(piece) || (await drained(stream))) written += piece.length
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes went nowhere`)
    assert.ok(stream.isPaused())
    let got = 0
    provider?.on('data', (chunk: Buffer) => (got += chunk.length)).resume()
    stream.end()
    await once(stream, 'end')
    while (got < written) await new Promise((resolve) => setImmediate(resolve))
    asked.exchange?.abort()
  })
})

interface Answer {
  readonly text: string
  readonly method?: string
  readonly told: Record<string, unknown>
  /** The connection serves on. */
  readonly serves: boolean
  /** It ends with the connection. */
  readonly ends?: boolean
}

const CHUNKS = '3;x="y"\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n'
const ANSWERS: Readonly<Record<string, Answer>> = {
  'of a length': { text: OK, told: { body: 'ok' }, serves: true },
  'of no length': {
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    told: { body: '' },
    serves: true,
  },
  'in chunks, with trailers': {
    text: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    told: { body: 'abcde', trailers: ['X-T', '1'] },
    serves: true,
  },
  'until the end': {
    text: 'HTTP/1.1 200 OK\r\n\r\nall of it',
    told: { body: 'all of it' },
    serves: false,
    ends: true,
  },
  'that closes': {
    text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    told: { body: 'ok' },
    serves: false,
  },
  'of HTTP/1.0': {
    text: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    told: { body: 'ok' },
    serves: false,
  },
  'of HTTP/1.0 that keeps alive': {
    text: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
    told: { body: 'ok' },
    serves: true,
  },
  'to HEAD': {
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    method: 'HEAD',
    told: { body: '' },
    serves: true,
  },
  'to HEAD, in chunks': {
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    method: 'HEAD',
    told: { body: '' },
    serves: true,
  },
  '204': {
    text: 'HTTP/1.1 204 Nothing\r\nX: 1\r\n\r\n',
    told: { status: 204, reason: 'Nothing' },
    serves: true,
  },
  '304 with a length': {
    text: 'HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n',
    told: { status: 304, reason: 'Same' },
    serves: true,
  },
  'after others that inform': {
    text: `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n${OK}`,
    told: { body: 'ok', informed: [102, 103] },
    serves: true,
  },
}

describe('an answer', () => {
  const whole = { status: 200, reason: 'OK', body: '', trailers: [], informed: [] }

  for (const secure of [false, true]) {
    for (const [title, { text, method = 'GET', told, serves, ends }] of Object.entries(
      ANSWERS,
    )) {
      it(`${title} is told as it is${secure ? ', over TLS' : ''}`, async () => {
        await using origin = await answering((_head, socket) => {
          if (ends === true) socket.end(text, 'latin1')
          else socket.write(text, 'latin1')
        }, secure)
        await using one = testUpstream(origin, {}, secure ? ca : undefined)
        for (let i = 0; i < 2; i++) {
          const asked = await one.ask({ method }).ended()
          assert.deepEqual(asked.told, { ...whole, code: undefined, ...told })
          await settled()
        }
        assert.equal(origin.accepted, serves ? 1 : 2)
        assert.equal(one.upstream.connections, serves ? 1 : 0)
      })
    }
  }

  it('is the same in any two pieces', async () => {
    for (const { text, method = 'GET', told, ends } of Object.values(ANSWERS)) {
      let cut = 0
      await using origin = await answering((_head, socket) => {
        socket.write(text.slice(0, cut), 'latin1')
        setImmediate(() => {
          if (ends === true) socket.end(text.slice(cut), 'latin1')
          else socket.write(text.slice(cut), 'latin1')
        })
      })
      await using one = testUpstream(origin)
      for (; cut <= text.length; cut++) {
        const asked = await one.ask({ method }).ended()
        assert.deepEqual(asked.told, { ...whole, code: undefined, ...told }, `at ${cut}`)
        await settled()
      }
    }
  })

  for (const [title, text, status] of [
    ['bare CR', 'HTTP/1.1 200 OK\r\rContent-Length: 2\r\n\r\nok', undefined],
    ['two CR', 'HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\n\r\nok', undefined],
    ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', undefined],
    [
      'both framings',
      `${headOf(OK).slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n`,
      undefined,
    ],
    ['two lengths', `${headOf(OK).slice(0, -2)}Content-Length: 2\r\n\r\nok`, undefined],
    [
      'another coding',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      undefined,
    ],
    ['no coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok', undefined],
    [
      'a folded line',
      'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n',
      undefined,
    ],
    ['another protocol', '220 some.test ESMTP\r\n', undefined],
    ['a head too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(5_000)}\r\n\r\n`, undefined],
    [
      '101 that nobody asked for',
      'HTTP/1.1 101 S\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n',
      undefined,
    ],
    ['100 without end', 'HTTP/1.1 100 C\r\n\r\n'.repeat(40), undefined],
    [
      'a bad chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX\r\n',
      200,
    ],
  ] as const) {
    it(`with ${title} is refused`, async () => {
      await using origin = await fixed(text)
      await using one = testUpstream(origin)
      const asked = await one.ask().ended()
      assert.equal(asked.error?.code, 'YORI_UPSTREAM_MALFORMED')
      assert.equal(asked.status, status)
      assert.equal(one.upstream.connections, 0)
    })
  }

  for (const [title, text, error] of [
    ['nothing', '', 'YORI_UPSTREAM_CLOSED'],
    ['half a head', 'HTTP/1.1 200 OK\r\nCont', 'YORI_UPSTREAM_CLOSED'],
    [
      'half a body',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab',
      'YORI_UPSTREAM_CLOSED',
    ],
    [
      'half a chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab',
      'YORI_UPSTREAM_CLOSED',
    ],
    [
      'no last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n',
      'YORI_UPSTREAM_CLOSED',
    ],
  ] as const) {
    it(`that ends after ${title} is not whole`, async () => {
      await using origin = await answering((_head, socket) => void socket.end(text))
      await using one = testUpstream(origin)
      const asked = await one.ask().ended()
      assert.equal(asked.error?.code, error)
      assert.equal(asked.stale, false)
    })
  }

  it('that ends by reset is not whole, even where its end would end it', async () => {
    await using origin = await answering((_head, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nabc', () => socket.resetAndDestroy())
    })
    await using one = testUpstream(origin)
    assert.equal((await one.ask().ended()).error?.code, 'YORI_UPSTREAM_CLOSED')
  })

  it('that comes before the body has gone is told; the rest goes nowhere', async () => {
    await using origin = await fixed('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno')
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    stream.write('a')
    assert.equal((await asked.ended()).status, 413)
    assert.equal(asked.body, 'no')
    assert.ok(stream.destroyed)
    // Half a request stands there: nothing may follow it.
    assert.equal(one.upstream.connections, 0)
  })

  it('may begin before the body has gone, and both go on', async () => {
    await using origin = await startRawOrigin(async (socket) => {
      await readUntil(socket, (soFar) => soFar.includes('\r\n\r\n'))
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
      await readUntil(socket, (soFar) => soFar.includes('0\r\n\r\n'))
      socket.write('1\r\nb\r\n0\r\n\r\n')
    })
    await using one = testUpstream(origin)
    const stream = new PassThrough()
    const body = { kind: 'stream', stream, length: undefined } as const
    const asked = one.ask({ method: 'POST', body })
    stream.write('x')
    await asked.until(() => asked.body === 'a')
    stream.end('y')
    assert.equal((await asked.ended()).body, 'ab')
    await settled()
    assert.equal(one.upstream.connections, 1)
  })

  for (const secure of [false, true]) {
    it(`is held back until it is wanted${secure ? ', over TLS' : ''}`, async () => {
      const size = 8 * 1024 * 1024
      let provider: Socket | undefined
      await using origin = await answering((_head, socket) => {
        provider = socket
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
        socket.write(Buffer.alloc(size, 'x'))
        setImmediate(() => socket.write(''))
      }, secure)
      await using one = testUpstream(origin, {}, secure ? ca : undefined)
      const asked = new Asked()
      asked.holds = true
      one.ask({}, asked)
      await asked.until(() => asked.reads === 1)
      for (let turns = 0; turns < 100; turns++) await settled()
      assert.equal(asked.reads, 1, 'it was told more than it wanted')
      assert.ok((provider?.writableLength ?? 0) > 0, 'the provider could send it all')
      // While it is not wanted, silence is not the provider's.
      one.pass(60_000)
      while (asked.bytes < size) {
        const { reads } = asked
        asked.exchange?.resume()
        await asked.until(() => asked.reads > reads || asked.bytes === size)
        if (asked.reads > 20) asked.holds = false
      }
      assert.equal((await asked.ended()).bytes, size)
      // And its connection reads on for the next.
      await settled()
      const next = await one.ask({ method: 'HEAD' }).ended()
      assert.equal(next.status, 200)
    })
  }
})
