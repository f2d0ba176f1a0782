/** Messages of a body of gRPC, as doc/PROTOCOL-HTTP2.md has them, cut at every offset. */
import assert from 'node:assert/strict'
import { isInFrames, isProtobuf } from '../../src/http/grpc.js'
import { FrameEnds, frameOf, FrameReader, framesIn } from '../../src/http/grpc-frames.js'
import { boundTable } from '../support/bound-table.js'
import { everySplit } from '../support/splits.js'

const two = Buffer.concat([
  Buffer.from([0, 0, 0, 0, 3]),
  Buffer.from('abc'),
  Buffer.from([1, 0, 0, 0, 0]),
])

describe('messages of gRPC', () => {
  it('stand behind a flag and their length', () => {
    assert.deepEqual(
      framesIn(two)?.map(({ bytes, isCompressed }) => [bytes.toString(), isCompressed]),
      [
        ['abc', false],
        ['', true],
      ],
    )
    assert.deepEqual(frameOf(Buffer.from('abc')), two.subarray(0, 8))
    assert.deepEqual(framesIn(Buffer.alloc(0)), [])
  })

  it('that are cut are told as parts, and a head that is cut as nothing', () => {
    const parts = (bytes: Buffer) => framesIn(bytes)?.map(({ isPart }) => isPart)
    assert.deepEqual(parts(two.subarray(0, 7)), [true])
    assert.deepEqual(parts(two.subarray(0, 10)), [false])
    assert.deepEqual(parts(two.subarray(0, 3)), [])
  })

  it('of Connect and gRPC-Web may say how the call ended', () => {
    for (const flag of [2, 3, 128, 129]) {
      const [frame] = framesIn(Buffer.from([flag, 0, 0, 0, 1, 0x7b])) ?? []
      assert.equal(frame?.isEnd, true, String(flag))
      assert.equal(frame.isCompressed, flag % 2 === 1)
    }
  })

  it('are none in a body that is something else', () => {
    assert.equal(framesIn(Buffer.from('{"model":"x"}')), undefined)
    assert.equal(framesIn(Buffer.concat([two, Buffer.from('hello')])), undefined)
  })

  it('end where they end, however they come', () => {
    const bytes = Buffer.concat([two, two])
    for (const pieces of everySplit(bytes)) {
      const ends = new FrameEnds()
      assert.deepEqual(
        pieces.flatMap((piece) => ends.push(piece)),
        [8, 13, 21, 26],
      )
      assert.equal(ends.isBroken, false)
    }
    const other = new FrameEnds()
    other.push(two)
    other.push(Buffer.from('x'))
    assert.equal(other.isBroken, true)
  })

  it('are told by the type of their body', () => {
    for (const type of [
      'application/grpc',
      'application/grpc+proto; charset=x',
      'Application/gRPC-web+proto',
      'application/connect+proto',
    ])
      assert.equal(isInFrames(type), true, type)
    for (const type of ['application/grpcx', 'application/grpc-web-text', 'text/grpc'])
      assert.equal(isInFrames(type), false, type)
    for (const type of ['application/proto', 'application/x-protobuf; a=b'])
      assert.equal(isProtobuf(type), true, type)
    assert.equal(isProtobuf('application/protocol'), false)
  })
})

const MAX = 12

boundTable({
  'answers of gRPC': [
    {
      bound: 'maxBytes of a message',
      bytes: (over) => Buffer.concat([frameOf(Buffer.alloc(MAX + over, 'x')), two]),
      read: (pieces) => {
        const reader = new FrameReader(MAX)
        const frames = pieces.flatMap((piece) => reader.push(piece))
        return [frames.map(({ bytes }) => bytes.toString()), reader.skipped]
      },
      gives: [
        [['x'.repeat(MAX - 1), 'abc', ''], 0],
        [['x'.repeat(MAX), 'abc', ''], 0],
        [['abc', ''], 1],
      ],
    },
  ],
})
