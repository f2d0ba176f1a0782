/** Where bodies end, RFC 9112 §6 and §7, and what is refused inside them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { LIMITS, readH1 } from '../../support/h1-read.js'
import type { H1Read } from '../../support/h1-read.js'
import { holds } from '../../support/property.js'
import { cutAtOffsets, everySplit } from '../../support/splits.js'

type Side = 'request' | 'response'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

function read(text: string, side: Side, methods: readonly string[] = []): H1Read {
  return readH1([bytes(text)], { side, methods })
}

const POST = 'POST /a HTTP/1.1\r\nHost: a.test\r\n'
const CHUNKED = `${POST}Transfer-Encoding: Chunked\r\n\r\n`
const OK = 'HTTP/1.1 200 OK\r\n'

describe('a body', () => {
  const bodies = (text: string, side: Side, methods?: readonly string[]): string[] =>
    read(text, side, methods).messages.map(({ body }) => body)

  it('of a request is as long as was said, or empty', () => {
    const text = `${POST}Content-Length: 03\r\n\r\nabc${POST}\r\n${POST}Content-Length: 0\r\n\r\n`
    assert.deepEqual(bodies(text, 'request'), ['abc', '', ''])
  })

  it('of a request is the same whatever the method', () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
      const text = `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET `
      assert.deepEqual(bodies(text, 'request'), ['ab'])
    }
  })

  it('is what its chunks hold', () => {
    const text = `${CHUNKED}5\r\nhello\r\n00A;x;y=1;z="\\" q"\r\n, world!!!\r\n0\r\n\r\n`
    assert.deepEqual(bodies(text, 'request'), ['hello, world!!!'])
  })

  it('of a response without either ends with the connection', () => {
    const { messages, partial, rest } = read(`${OK}X: 1\r\n\r\nall of it`, 'response')
    assert.deepEqual(messages, [])
    assert.equal(rest, 'until-close')
    assert.equal(partial?.body, 'all of it')
  })

  for (const [what, head, method] of [
    ['to HEAD', `${OK}Content-Length: 5\r\n\r\n`, 'HEAD'],
    ['to HEAD, chunked', `${OK}Transfer-Encoding: chunked\r\n\r\n`, 'HEAD'],
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 'GET'],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 'GET'],
    ['304, chunked', 'HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n', 'GET'],
    ['without a length', 'HTTP/1.1 304 Not Modified\r\n\r\n', 'GET'],
  ] as const) {
    it(`of a response ${what} is empty`, () => {
      const { messages, rest } = read(
        `${head}${OK}Content-Length: 1\r\n\r\nz`,
        'response',
        [method],
      )
      assert.deepEqual(
        messages.map(({ body }) => body),
        ['', 'z'],
      )
      assert.equal(rest, 'nothing')
    })
  }

  it('does not follow an informational response, and the answer does', () => {
    const text = `HTTP/1.1 100 Go\r\nContent-Length: 9\r\n\r\n${OK}Content-Length: 1\r\n\r\nz`
    const { messages } = read(text, 'response', ['GET'])
    assert.deepEqual(
      messages.map(({ start, body }) => [start[1], body]),
      [
        ['100', ''],
        ['200', 'z'],
      ],
    )
  })

  it('tells its trailers apart from its fields', () => {
    const text = `${CHUNKED}1\r\na\r\n0\r\nVary: *\r\nX-Sum:  1 \r\n\r\n${CHUNKED}0\r\n\r\n`
    const { messages } = read(text, 'request')
    assert.deepEqual(
      messages.map(({ trailers }) => trailers),
      [['Vary', '*', 'X-Sum', '1'], []],
    )
  })
})

const EXTENSION = `;${'x'.repeat(LIMITS.maxExtensionBytes)}`

describe('a chunked body that could be read in two ways', () => {
  for (const [problem, text] of [
    ['chunk-size', '\r\n'],
    ['chunk-size', 'g\r\n'],
    ['chunk-size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['chunk-size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['chunk-size', '+5\r\nhello\r\n0\r\n\r\n'],
    ['chunk-size', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['chunk-size', '-1\r\n'],
    ['chunk-size', '000000005\r\nhello\r\n0\r\n\r\n'],
    ['chunk-size', 'FFFFFFFFFFFFFFFFF\r\nab\r\n'],
    ['chunk-size', '5\nhello\r\n0\r\n\r\n'],
    ['line-end', '5\rXhello\r\n0\r\n\r\n'],
    ['line-end', '5\r\rhello\r\n0\r\n\r\n'],
    ['chunk-end', '5\r\nhelloX\r\n0\r\n\r\n'],
    ['chunk-end', '5\r\nhello\n0\r\n\r\n'],
    ['chunk-end', '5\r\nhello\r0\r\n\r\n'],
    ['chunk-extension', '5;\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5; x\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x y\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x=\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x="a\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x="a"b\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x="\\\r\n"\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', '5;x\n\r\nhello\r\n0\r\n\r\n'],
    ['chunk-extension', `5${EXTENSION}\r\nhello\r\n0\r\n\r\n`],
    ['chunk-extension', '1;abcdefgh\r\na\r\n'.repeat(LIMITS.maxExtensionBytes / 8)],
    ['field-name', '0\r\nA B\r\n\r\n'],
    ['folded-line', '0\r\n A: b\r\n\r\n'],
    ['field-value', '0\r\nA: b\n\r\n'],
    ['line-end', '0\r\n\rX'],
    // RFC 9110 §6.5.1: they would frame or route a message that has been read already.
    ['trailer', '0\r\nContent-Length: 5\r\n\r\n'],
    ['trailer', '0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['trailer', '0\r\nConnection: close\r\n\r\n'],
    ['trailer', '0\r\nProxy-Connection: close\r\n\r\n'],
    ['trailer', '0\r\nHost: b.test\r\n\r\n'],
    ['head-too-large', `0\r\nX: ${'x'.repeat(LIMITS.maxTrailerBytes)}\r\n\r\n`],
  ] as const) {
    it(`is refused: ${JSON.stringify(text.slice(0, 60))}`, () => {
      for (const head of [CHUNKED, `${OK}Transfer-Encoding: chunked\r\n\r\n`]) {
        const side = head === CHUNKED ? 'request' : 'response'
        const got = read(`${head}${text}`, side)
        assert.deepEqual(
          [got.messages, got.rest, got.problem],
          [[], 'malformed', problem],
        )
        const cut = Array.from(bytes(`${head}${text}`), (byte) => Buffer.of(byte))
        assert.deepEqual(readH1(cut, { side }), got)
      }
    })
  }

  it('is not one with a chunk of 8 digits, which waits for its bytes', () => {
    const got = read(`${CHUNKED}ffffffff\r\nab`, 'request')
    assert.deepEqual([got.rest, got.partial?.body], ['incomplete', 'ab'])
  })
})

const GOOD: readonly (readonly [Side, string])[] = [
  ['request', `${POST}Content-Length: 5\r\n\r\nhello${POST}\r\n`],
  [
    'request',
    `${CHUNKED}5;a="b c"\r\nhello\r\n1;d\r\n!\r\n0;e=f\r\nX: 1\r\n\r\n${POST}\r\n`,
  ],
  ['request', `\r\n${CHUNKED}0\r\n\r\n\r\n${POST}\r\n`],
  ['response', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\n0\r\nA: b\r\n\r\n`],
  ['response', `HTTP/1.1 100 C\r\n\r\n${OK}Content-Length: 2\r\n\r\nok${OK}\r\nopen`],
]

describe('a good message', () => {
  it('is the same in any two pieces, and byte by byte', () => {
    for (const [side, text] of GOOD) {
      const whole = read(text, side)
      assert.equal(whole.problem, undefined)
      for (const pieces of everySplit(bytes(text)))
        assert.deepEqual(readH1(pieces as Buffer[], { side }), whole)
    }
  })

  it('asks for more at every byte before its end', () => {
    for (const [side, text] of GOOD) {
      for (let at = 0; at < text.length; at++) {
        const { rest, messages } = read(text.slice(0, at), side)
        assert.notEqual(rest, 'malformed')
        assert.ok((messages.at(-1)?.end ?? 0) <= at)
      }
    }
  })

  holds(
    'is the same in any pieces after any change',
    fc.property(
      fc.constantFrom(...GOOD),
      fc.nat(400),
      fc.nat(255),
      fc.array(fc.nat(400), { maxLength: 8 }),
      ([side, text], place, byte, cuts) => {
        const input = bytes(text)
        input[place % input.length] = byte
        const whole = readH1([input], { side })
        assert.deepEqual(readH1(cutAtOffsets(input, cuts) as Buffer[], { side }), whole)
      },
    ),
    { runs: 3000 },
  )
})
