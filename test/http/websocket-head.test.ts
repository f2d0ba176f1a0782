/** Frames that YORI itself sends, by the examples of RFC 6455 §5.7. */
import assert from 'node:assert/strict'
import { readFrameHead, textFrame } from '../../src/http/websocket-head.js'

describe('a text message in one frame', () => {
  for (const [text, head] of [
    ['Hello', '8105'],
    ['x'.repeat(125), '817d'],
    ['x'.repeat(126), '817e007e'],
    ['x'.repeat(256), '817e0100'],
    ['x'.repeat(65_535), '817effff'],
    ['x'.repeat(65_536), '817f0000000000010000'],
  ] as const)
    it(`of ${text.length} bytes has the head ${head}`, () => {
      const frame = textFrame(text)
      assert.equal(frame.toString('hex', 0, head.length / 2), head)
      assert.equal(frame.toString('utf8', head.length / 2), text)
      const read = readFrameHead(frame)
      assert.ok(typeof read === 'object')
      assert.equal(read.length, text.length)
    })

  it('counts bytes, not characters', () => {
    assert.equal(textFrame('四十二')[1], 9)
  })
})
