/** permessage-deflate off the copies: RFC 7692's examples, and what zlib's own streams write. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, createDeflateRaw } from 'node:zlib'
import { agreedDeflate, MessageInflater } from '../../src/http/websocket-deflate.js'
import { noise } from '../support/noise.js'

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** Messages of one sender whose each refers to those before, RFC 7692 §7.2.1. */
async function compressed(texts: readonly Buffer[]): Promise<Buffer[]> {
  const stream = createDeflateRaw()
  let pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  const messages: Buffer[] = []
  for (const text of texts) {
    pieces = []
    stream.write(text)
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve))
    messages.push(Buffer.concat(pieces).subarray(0, -4))
  }
  const closed = once(stream, 'close')
  stream.destroy()
  await closed
  return messages
}

describe('permessage-deflate', () => {
  it('is what the 101 agreed upon', () => {
    assert.equal(agreedDeflate(''), undefined)
    assert.equal(agreedDeflate('x-webkit-deflate-frame'), undefined)
    assert.deepEqual(agreedDeflate('permessage-deflate'), {
      clientTakeover: true,
      serverTakeover: true,
    })
    const text =
      'foo, Permessage-Deflate ; server_no_context_takeover; client_max_window_bits=9'
    assert.deepEqual(agreedDeflate(text), { clientTakeover: true, serverTakeover: false })
  })

  it('is taken off as in the examples of RFC 7692', async () => {
    const inflater = new MessageInflater(true, 1024)
    const first = await inflater.inflate(hex('f2 48 cd c9 c9 07 00'))
    assert.equal(first?.toString(), 'Hello')
    const second = await inflater.inflate(hex('f2 00 11 00 00'))
    assert.equal(second?.toString(), 'Hello')
    const alone = new MessageInflater(false, 1024)
    const stored = await alone.inflate(hex('00 05 00 fa ff 48 65 6c 6c 6f 00'))
    assert.equal(stored?.toString(), 'Hello')
    const final = await alone.inflate(hex('f3 48 cd c9 c9 07 00 00'))
    assert.equal(final?.toString(), 'Hello')
    assert.equal((await alone.inflate(hex('00')))?.length, 0)
  })

  it('carries its window over messages longer and shorter than it', async () => {
    const text = noise(40_000).toString('base64')
    const texts = ['a', text, text.slice(3000), 'b'.repeat(100), text.slice(40_000)]
    const inflater = new MessageInflater(true, 1024 * 1024)
    for (const [i, message] of (
      await compressed(texts.map((t) => Buffer.from(t)))
    ).entries())
      assert.equal((await inflater.inflate(message))?.toString(), texts[i])
  })

  it('gives up a direction whose text is not known any more', async () => {
    const [first, second] = await compressed([
      Buffer.from('some text'),
      Buffer.from('some text again'),
    ])
    const inflater = new MessageInflater(true, 1024)
    inflater.skip()
    assert.equal(await inflater.inflate(second as Buffer), undefined)
    assert.equal(await inflater.inflate(first as Buffer), undefined)
  })

  it('inflates no further than its limit', async () => {
    const zeros = Buffer.alloc(64 * 1024 * 1024)
    const [bomb] = await compressed([zeros])
    assert.ok((bomb as Buffer).length < 100_000)
    const inflater = new MessageInflater(false, 1024 * 1024)
    assert.equal(await inflater.inflate(bomb as Buffer), undefined)
    const [small] = await compressed([Buffer.alloc(512 * 1024)])
    assert.ok((small as Buffer).length < 8 * 1024)
    assert.equal((await inflater.inflate(small as Buffer))?.length, 512 * 1024)
    const corrupt = await inflater.inflate(hex('ff ff ff ff'))
    assert.equal(corrupt, undefined)
  })
})
