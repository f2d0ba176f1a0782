/** Messages as they are written: read again, by Node's own parser too, they say the same. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import {
  chunk,
  inOnePiece,
  lastChunk,
  requestHead,
  responseHead,
} from '../../../src/http/h1/write.js'
import { holds } from '../../support/property.js'
import { collect } from '../../support/streams.js'
import { readH1 } from '../../support/h1-read.js'

const LINE = { method: 'POST', target: '/v1/x?y', host: 'a.test' }
const FIELDS = ['X-A', '1', 'x-a', '\xe9 2', 'Accept', '']
const BODY = Buffer.from('{"a":"b"}')
const COUNTED = { kind: 'length', bytes: BODY.length } as const

const chunked = (trailers: readonly string[]): Buffer =>
  Buffer.concat([
    chunk(BODY.subarray(0, 2)),
    chunk(BODY.subarray(2)),
    Buffer.from(lastChunk(trailers), 'latin1'),
  ])

describe('a written message', () => {
  it('is what RFC 9112 shows', () => {
    assert.equal(
      requestHead(LINE, ['A', 'b'], COUNTED),
      'POST /v1/x?y HTTP/1.1\r\nhost: a.test\r\nA: b\r\ncontent-length: 9\r\n\r\n',
    )
    assert.equal(
      responseHead(200, 'OK', [], { kind: 'chunked' }),
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    assert.equal(
      chunked(['T', '1']).toString(),
      '2\r\n{"\r\n7\r\na":"b"}\r\n0\r\nT: 1\r\n\r\n',
    )
  })

  it('is read by a server of Node as it was meant', async () => {
    const server = createServer((request, response) => {
      void collect(request).then((body) => {
        const { method, url, rawHeaders, rawTrailers } = request
        response.end(
          JSON.stringify([method, url, rawHeaders, rawTrailers, body.toString()]),
        )
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const fields = [...FIELDS, 'Connection', 'close']
    const head = requestHead(LINE, fields, { kind: 'chunked' })
    socket.write(inOnePiece(head, chunked(['T', '1'])))
    const text = (await collect(socket)).toString()
    server.close()
    const framing = ['transfer-encoding', 'chunked']
    const told = JSON.parse(/\[.*\]/.exec(text)?.[0] ?? '') as unknown
    const own = ['host', 'a.test', ...fields, ...framing]
    assert.deepEqual(told, ['POST', '/v1/x?y', own, ['T', '1'], BODY.toString()])
  })

  it('is read by a client of Node as it was meant', async () => {
    const server = createTcpServer((socket) => {
      const head = responseHead(203, 'S\xf6', FIELDS, COUNTED)
      socket.end(inOnePiece(head, BODY))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const asked = httpRequest({ port, host: '127.0.0.1', agent: false }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    assert.equal((await collect(answer)).toString(), BODY.toString())
    server.close()
    assert.deepEqual([answer.statusCode, answer.statusMessage], [203, 'S\xf6'])
    assert.deepEqual(answer.rawHeaders, [...FIELDS, 'content-length', '9'])
  })

  it('is never one that ends its line early', () => {
    for (const bad of ['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\u0100', 'a\x7f']) {
      const code = { code: 'YORI_INTERNAL' }
      const head =
        (line: object, fields: readonly string[] = []) =>
        () =>
          requestHead({ ...LINE, ...line }, fields, COUNTED)
      assert.throws(head({ method: bad }), code)
      assert.throws(head({ target: bad }), code)
      assert.throws(head({ host: bad }), code)
      assert.throws(head({}, ['X', bad]), code)
      assert.throws(head({}, [bad, '1']), code)
      assert.throws(() => responseHead(200, bad, [], COUNTED), code)
      assert.throws(() => lastChunk(['X', bad]), code)
    }
    const code = { code: 'YORI_INTERNAL' }
    for (const line of [
      { method: '' },
      { target: '' },
      { method: 'A B' },
      { target: '/ ' },
    ])
      assert.throws(() => requestHead({ ...LINE, ...line }, [], COUNTED), code)
    for (const name of ['', 'a b', 'a:', '\xe9'])
      assert.throws(() => requestHead(LINE, [name, '1'], COUNTED), code)
    for (const status of [99, 1000, NaN, 20.5])
      assert.throws(() => responseHead(status, '', [], COUNTED), code)
  })

  const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  const value = fc.stringMatching(
    /^([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/,
  )
  const ours = /^(host|connection|content-length|transfer-encoding)$/i
  const field = fc.tuple(
    name.filter((text) => !ours.test(text)),
    value,
  )
  holds(
    'is read again as it was written, whatever it says',
    fc.property(
      fc.array(field, { maxLength: 6 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      (pairs, content, counted) => {
        const fields = pairs.flat()
        const data = Buffer.from(content)
        const framing = counted
          ? ({ kind: 'length', bytes: data.length } as const)
          : ({ kind: 'chunked' } as const)
        const end = Buffer.from(lastChunk())
        const parts = counted ? [data] : data.length === 0 ? [end] : [chunk(data), end]
        const bytes = inOnePiece(requestHead(LINE, fields, framing), Buffer.concat(parts))
        const { messages, rest } = readH1([bytes], { side: 'request' })
        const [message] = messages
        const own = counted
          ? ['content-length', String(data.length)]
          : ['transfer-encoding', 'chunked']
        assert.equal(rest, 'nothing')
        assert.deepEqual(message?.start, ['POST', '/v1/x?y', 'HTTP/1.1'])
        assert.deepEqual(message.fields, ['host', 'a.test', ...fields, ...own])
        assert.equal(message.body, data.toString('latin1'))
      },
    ),
  )
})
