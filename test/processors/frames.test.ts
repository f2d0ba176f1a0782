import assert from 'node:assert/strict'
import { FrameReader, frame } from '../../src/processors/uds-frames.js'
import { frameOf } from '../support/uds-agent.js'

/** As the published protocol has them: length of type and payload, big-endian. */
const PING = Buffer.from('0000000341abcd', 'hex')
const EMPTY_PONG = Buffer.from('0000000142', 'hex')

function readAll(chunks: readonly Buffer[], most = 1024): string[] {
  const reader = new FrameReader(most)
  return chunks.flatMap((chunk) =>
    [...reader.push(chunk)].map(
      ({ type, payload }) => `${type.toString(16)} ${payload.toString('hex')}`,
    ),
  )
}

describe('a frame of the agent protocol', () => {
  it('is written as others write it', () => {
    assert.deepEqual(frame(0x41, Buffer.from('abcd', 'hex')), PING)
    assert.deepEqual(frame(0x42, ''), EMPTY_PONG)
    assert.deepEqual(frame(0x20, '{"ü":1}'), frameOf(0x20, '{"ü":1}'))
  })

  it('is read however its bytes are cut', () => {
    const bytes = Buffer.concat([PING, EMPTY_PONG, PING])
    const whole = ['41 abcd', '42 ', '41 abcd']
    for (let size = 1; size <= bytes.length; size++) {
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size)
        chunks.push(bytes.subarray(at, at + size))
      assert.deepEqual(readAll(chunks), whole)
    }
  })

  it('is refused before it is read where it is too long, or none', () => {
    assert.deepEqual(readAll([frameOf(1, 'abcd')], 4), ['1 61626364'])
    for (const head of ['4000000020', '0000000620', '0000000020'])
      assert.throws(() => readAll([Buffer.from(head, 'hex')], 4), {
        name: 'ProcessorFailure',
      })
  })
})
