/** Protocol Buffers without their description; the bytes are protobufjs'. */
import assert from 'node:assert/strict'
import { atOnce } from '../../src/core/resting.js'
import { fieldsOf } from '../../src/protobuf/wire.js'
import type { ProtoField } from '../../src/protobuf/wire.js'
import { writer } from '../support/llm-protos.js'

function read(bytes: Uint8Array, left = 100) {
  return atOnce(fieldsOf(Buffer.from(bytes), { left }))
}

function listed(bytes: Uint8Array): readonly ProtoField[] {
  const fields = read(bytes)
  assert.ok(fields !== undefined && fields !== 'too-many')
  return fields
}

describe('the fields of a message', () => {
  it('are told by their numbers and forms', () => {
    const bytes = writer()
      .uint32((1 << 3) | 0)
      .uint64('18446744073709551615')
      .uint32((2 << 3) | 1)
      .double(4111111111111111)
      .uint32((16 << 3) | 2)
      .string('hello')
      .uint32((5 << 3) | 5)
      .float(1)
      .finish()
    const fields = listed(bytes)
    assert.deepEqual(
      fields.map(({ kind, number }) => [number, kind]),
      [
        [1, 'varint'],
        [2, 'fixed64'],
        [16, 'bytes'],
        [5, 'fixed32'],
      ],
    )
    assert.deepEqual(fields[0], { kind: 'varint', number: 1, value: 2n ** 64n - 1n })
    const [, , text] = fields
    assert.equal(text?.kind === 'bytes' && text.bytes.toString(), 'hello')
  })

  it('of a group stand in it', () => {
    const bytes = Buffer.from([0x0b, 0x12, 0x02, 0x68, 0x69, 0x0c, 0x18, 0x01])
    const fields = listed(bytes)
    assert.deepEqual(
      fields.map(({ kind, number }) => [number, kind]),
      [
        [1, 'group'],
        [3, 'varint'],
      ],
    )
  })

  it('are none where the bytes are no message', () => {
    for (const bytes of [
      'word',
      '{"a":1}',
      [0x0a, 0x05, 0x61],
      [0x07],
      [0x00, 0x01],
      [0x0b, 0x10, 0x01],
      [0x0c],
      [0x08, ...Array.from({ length: 11 }, () => 0x80)],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ])
      assert.equal(read(Buffer.from(bytes as string)), undefined, String(bytes))
  })

  it('cut anywhere are no message, but at the end of a field', () => {
    const bytes = writer().uint32(10).string('hello').uint32(24).int32(300).finish()
    const whole = [0, 7, bytes.length]
    for (let at = 0; at <= bytes.length; at++)
      assert.equal(read(bytes.subarray(0, at)) !== undefined, whole.includes(at), `${at}`)
  })

  it('are counted: one more than may be read is too many', () => {
    const bytes = Buffer.from([0x08, 1, 0x08, 2, 0x08, 3])
    assert.equal(read(bytes, 4)?.length, 3)
    assert.equal(read(bytes, 3)?.length, 3)
    assert.equal(read(bytes, 2), 'too-many')
  })
})
