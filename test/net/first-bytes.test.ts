import assert from 'node:assert/strict'
import { FirstBytesReader } from '../../src/net/first-bytes.js'
import {
  hello,
  helloMessage,
  inRecords,
  extension,
  filled,
  sni,
} from '../support/hello-builder.js'

function kindOf(text: string): string | undefined {
  return new FirstBytesReader(65_536).push(Buffer.from(text, 'latin1'))?.kind
}

describe('the first bytes', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['GET / HTTP/1.1\r\n', 'http'],
    ['CONNECT a.test:443 HTTP/1.1\r\n', 'http'],
    ['PROPFIND /', 'http'],
    ['M-SEARCH * HTTP/1.1', 'http'],
    ['get /', 'http'],
    ['M09az /', 'http'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http'],
    ['M:/ /', 'other'],
    [`${'A'.repeat(32)} /`, 'http'],
    [`${'A'.repeat(33)} /`, 'other'],
    ['A'.repeat(33), 'other'],
    ['A'.repeat(32), undefined],
    ['GET', undefined],
    [' GET /', 'other'],
    ['GET\t/', 'other'],
    ['GET\r\n', 'other'],
    ['G@T /', 'other'],
    ['G\u00c9T /', 'other'],
    ['SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'other'],
    ['\r\n', 'other'],
    ['{"a":1}', 'other'],
    ['\u0000', 'other'],
    ['\u0015\u0003\u0003', 'other'],
    ['\u0016\u0003', undefined],
    ['\u0016\u0003\u0003\u0000\u0004\u0002', 'malformed'],
  ]
  for (const [text, kind] of table) {
    it(`${JSON.stringify(text.slice(0, 24))} are ${kind ?? 'not enough'}`, () => {
      assert.equal(kindOf(text), kind)
    })
  }

  it("tell HTTP/2's preface from a method", () => {
    for (const [text, isH2] of [
      ['PRI * HTTP/2.0\r\n', true],
      ['PRINT * HTTP/1.1\r\n', undefined],
    ] as const) {
      const verdict = new FirstBytesReader(65_536).push(Buffer.from(text))
      assert.ok(verdict?.kind === 'http')
      assert.equal(verdict.speaksH2, isH2)
    }
  })

  it('give the same verdict however they are cut, and the same bytes', () => {
    const streams = [
      hello(sni('a.test')),
      ...table.map(([text]) => Buffer.from(text, 'latin1')),
    ]
    for (const stream of streams) {
      const whole = new FirstBytesReader(65_536).push(stream)
      for (let at = 1; at < stream.length; at++) {
        const reader = new FirstBytesReader(65_536)
        const first = reader.push(stream.subarray(0, at))
        if (first !== undefined) {
          assert.equal(first.kind, whole?.kind)
          continue
        }
        assert.deepEqual(reader.push(stream.subarray(at)), whole)
        assert.deepEqual(Buffer.from(reader.bytes), stream)
      }
    }
  })

  it('are kept without a copy when they come in one piece', () => {
    const chunk = hello(sni('a.test'))
    const reader = new FirstBytesReader(65_536)
    reader.push(chunk)
    assert.equal(reader.bytes.buffer, chunk.buffer)
    assert.equal(reader.bytes.byteOffset, chunk.byteOffset)
  })

  it('never write into a chunk that came from outside', () => {
    const slab = Buffer.alloc(64, 0x2e)
    slab.set([0x16, 3, 1], 0)
    const reader = new FirstBytesReader(65_536)
    reader.push(slab.subarray(0, 3))
    reader.push(Buffer.from([0, 9]))
    assert.equal(slab[3], 0x2e)
  })

  it('that come one by one are moved few times', () => {
    const message = helloMessage({ extensions: [extension(21, filled(16_000, 0))] })
    const stream = inRecords(message)
    const reader = new FirstBytesReader(65_536)
    const buffers = new Set<ArrayBufferLike>()
    for (let i = 0; i < stream.length; i++) {
      reader.push(stream.subarray(i, i + 1))
      buffers.add(reader.bytes.buffer)
    }
    assert.ok(buffers.size <= 8, `${buffers.size} buffers`)
  })

  it('are malformed when the hello is not whole within the limit', () => {
    const stream = hello(sni('a.test'), extension(21, filled(400, 0)))
    assert.equal(new FirstBytesReader(stream.length).push(stream)?.kind, 'hello')
    const tight = new FirstBytesReader(stream.length - 1)
    assert.equal(tight.push(stream.subarray(0, 3)), undefined)
    assert.deepEqual(tight.push(stream.subarray(3)), {
      kind: 'malformed',
      reason: 'hello-too-long',
    })
    // Record headers count: the message is within the limit, the stream is not.
    const spread = inRecords(helloMessage({ extensions: [sni('a.test')] }), 1)
    const small = new FirstBytesReader(spread.length - 200)
    assert.equal(small.push(spread.subarray(0, spread.length - 200))?.kind, 'malformed')
  })

  it('at the end of the stream are another protocol unless they are half a hello', () => {
    const half = new FirstBytesReader(100)
    half.push(Buffer.from([0x16, 3]))
    assert.equal(half.atEnd(), undefined)
    const word = new FirstBytesReader(100)
    word.push(Buffer.from('QUIT'))
    assert.deepEqual(word.atEnd(), { kind: 'other' })
    assert.equal(new FirstBytesReader(100).atEnd(), undefined)
  })

  it('are told from other protocols where a server may take them for TLS', () => {
    // Alert and change of cipher (RFC 8446 §5.1), heartbeat (RFC 6520 §3).
    for (const hex of ['15', '1503', '15030300020164', '140303000101', '1803'])
      assert.deepEqual(verdictOf(hex), { kind: 'other', likeTls: true }, hex)
    for (const hex of ['1504', '13', '19', '0503', '0a'])
      assert.deepEqual(verdictOf(hex), { kind: 'other' }, hex)
    const begun = new FirstBytesReader(100)
    assert.equal(begun.push(Buffer.from('802e01', 'hex')), undefined)
    assert.deepEqual(begun.atEnd(), { kind: 'other', likeTls: true })
  })
})

function verdictOf(hex: string): unknown {
  return new FirstBytesReader(100).push(Buffer.from(hex, 'hex'))
}
