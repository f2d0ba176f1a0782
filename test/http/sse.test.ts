import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SseReader } from '../../src/http/sse.js'
import type { SseEvent } from '../../src/http/sse.js'
import { cutAtOffsets, everySplit, readAll } from '../support/splits.js'
import { holds } from '../support/property.js'

function read(text: string | Uint8Array): SseEvent[] {
  return readAll(new SseReader(), [Buffer.from(text as string)])
}

function event(data: string, name = '', unterminated = false): SseEvent {
  return { event: name, data, unterminated }
}

describe('SseReader', () => {
  // The examples of WHATWG HTML 9.2.6 and what its text says beside them.
  const cases: readonly [string, string, SseEvent[]][] = [
    [
      'joins data lines by LF',
      'data: YHOO\ndata: +2\ndata: 10\n\n',
      [event('YHOO\n+2\n10')],
    ],
    [
      'drops comments, keeps one space of two, gives an empty data line',
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
      [event('first event'), event('second event'), event(' third event')],
    ],
    ['gives empty data and lone LF', 'data\n\ndata\ndata\n\n', [event(''), event('\n')]],
    [
      'takes one space after the colon',
      'data:test\n\ndata: test\n\n',
      [event('test'), event('test')],
    ],
    ['gives the event name', 'event: ping\ndata: {}\n\n', [event('{}', 'ping')]],
    ['drops an event without data', 'event: ping\n\ndata: 1\n\n', [event('1')]],
    ['reads CR alone', 'data: a\rdata: b\r\rdata: c\r\r', [event('a\nb'), event('c')]],
    ['reads CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', [event('a'), event('b')]],
    [
      'reads all three mixed',
      'data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r',
      [event('a\nb\nc'), event('d')],
    ],
    ['takes off one byte order mark', '\u{feff}data: a\n\n', [event('a')]],
    [
      'ignores other fields and odd names',
      'retry: 3\ndatax: 1\ndat: 2\nfoo\ndata: y\n\n',
      [event('y')],
    ],
    ['keeps characters outside ASCII whole', 'data: é€😀\n\n', [event('é€😀')]],
    [
      'marks what the end cuts off',
      'data: a\n\ndata: b',
      [event('a'), event('b', '', true)],
    ],
    ['gives nothing for nothing', '', []],
  ]
  for (const [title, text, expected] of cases) {
    it(`YORI ${title}, at every split`, () => {
      assert.deepEqual(read(text), expected)
      for (const chunks of everySplit(Buffer.from(text)))
        assert.deepEqual(readAll(new SseReader(), chunks), expected)
    })
  }

  it('YORI reads a second byte order mark as part of a field name', () => {
    assert.deepEqual(read('\u{feff}\u{feff}data: a\n\ndata: b\n\n'), [event('b')])
  })

  it('YORI replaces bytes that are no UTF-8, wherever they are split', () => {
    const bytes = Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xe2, 0x82, 0x0a, 0x0a])
    for (const chunks of everySplit(bytes))
      assert.deepEqual(readAll(new SseReader(), chunks), [event('\u{fffd}')])
  })

  it('YORI skips and counts an event over its limit, and reads the next', () => {
    const text = `data: ${'x'.repeat(20)}\ndata: y\n\ndata: ok\n\n`
    for (const chunks of everySplit(Buffer.from(text))) {
      const reader = new SseReader({ maxEventBytes: 20 })
      assert.deepEqual(readAll(reader, chunks), [event('ok')])
      assert.equal(reader.skipped, 1)
    }
  })

  it('YORI keeps an event of exactly the limit', () => {
    const text = 'data: 4567890\ndata: 1\n\n'
    for (const chunks of everySplit(Buffer.from(text))) {
      assert.equal(readAll(new SseReader({ maxEventBytes: 20 }), chunks).length, 1)
      assert.equal(readAll(new SseReader({ maxEventBytes: 19 }), chunks).length, 0)
    }
  })

  it('YORI shortens data that is long, and takes it in by what is left', () => {
    const long = JSON.stringify({
      image: 'A'.repeat(100),
      numbers: Array(40).fill(7),
      id: 5,
    })
    const text = `event: image\ndata: ${long}\n\ndata: {"next":1}\r\n\r\nid: ${'x'.repeat(350)}\ndata: 2\n\n`
    const limits = { maxEventBytes: 300, shortenBytes: 90 }
    for (const chunks of everySplit(Buffer.from(text))) {
      const reader = new SseReader(limits)
      const [image, next, ...more] = readAll(reader, chunks)
      assert.equal(image?.event, 'image')
      const value = JSON.parse(image.data) as {
        image: string
        numbers: number[]
        id: number
      }
      assert.equal(value.id, 5)
      assert.equal(value.image.length, 100)
      assert.ok(value.numbers.length < 40)
      assert.deepEqual(next, event('{"next":1}'))
      assert.deepEqual(more, [])
      assert.equal(reader.skipped, 1)
    }
  })

  it('YORI skips an event that stays too long when it is shortened', () => {
    const long = JSON.stringify(Array(100).fill({ a: 1 }))
    for (const chunks of everySplit(Buffer.from(`data: ${long}\n\ndata: 1\n\n`))) {
      const reader = new SseReader({ maxEventBytes: 140, shortenBytes: 90 })
      assert.deepEqual(readAll(reader, chunks), [event('1')])
      assert.equal(reader.skipped, 1)
    }
  })

  const piece = fc.constantFrom('data', ':', ' ', '\r', '\n', 'event', 'é', '{', 'x')
  holds(
    'YORI gives the same events for any bytes however they are cut',
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (pieces, offsets) => {
        const bytes = Buffer.from(pieces.join(''))
        const limits = { maxEventBytes: 12, shortenBytes: 9 }
        const whole = readAll(new SseReader(limits), [bytes])
        const cut = readAll(new SseReader(limits), cutAtOffsets(bytes, offsets))
        assert.deepEqual(cut, whole)
      },
    ),
    { runs: 300, failed: [492_287_761] },
  )
})
