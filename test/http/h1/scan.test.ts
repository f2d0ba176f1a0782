/** Heads of HTTP/1.1, RFC 9112 §2 to §5: what is found in them, and what is refused. */
import assert from 'node:assert/strict'
import { METHODS as NODE_METHODS } from 'node:http'
import fc from 'fast-check'
import { BAD, HeadScanner, MORE, WHOLE } from '../../../src/http/h1/scan.js'
import { METHODS } from '../../../src/http/h1/methods.js'
import { holds } from '../../support/property.js'
import { LIMITS, readH1 } from '../../support/h1-read.js'
import { cutAtOffsets, everySplit } from '../../support/splits.js'

type Side = 'request' | 'response'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const read = (text: string, side: Side) => readH1([bytes(text)], { side })

const HOST = 'Host: a.test\r\n'
const GET = `GET /a?b HTTP/1.1\r\n${HOST}`

describe('a request head', () => {
  it('is told by method, target, version and fields, as they came', () => {
    const text = `POST /v1/x?y=%20#z HTTP/1.1\r\nHost:a.test:8443 \r\nX-a:\t b  c\t\r\nx-A:\r\n\r\n`
    const { messages, rest } = read(text, 'request')
    assert.equal(rest, 'nothing')
    assert.deepEqual(messages, [
      {
        start: ['POST', '/v1/x?y=%20#z', 'HTTP/1.1'],
        fields: ['Host', 'a.test:8443', 'X-a', 'b  c', 'x-A', ''],
        body: '',
        trailers: [],
        persists: true,
        upgrade: false,
        end: text.length,
      },
    ])
  })

  it('may stand behind empty lines', () => {
    const { messages } = read(`\r\n\r\n${GET}\r\n`, 'request')
    assert.deepEqual(messages[0]?.start, ['GET', '/a?b', 'HTTP/1.1'])
  })

  it('may name its host in the target of CONNECT alone', () => {
    const { messages } = read('CONNECT a.test:443 HTTP/1.1\r\nX: y\r\n\r\n', 'request')
    assert.deepEqual(messages[0]?.start, ['CONNECT', 'a.test:443', 'HTTP/1.1'])
  })

  it('keeps bytes beyond ASCII in a value', () => {
    const { messages } = read(`${GET}X: \xe9\xff\r\n\r\n`, 'request')
    assert.equal(messages[0]?.fields[3], '\xe9\xff')
  })

  for (const method of METHODS) {
    it(`may say ${method}`, () => {
      assert.ok(NODE_METHODS.includes(method), 'Node does not know it')
      const target = method === 'CONNECT' ? 'a.test:443' : '/'
      const { messages } = read(`${method} ${target} HTTP/1.1\r\n${HOST}\r\n`, 'request')
      assert.equal(messages[0]?.start[0], method)
    })
  }

  for (const target of [
    '/',
    '*',
    'http://a.test',
    'https://a.test:1/b?c',
    'http://[::1]?d',
  ]) {
    it(`may ask for ${target}`, () => {
      const { messages } = read(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`, 'request')
      assert.equal(messages[0]?.start[1], target)
    })
  }

  for (const [lines, persists] of [
    ['HTTP/1.1\r\n', true],
    ['HTTP/1.0\r\n', false],
    ['HTTP/1.0\r\nConnection: keep-alive\r\n', true],
    ['HTTP/1.0\r\nConnection: x,\tKeep-Alive ,\r\n', true],
    ['HTTP/1.1\r\nConnection: CLOSE\r\n', false],
    ['HTTP/1.1\r\nConnection: keep-alive\r\nConnection: x, close\r\n', false],
    ['HTTP/1.1\r\nProxy-Connection: close\r\n', false],
    ['HTTP/1.0\r\nProxy-Connection: keep-alive\r\n', true],
    ['HTTP/1.1\r\nConnection: close-not\r\n', true],
  ] as const) {
    it(`${persists ? 'keeps' : 'ends'} the connection by ${JSON.stringify(lines)}`, () => {
      const { messages } = read(`GET / ${lines}${HOST}\r\n`, 'request')
      assert.equal(messages[0]?.persists, persists)
    })
  }

  it('asks for an upgrade by both of its fields only', () => {
    const asks = (...fields: string[]): boolean | undefined =>
      read(`${GET}${fields.map((f) => `${f}\r\n`).join('')}\r\n`, 'request').messages[0]
        ?.upgrade
    assert.equal(asks('Connection: Upgrade', 'Upgrade: websocket'), true)
    assert.equal(asks('Upgrade: websocket', 'Connection: a, upgrade'), true)
    assert.equal(asks('Upgrade: websocket'), false)
    assert.equal(asks('Connection: Upgrade'), false)
  })
})

describe('a response head', () => {
  for (const [line, start] of [
    ['HTTP/1.1 200 OK', ['HTTP/1.1', '200', 'OK']],
    ['HTTP/1.0 999 ', ['HTTP/1.0', '999', '']],
    ['HTTP/1.1 301', ['HTTP/1.1', '301', '']],
    ['HTTP/1.1 500 L\xe0 \t s ', ['HTTP/1.1', '500', 'L\xe0 \t s ']],
  ] as const) {
    it(`may begin ${JSON.stringify(line)}`, () => {
      const { messages } = read(`${line}\r\nContent-Length: 0\r\n\r\n`, 'response')
      assert.deepEqual(messages[0]?.start, start)
    })
  }
})

/** RFC 9112 names each; where it lets a recipient repair, refusing is allowed as well. */
const REFUSED: readonly (readonly [Side, string, string])[] = [
  // §2.2: line ends
  ['request', 'line-end', `\r${GET}\r\n`],
  ['request', 'method', `\n${GET}\r\n`],
  ['request', 'line-end', `GET / HTTP/1.1\n${HOST}\r\n`],
  ['request', 'line-end', `GET / HTTP/1.1\rX\n${HOST}\r\n`],
  ['request', 'field-value', `GET / HTTP/1.1\r\nHost: a\n\r\n`],
  ['request', 'line-end', `${GET}X: 1\rY: 2\r\n\r\n`],
  ['request', 'line-end', `${GET}X: 1\r\r\n\r\n`],
  ['request', 'line-end', `${GET}\rabc`],
  ['response', 'line-end', 'HTTP/1.1 200 OK\r\rContent-Length: 0\r\n\r\n'],
  ['response', 'line-end', 'HTTP/1.1 200 OK\r\r\n\r\n'],
  ['response', 'reason-phrase', 'HTTP/1.1 200 OK\n\n'],
  ['response', 'version', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  // §2.2: blanks between the start line and the first field; §5.2: folded lines
  ['request', 'folded-line', `GET / HTTP/1.1\r\n ${HOST}\r\n`],
  ['request', 'folded-line', `${GET}X: 1\r\n 2\r\n\r\n`],
  ['request', 'folded-line', `${GET}X: 1\r\n\t2\r\n\r\n`],
  ['response', 'folded-line', 'HTTP/1.1 200 OK\r\n Host: foo\r\n\r\n'],
  // §2.3, §3: the start line
  ['request', 'version', `GET / HTTP/2.0\r\n${HOST}\r\n`],
  ['request', 'version', `GET / HTTP/1.2\r\n${HOST}\r\n`],
  ['request', 'version', `GET / http/1.1\r\n${HOST}\r\n`],
  ['request', 'line-end', `GET / HTTP/1.1 \r\n${HOST}\r\n`],
  ['request', 'line-end', `GET / HTTP/1.11\r\n${HOST}\r\n`],
  ['request', 'target', `GET\u0020\u0020/ HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'version', `GET /  HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'method', `GET\t/ HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET /\t HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', 'GET /\r\n\r\n'],
  ['request', 'method', `get / HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'method', `G@T / HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'method', `ASK / HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'method', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ['request', 'method', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['request', 'method', 'X'.repeat(21)],
  ['request', 'target', `GET a/b HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET http:/a HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET http://u@a.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET http:///a HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `GET *a HTTP/1.1\r\n${HOST}\r\n`],
  ['request', 'target', `CONNECT /a HTTP/1.1\r\n${HOST}\r\n`],
  // §4: the status line
  ['response', 'version', 'HTP/1.1 200 OK\r\n\r\n'],
  ['response', 'version', 'SSH-2.0-OpenSSH\r\n'],
  ['response', 'version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['response', 'version', 'HTTP/1.1\t200 OK\r\n\r\n'],
  ['response', 'status', 'HTTP/1.1 099 Odd\r\n\r\n'],
  ['response', 'status', 'HTTP/1.1 2 OK\r\n\r\n'],
  ['response', 'status', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['response', 'reason-phrase', 'HTTP/1.1 200 O\x00K\r\n\r\n'],
  // §5.1: a blank before the colon; no name; no colon
  ['request', 'field-name', `${GET}X : 1\r\n\r\n`],
  ['request', 'field-name', `${GET}: 1\r\n\r\n`],
  ['request', 'field-name', `${GET}X\r\n\r\n`],
  ['request', 'field-name', `${GET}X\xe9: 1\r\n\r\n`],
  ['response', 'field-name', 'HTTP/1.1 200 OK\r\nX : 1\r\n\r\n'],
  // §5.5 of RFC 9110: controls in values
  ['request', 'field-value', `${GET}X: a\x00b\r\n\r\n`],
  ['request', 'field-value', `${GET}X: a\x7fb\r\n\r\n`],
  ['request', 'field-value', `${GET}X: a\x1bb\r\n\r\n`],
  // §3.2: other than one Host
  ['request', 'host', 'GET / HTTP/1.1\r\n\r\n'],
  ['request', 'host', `${GET}${HOST}\r\n`],
  ['request', 'host', `CONNECT a.test:443 HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ['request', 'host', `GET / HTTP/1.0\r\n${HOST}host: b.test\r\n\r\n`],
  ['request', 'target', `GET ht4p://a.test/ HTTP/1.1\r\n${HOST}\r\n`],
  // RFC 9110 §9.3.6: CONNECT has no content
  [
    'request',
    'connect-body',
    `CONNECT a.test:443 HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\n`,
  ],
  [
    'request',
    'connect-body',
    `CONNECT a.test:443 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
  ],
  // §6.1: codings
  ...[
    'gzip, chunked',
    'chunked, chunked',
    'chunked,',
    ',chunked',
    'identity',
    '',
  ].flatMap((coding) => [
    [
      'request',
      'transfer-encoding',
      `${GET}Transfer-Encoding: ${coding}\r\n\r\n`,
    ] as const,
    [
      'response',
      'transfer-encoding',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n`,
    ] as const,
  ]),
  ['request', 'transfer-encoding', `${GET}Transfer-Encoding: "chunked"\r\n\r\n`],
  ['request', 'transfer-encoding', `${GET}Transfer-Encoding: chunked;q=1\r\n\r\n`],
  ['request', 'transfer-encoding', `${GET}Transfer-Encoding: xchunked\r\n\r\n`],
  [
    'request',
    'transfer-encoding',
    `${GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ],
  [
    'request',
    'transfer-encoding',
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
  ],
  [
    'response',
    'transfer-encoding',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  // §6.3: both framings, lengths that are none or more than one
  [
    'request',
    'two-framings',
    `${GET}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ],
  [
    'response',
    'two-framings',
    'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n',
  ],
  ...[
    '+2',
    '-2',
    '2, 2',
    '2,2',
    '0x2',
    '2.0',
    '1e1',
    '2 2',
    '',
    '\xb2',
    '1'.repeat(16),
  ].map(
    (length) =>
      ['request', 'content-length', `${GET}Content-Length: ${length}\r\n\r\n`] as const,
  ),
  ['request', 'content-length', `${GET}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`],
  // RFC 9110 §15.2: no body, and servers must not say one (§8.6); llhttp reads that of a 199
  ['response', 'informational-body', 'HTTP/1.1 199 X\r\nContent-Length: 2\r\n\r\nab'],
  [
    'response',
    'informational-body',
    'HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['response', 'content-length', 'HTTP/1.1 204 N\r\nContent-Length: x\r\n\r\n'],
]

describe('a head that could be read in two ways', () => {
  for (const [side, problem, text] of REFUSED) {
    it(`is refused: ${side} ${JSON.stringify(text.slice(0, 90))}`, () => {
      const got = read(text, side)
      assert.deepEqual(
        {
          messages: got.messages,
          partial: got.partial,
          rest: got.rest,
          why: got.problem,
        },
        { messages: [], partial: undefined, rest: 'malformed', why: problem },
      )
    })
  }

  it('is refused at the same byte however it is cut', () => {
    for (const [side, , text] of REFUSED) {
      const once = new HeadScanner(side, LIMITS)
      const at = once.push(bytes(text), 0, text.length)
      for (const step of [1, 2, 3, 7]) {
        const scanner = new HeadScanner(side, LIMITS)
        let end = 0
        for (
          let from = 0;
          scanner.progress === MORE && from < text.length;
          from += step
        ) {
          const piece = bytes(text.slice(from, from + step))
          end = from + scanner.push(piece, 0, piece.length)
        }
        const got = [scanner.progress, scanner.problem, end]
        assert.deepEqual(got, [BAD, once.problem, at], JSON.stringify(text))
      }
    }
  })
})

describe('the size of a head', () => {
  const head = (size: number): string =>
    `${GET}X: ${'x'.repeat(size - GET.length - 7)}\r\n\r\n`

  for (const step of [1, 1000, 1_000_000]) {
    it(`is bounded, to the byte, in pieces of ${step}`, () => {
      for (const [size, right] of [
        [LIMITS.maxHeadBytes, WHOLE],
        [LIMITS.maxHeadBytes + 1, BAD],
        [LIMITS.maxHeadBytes * 3, BAD],
      ] as const) {
        const text = head(size)
        const scanner = new HeadScanner('request', LIMITS)
        for (let at = 0; scanner.progress === MORE && at < text.length; at += step)
          scanner.push(bytes(text), at, Math.min(at + step, text.length))
        assert.equal(scanner.progress, right)
        assert.equal(scanner.problem, right === BAD ? 'head-too-large' : undefined)
      }
    })
  }

  it('counts empty lines before it', () => {
    const scanner = new HeadScanner('request', LIMITS)
    const lines = bytes('\r\n'.repeat(LIMITS.maxHeadBytes))
    scanner.push(lines, 0, lines.length)
    assert.equal(scanner.problem, 'head-too-large')
  })

  it('costs one look at each byte, however small the pieces are', () => {
    const limits = { maxHeadBytes: 4 * 1024 * 1024 }
    const text = bytes(`${GET}X: ${'x'.repeat(limits.maxHeadBytes - 1000)}\r\n\r\n`)
    const scanner = new HeadScanner('request', limits)
    // With a second look at what had come before, these would be 10^13 steps.
    for (let at = 0; at < text.length; at++) scanner.push(text, at, at + 1)
    assert.equal(scanner.progress, WHOLE)
  })
})

describe('heads one after another', () => {
  const GOOD = [
    `${GET}\r\n`,
    `POST /x HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\n\r\n`,
    `PUT http://a.test/y HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  ]

  it('are told apart: nothing of one is left in the next', () => {
    const scanner = new HeadScanner('request', LIMITS)
    const text = bytes(GOOD.join(''))
    let at = 0
    const told: unknown[] = []
    while (at < text.length) {
      at = scanner.push(text, at, text.length)
      const { head } = scanner
      told.push([head.method, head.contentLength, head.hosts, head.minor, head.persists])
      scanner.reset()
    }
    assert.deepEqual(told, [
      ['GET', -1, 1, 1, true],
      ['POST', 3, 1, 1, true],
      ['PUT', -1, 0, 0, true],
    ])
  })

  it('are the same in any two pieces, and byte by byte', () => {
    const text = bytes(`${GOOD[0]}\r\n${GOOD[2]}${GOOD[0]}`)
    const whole = readH1([text], { side: 'request' })
    assert.equal(whole.messages.length, 3)
    for (const pieces of everySplit(text))
      assert.deepEqual(readH1(pieces as Buffer[], { side: 'request' }), whole)
  })

  const alphabet = [...'GET / HTTP/1.1\r\n:aA0,; \t\x00\xff'].map((c) => c.charCodeAt(0))
  const noise = fc.array(fc.constantFrom(...alphabet), { maxLength: 40 })
  holds(
    'are the same in any pieces, good or not',
    fc.property(
      fc.constantFrom(...GOOD, ...REFUSED.map(([, , text]) => text)),
      noise,
      fc.nat(100),
      fc.array(fc.nat(300), { maxLength: 8 }),
      (text, extra, place, cuts) => {
        const at = place % (text.length + 1)
        const input = Buffer.concat([
          bytes(text.slice(0, at)),
          Buffer.from(extra),
          bytes(text.slice(at)),
        ])
        for (const side of ['request', 'response'] as const) {
          const whole = readH1([input], { side })
          const pieces = cutAtOffsets(input, cuts) as Buffer[]
          assert.deepEqual(readH1(pieces, { side }), whole)
        }
      },
    ),
    { runs: 2000 },
  )
})
