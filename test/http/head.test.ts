import assert from 'node:assert/strict'
import fc from 'fast-check'
import { authorityHost, readRequestHead, readResponseHead } from '../../src/http/head.js'
import { reduceAcceptEncoding, splitAuthority } from '../../src/http/head.js'
import { holds } from '../support/property.js'

const response = (...fields: string[]) => readResponseHead(fields)

describe('a request head', () => {
  it('passes end-to-end fields with their spelling, order and repetition', () => {
    const head = readRequestHead([
      ...['X-B', '1', 'Host', 'a.test', 'x-a', '2', 'X-B', '3'],
      ...['Cookie', 'c=1', 'Authorization', 'Bearer k', 'X-Empty', ''],
    ])
    assert.deepEqual(head.fields, [
      ...['X-B', '1', 'x-a', '2', 'X-B', '3'],
      ...['Cookie', 'c=1', 'Authorization', 'Bearer k', 'X-Empty', ''],
    ])
    assert.deepEqual(head.hosts, ['a.test'])
  })

  // RFC 9110 §7.6.1, and what is ours to frame.
  for (const name of [
    ...['Connection', 'Keep-Alive', 'Proxy-Authenticate', 'Proxy-Authorization'],
    ...['Proxy-Connection', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade'],
    ...['Host', 'Content-Length', 'Expect', 'X-YORI-Override', 'HTTP2-Settings'],
  ]) {
    it(`does not pass ${name}, in any letters`, () => {
      for (const spelt of [name, name.toLowerCase(), name.toUpperCase()]) {
        assert.deepEqual(readRequestHead([spelt, '1', 'X-Kept', '1']).fields, [
          'X-Kept',
          '1',
        ])
      }
    })
  }

  it('drops what Connection names, in all its fields, wherever they stand', () => {
    const head = readRequestHead([
      ...['X-One', '1', 'Connection', 'close, X-One', 'X-Two', '2', 'X-Three', '3'],
      ...['connection', ' x-two ,, X-Missing', 'User-Agent', 'u'],
    ])
    assert.deepEqual(head.fields, ['X-Three', '3', 'User-Agent', 'u'])
  })

  it('knows length, chunking and the fields that are read', () => {
    const head = readRequestHead([
      ...['Content-Length', '12', 'Content-Type', 'a/b', 'content-encoding', 'gzip'],
      ...['User-Agent', 'u/1', 'Accept', '*/*', 'Proxy-Authorization', 'Basic eA=='],
      ...['Host', 'a', 'HOST', 'b'],
    ])
    assert.equal(head.contentLength, 12)
    assert.equal(head.chunked, false)
    assert.equal(head.contentType, 'a/b')
    assert.equal(head.contentEncoding, 'gzip')
    assert.equal(head.userAgent, 'u/1')
    assert.equal(head.accept, '*/*')
    assert.equal(head.proxyAuthorization, 'Basic eA==')
    assert.deepEqual(head.hosts, ['a', 'b'])
    assert.equal(readRequestHead(['transfer-encoding', 'chunked']).chunked, true)
  })
})

describe('a response head', () => {
  it('passes everything but hop-by-hop fields, what Connection names, and Alt-Svc', () => {
    const head = response(
      ...['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Connection', 'keep-alive, X-Hop'],
      ...['X-Hop', '1', 'Keep-Alive', 'timeout=5', 'Alt-Svc', 'h3=":443"'],
      ...['Transfer-Encoding', 'chunked', 'Upgrade', 'h2', 'Content-Type', 'text/plain'],
      ...['Content-Length', '5', 'X-Ünicode', 'ä'],
    )
    assert.deepEqual(head.fields, [
      ...['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Content-Type', 'text/plain'],
      ...['Content-Length', '5', 'X-Ünicode', 'ä'],
    ])
    assert.equal(head.contentType, 'text/plain')
    assert.equal(head.contentLength, 5)
  })
})

describe('Accept-Encoding', () => {
  for (const [offered, expected] of [
    ['gzip, deflate, br, zstd', 'gzip, deflate, br'],
    ['zstd', 'identity'],
    ['zstd;q=1, gzip;q=0.5', 'gzip;q=0.5'],
    ['dcb, dcz', 'identity'],
    ['*', 'identity'],
    ['gzip, *', 'gzip'],
    ['gzip, *;q=0', 'gzip, *;q=0'],
    ['identity;q=0, *; q=0.000', 'identity;q=0, *; q=0.000'],
    ['GZip , x-gzip', 'GZip , x-gzip'],
    ['', ''],
  ] as const) {
    it(`${JSON.stringify(offered)} becomes ${JSON.stringify(expected)}`, () => {
      assert.equal(reduceAcceptEncoding(offered), expected)
    })
  }
})

describe('Accept-Encoding that is signed', () => {
  const aws = (fields: string): string =>
    `AWS4-HMAC-SHA256 Credential=a/20260101/b/c/aws4_request, SignedHeaders=${fields}, Signature=0f`
  const codings = 'gzip, zstd'
  for (const [what, name, value, kept] of [
    ['by SigV4', 'Authorization', aws('accept-encoding;host;x-amz-date'), true],
    ['by SigV4 last', 'authorization', aws('a;accept-encoding'), true],
    ['by SigV4A', 'Authorization', aws('accept-encoding').replace('HMAC', 'ECDSA'), true],
    [
      'by RFC 9421',
      'Signature-Input',
      'sig1=("@method" "accept-encoding");keyid="k"',
      true,
    ],
    ['but another field', 'Authorization', aws('x-accept-encoding;host'), false],
    ['by nobody: a key', 'Authorization', 'Bearer SignedHeaders=accept-encoding', false],
    ['by RFC 9421 but another', 'Signature-Input', 'sig1=("x-accept-encoding")', false],
  ] as const) {
    it(`${what} is ${kept ? 'left alone' : 'reduced'}, wherever it stands`, () => {
      const expected = kept ? codings : 'gzip'
      for (const list of [
        ['Accept-Encoding', codings, name, value],
        [name, value, 'accept-encoding', codings],
      ]) {
        const { fields } = readRequestHead(list)
        const at = fields.findIndex((text) => /^accept-encoding$/i.test(text))
        assert.equal(fields[at + 1], expected)
      }
    })
  }
})

describe('an authority', () => {
  for (const [value, expected] of [
    ['api.test', 'api.test'],
    ['API.Test.', 'api.test'],
    ['api.test:443', 'api.test'],
    ['api.test.:443', 'api.test'],
    ['api.test:', 'api.test'],
    ['api.test:80', undefined],
    ['', undefined],
    [':443', undefined],
    ['.', undefined],
  ] as const) {
    it(`${JSON.stringify(value)} names ${expected ?? 'no host'}`, () => {
      assert.equal(authorityHost(value, 443), expected)
    })
  }

  for (const [value, expected] of [
    ['a.test:443', ['a.test', 443]],
    ['a.test', ['a.test', undefined]],
    ['a.test:', ['a.test', undefined]],
    ['[2001:db8::1]:8443', ['2001:db8::1', 8443]],
    ['[::1]', ['::1', undefined]],
    ['[::1', undefined],
    ['[::1]x', undefined],
    ['[::1]x:443', undefined],
    ['[]', undefined],
    ['[]:443', undefined],
    ['a:0', undefined],
    ['a:65536', undefined],
    ['a:4 43', undefined],
    ['a:+443', undefined],
    ['::1', undefined],
    ['a:1:2', undefined],
    ['', undefined],
    [':443', undefined],
  ] as const) {
    it(`${JSON.stringify(value)} splits into ${JSON.stringify(expected ?? 'nothing')}`, () => {
      const split = splitAuthority(value)
      assert.deepEqual(
        split === undefined ? undefined : [split.host, split.port],
        expected,
      )
    })
  }

  holds(
    'of any text splits into a host without colons outside of brackets, or not at all',
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 20 }), (text) => {
      const split = splitAuthority(text)
      if (split === undefined) return
      assert.notEqual(split.host, '')
      if (!text.startsWith('[')) assert.ok(!split.host.includes(':'))
      if (split.port !== undefined) assert.ok(split.port >= 1 && split.port <= 65_535)
    }),
  )
})
