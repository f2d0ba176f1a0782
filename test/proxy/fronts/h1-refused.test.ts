/**
 * What cannot be understood in exactly one way is refused and ends its connection: nothing of
 * it goes up, and nothing behind it. The rows are those of RFC 9112 §2.2, §3.2, §5, §6 and §7
 * and of published attacks on servers that read them differently.
 */
import assert from 'node:assert/strict'
import { FrontAlone, turns } from '../../support/h1-front.js'
import { behind, disposable, NAME } from '../../support/proxied.js'
import { collect } from '../../support/streams.js'

const BEHIND = `GET /smuggled HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
const HOST = `Host: ${NAME}`

const post = (...fields: string[]): string =>
  ['POST /a HTTP/1.1', HOST, ...fields, '', ''].join('\r\n')
const chunked = (body: string): string => post('Transfer-Encoding: chunked') + body

/** Each with the status by which it is refused. */
const HEADS: readonly (readonly [string, string, number])[] = [
  ['a length and chunks', post('Content-Length: 5', 'Transfer-Encoding: chunked'), 400],
  ['chunks and a length', post('Transfer-Encoding: chunked', 'Content-Length: 5'), 400],
  ['two lengths', post('Content-Length: 5', 'Content-Length: 6'), 400],
  ['two equal lengths', post('Content-Length: 5', 'Content-Length: 5'), 400],
  ['a length with a sign', post('Content-Length: +5'), 400],
  ['a negative length', post('Content-Length: -5'), 400],
  ['a list of lengths', post('Content-Length: 5, 5'), 400],
  ['a hexadecimal length', post('Content-Length: 0x5'), 400],
  ['a length with a blank in it', post('Content-Length: 5 5'), 400],
  ['no length where one is named', post('Content-Length:'), 400],
  ['a length of 16 digits', post('Content-Length: 0000000000000005'), 400],
  ['a coding that nobody knows', post('Transfer-Encoding: gzip, chunked'), 501],
  ['chunks that are not last', post('Transfer-Encoding: chunked, gzip'), 400],
  ['chunks twice', post('Transfer-Encoding: chunked, chunked'), 400],
  [
    'chunks in two fields',
    post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    400,
  ],
  ['a coding with a parameter', post('Transfer-Encoding: chunked;q=1'), 400],
  ['a coding behind a comma', post('Transfer-Encoding: , chunked'), 400],
  ['identity', post('Transfer-Encoding: identity'), 400],
  ['an empty coding', post('Transfer-Encoding:'), 400],
  ['a quoted coding', post('Transfer-Encoding: "chunked"'), 400],
  ['a coding behind a control byte', post('Transfer-Encoding: \x0bchunked'), 400],
  [
    'chunks in HTTP/1.0',
    post('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0'),
    400,
  ],
  [
    'another coding in HTTP/1.0',
    post('Transfer-Encoding: gzip, chunked').replace('HTTP/1.1', 'HTTP/1.0'),
    400,
  ],
  ['a blank before the colon', post('Content-Length : 5'), 400],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked'), 400],
  ['a folded line', post('X: a', ' Content-Length: 5'), 400],
  ['a first field that is folded', `GET /a HTTP/1.1\r\n X: y\r\n${HOST}\r\n\r\n`, 400],
  ['a bare LF', `POST /a HTTP/1.1\n${HOST}\r\n\r\n`, 400],
  ['a bare LF behind a field', `GET /a HTTP/1.1\r\nX: y\n${HOST}\r\n\r\n`, 400],
  ['a bare LF at the end', `GET /a HTTP/1.1\r\n${HOST}\r\n\n`, 400],
  ['a bare CR', post('X: a\rContent-Length: 5'), 400],
  ['two CR', `GET /a HTTP/1.1\r\r\n${HOST}\r\n\r\n`, 400],
  ['NUL', post('X: a\0b'), 400],
  ['a name that is none', post('Content Length: 5'), 400],
  ['a field without a name', post(': 5'), 400],
  ['a field without a colon', post('X'), 400],
  ['a method in small letters', `get /a HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
  ['two blanks', `GET  /a HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
  ['a tab for a blank', `GET\t/a HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
  ['HTTP/1.2', `GET /a HTTP/1.2\r\n${HOST}\r\n\r\n`, 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['no version', 'GET /a\r\n\r\n', 400],
  ['a version in small letters', `GET /a http/1.1\r\n${HOST}\r\n\r\n`, 400],
  ['no Host', 'GET /a HTTP/1.1\r\nX: y\r\n\r\n', 421],
  ['two Hosts', post(HOST), 421],
]

const BODIES: readonly (readonly [string, string])[] = [
  ['a size of nine digits', chunked('000000005\r\nhello\r\n0\r\n\r\n')],
  ['a size with a sign', chunked('+5\r\nhello\r\n0\r\n\r\n')],
  ['a size with 0x', chunked('0x5\r\nhello\r\n0\r\n\r\n')],
  ['no size', chunked('\r\nhello\r\n0\r\n\r\n')],
  ['a blank behind a size', chunked('5 \r\nhello\r\n0\r\n\r\n')],
  ['a bare LF behind a size', chunked('5\nhello\r\n0\r\n\r\n')],
  ['a bare LF behind a chunk', chunked('5\r\nhello\n0\r\n\r\n')],
  ['a chunk that is longer than it says', chunked('4\r\nhello\r\n0\r\n\r\n')],
  ['an extension with a bare LF', chunked('5;a\nb\r\nhello\r\n0\r\n\r\n')],
  ['a length as a trailer', chunked('0\r\nContent-Length: 5\r\n\r\n')],
  ['a coding as a trailer', chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n')],
  ['a bare LF behind the trailers', chunked('0\r\nX: y\r\n\n')],
]

describe('what can be read in two ways', () => {
  for (const [what, head] of HEADS) {
    it(`is refused, wherever it is cut: ${what}`, async () => {
      const text = head + BEHIND
      for (const at of [0, 5, 20, head.length - 4, head.length - 1]) {
        const front = new FrontAlone()
        const socket = front.open()
        socket.arrive(text.slice(0, at))
        await turns(1)
        socket.arrive(text.slice(at))
        await turns()
        assert.equal(front.refused.length, 1)
        assert.deepEqual(front.asked, [])
        assert.equal(socket.writableEnded, true)
        socket.arrive(BEHIND)
        await turns()
        assert.deepEqual(front.asked, [])
        socket.destroy()
      }
    })
  }

  for (const [what, text] of BODIES) {
    it(`is refused inside a body, wherever it is cut: ${what}`, async () => {
      const full = text + BEHIND
      for (let at = text.indexOf('\r\n\r\n') + 4; at < text.length; at++) {
        const front = new FrontAlone()
        const socket = front.open()
        socket.arrive(full.slice(0, at))
        await turns(1)
        socket.arrive(full.slice(at))
        await turns()
        const [asked] = front.asked
        assert.deepEqual([front.asked.length, asked?.whole], [1, false])
        socket.destroy()
      }
    })
  }

  it('is answered 400, 421 or 501 and reaches no provider, nor does what follows', async () => {
    const seen: string[] = []
    await using setup = await behind((request, response) => {
      request.on('end', () => seen.push(`${request.method} ${request.url}`)).resume()
      response.end()
    })
    const rows = [...HEADS, ...BODIES.map(([what, text]) => [what, text, 400] as const)]
    for (const [what, text, status] of rows) {
      using socket = disposable(await setup.yori.tls(NAME))
      socket.stream.write(text + BEHIND, 'latin1')
      const answers = (await collect(socket.stream)).toString('latin1')
      const statuses = [...answers.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, s]) => s)
      assert.deepEqual(statuses, [String(status)], what)
      assert.match(answers, /^connection: close\r$/im, what)
    }
    assert.deepEqual(seen, [])
  })
})
