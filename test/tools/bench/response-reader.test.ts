/** A load generator that takes a wrong answer for a right one would measure nothing. */
import assert from 'node:assert/strict'
import { ResponseReader } from '../../../tools/bench/load/response-reader.js'

const sized = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'

describe('tools/bench/load/response-reader', () => {
  it('counts responses wherever the bytes are split', () => {
    const bytes = Buffer.from(sized + chunked + sized)
    for (let at = 0; at <= bytes.length; at++) {
      const reader = new ResponseReader('hello')
      const first = reader.push(bytes.subarray(0, at))
      const second = reader.push(bytes.subarray(at))
      assert.equal(first + second, 3, `split at ${at}`)
    }
  })

  it('refuses another body, another status, and a body that never ends', () => {
    const refused = (text: string): void => {
      assert.throws(() => new ResponseReader('hello').push(Buffer.from(text)))
    }
    refused(sized.replace('hello', 'hallo'))
    refused(chunked.replace('llo', 'lla'))
    refused(sized.replace('200 OK', '502 Bad Gateway'))
    refused(chunked.replace('\r\n2\r\n', '\r\nzz\r\n'))
    refused('x'.repeat(5 * 1024 * 1024))
  })

  it('does not count a response that is not whole', () => {
    assert.equal(new ResponseReader('hello').push(Buffer.from(sized.slice(0, -1))), 0)
    assert.equal(new ResponseReader('hello').push(Buffer.from(chunked.slice(0, -2))), 0)
  })
})
