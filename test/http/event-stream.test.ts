import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { crc32 } from '../../src/http/crc32.js'
import { EventStreamReader } from '../../src/http/event-stream.js'
import { everySplit } from '../support/splits.js'

/**
 * Two messages from the published test vectors of the format (aws-sdk, `empty_message` and
 * `payload_one_str_header`), checksums included.
 */
const EMPTY = Buffer.from('000000100000000005c248eb7d98c8ff', 'hex')
const JSON_MESSAGE = Buffer.concat([
  Buffer.from('0000003d0000002007fd8396', 'hex'),
  Buffer.from('0c636f6e74656e742d74797065070010', 'hex'),
  Buffer.from('application/json'),
  Buffer.from("{'foo':'bar'}"),
  Buffer.from('8d9c08b1', 'hex'),
])

function readAll(reader: EventStreamReader, chunks: readonly Uint8Array[]) {
  return chunks
    .flatMap((chunk) => reader.push(chunk))
    .map((message) => [Object.fromEntries(message.headers), message.payload.toString()])
}

const EXPECTED = [
  [{}, ''],
  [{ 'content-type': 'application/json' }, "{'foo':'bar'}"],
]

describe('EventStreamReader', () => {
  it('YORI reads the published vectors at every split', () => {
    const bytes = Buffer.concat([EMPTY, JSON_MESSAGE, EMPTY])
    for (const chunks of everySplit(bytes)) {
      const reader = new EventStreamReader()
      assert.deepEqual(readAll(reader, chunks), [...EXPECTED, [{}, '']])
      assert.equal(reader.end(), true)
    }
  })

  it('YORI stops at a checksum that does not fit, wherever the byte was changed', () => {
    for (let at = 0; at < JSON_MESSAGE.length; at++) {
      const bytes = Buffer.from(JSON_MESSAGE)
      bytes[at] = (bytes[at] ?? 0) ^ 0x01
      const reader = new EventStreamReader()
      assert.deepEqual(readAll(reader, [bytes, JSON_MESSAGE]), [])
      assert.equal(reader.broken, true)
      assert.equal(reader.end(), false)
    }
  })

  it('YORI says that a stream was cut off inside a message', () => {
    const reader = new EventStreamReader()
    assert.deepEqual(readAll(reader, [EMPTY, JSON_MESSAGE.subarray(0, 20)]).length, 1)
    assert.equal(reader.end(), false)
    assert.equal(reader.broken, false)
  })

  it('YORI skips and counts a message over its limit, and reads the next', () => {
    const bytes = Buffer.concat([JSON_MESSAGE, EMPTY])
    for (const chunks of everySplit(bytes)) {
      const reader = new EventStreamReader({ maxMessageBytes: 60, maxHeaders: 8 })
      assert.deepEqual(readAll(reader, chunks), [[{}, '']])
      assert.equal(reader.skipped, 1)
      assert.equal(reader.end(), true)
    }
  })

  it('YORI refuses more headers than its limit', () => {
    const reader = new EventStreamReader({ maxMessageBytes: 100, maxHeaders: 0 })
    assert.deepEqual(readAll(reader, [JSON_MESSAGE]), [])
    assert.equal(reader.broken, true)
  })
})

describe('crc32', () => {
  it('YORI agrees with the checksum that gzip writes', () => {
    for (const text of ['', 'a', '123456789', 'é€😀'.repeat(100)]) {
      const zipped = gzipSync(text)
      assert.equal(crc32(Buffer.from(text)), zipped.readUInt32LE(zipped.length - 8))
    }
  })
})
