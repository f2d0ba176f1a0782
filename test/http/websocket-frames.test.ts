/** One direction of a WebSocket; the bytes are RFC 6455 §5.7's and those that `ws` sends. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { FrameWatch } from '../../src/http/websocket-frames.js'
import type { FrameWatchOptions, SocketMessage } from '../../src/http/websocket-frames.js'

const { Sender } = createRequire(import.meta.url)('ws') as {
  Sender: { frame(data: Buffer, options: object): Buffer[] }
}

interface Watched {
  readonly watch: FrameWatch
  readonly messages: SocketMessage[]
}

function watching(options: Partial<FrameWatchOptions> = {}): Watched {
  const messages: SocketMessage[] = []
  const watch = new FrameWatch({
    from: 'server',
    deflate: false,
    maxMessageBytes: 1024,
    onMessage: (message) => messages.push(message),
    ...options,
  })
  return { watch, messages }
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

/** As `ws` puts it on the wire. */
function sent(data: string | Buffer, options: object): Buffer {
  const all = {
    fin: true,
    rsv1: false,
    opcode: 1,
    mask: false,
    readOnly: false,
    ...options,
  }
  return Buffer.concat(Sender.frame(Buffer.from(data), all))
}

const FROM_CLIENT = { from: 'client' } as const
const MASKED = { mask: true, generateMask: undefined }

describe('the frames of a WebSocket', () => {
  it('are read as in the examples of RFC 6455', () => {
    const { watch, messages } = watching()
    watch.push(hex('81 05 48 65 6c 6c 6f'))
    watch.push(hex('01 03 48 65 6c  80 02 6c 6f'))
    watch.push(hex('89 05 48 65 6c 6c 6f'))
    watch.push(Buffer.concat([hex('82 7e 0100'), Buffer.alloc(256, 7)]))
    const texts = messages.map(({ kind, payload }) => `${kind} ${payload?.toString()}`)
    assert.deepEqual(texts.slice(0, 2), ['text Hello', 'text Hello'])
    assert.equal(messages[2]?.kind, 'binary')
    assert.deepEqual(messages[2].payload, Buffer.alloc(256, 7))
    assert.deepEqual([watch.frames, watch.messages, watch.pings], [5, 3, 1])
    assert.equal(watch.atBoundary, true)

    const client = watching(FROM_CLIENT)
    client.watch.push(hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'))
    client.watch.push(hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'))
    assert.equal(client.messages[0]?.payload?.toString(), 'Hello')
    assert.equal(client.watch.pongs, 1)
  })

  it('are the same however the bytes are cut', () => {
    const bytes = Buffer.concat([
      sent('first', { ...MASKED, fin: false, opcode: 2 }),
      sent('ping', { ...MASKED, opcode: 9 }),
      sent('x'.repeat(200), { ...MASKED, opcode: 0 }),
      sent('', MASKED),
      sent('y'.repeat(70_000), MASKED),
      sent(hex('03e9 6279 65'), { ...MASKED, opcode: 8 }),
    ])
    const whole = watching(FROM_CLIENT)
    whole.watch.push(Buffer.from(bytes))
    assert.deepEqual(
      whole.messages.map(({ kind, bytes: size, payload }) => [
        kind,
        size,
        payload?.length,
      ]),
      [
        ['binary', 205, 205],
        ['text', 0, 0],
        ['text', 70_000, undefined],
      ],
    )
    assert.equal(whole.watch.closeCode, 1001)
    assert.equal(whole.watch.frames, 6)
    for (const size of [1, 2, 3, 7, 1000]) {
      const cut = watching(FROM_CLIENT)
      const copy = Buffer.from(bytes)
      for (let at = 0; at < copy.length; at += size) {
        cut.watch.push(copy.subarray(at, at + size))
      }
      assert.deepEqual(cut.messages, whole.messages)
      assert.equal(cut.watch.closeCode, 1001)
      assert.deepEqual(copy, bytes, 'nothing was changed')
    }
  })

  it('count a message over the limit without keeping it', () => {
    let kept = 0
    const { watch, messages } = watching({
      room: (bytes) => {
        kept += bytes
        return true
      },
      unroom: (bytes) => (kept -= bytes),
    })
    watch.push(sent('a'.repeat(600), { fin: false }))
    assert.equal(kept, 600)
    watch.push(sent('b'.repeat(600), { opcode: 0 }))
    assert.equal(messages[0]?.bytes, 1200)
    assert.equal(messages[0].payload, undefined)
    assert.equal(kept, 0)
    watch.push(sent('after', {}))
    assert.equal(messages[1]?.payload?.toString(), 'after')
  })

  it('are only counted where there is no room for them', () => {
    const { watch, messages } = watching({ room: () => false })
    watch.push(sent('text', {}))
    assert.equal(messages[0]?.payload, undefined)
    assert.equal(watch.messages, 1)
  })

  it('may be compressed where the ends agreed, and in the first frame only', () => {
    const agreed = watching({ deflate: true })
    agreed.watch.push(sent('abc', { rsv1: true, fin: false }))
    agreed.watch.push(sent('def', { opcode: 0 }))
    assert.equal(agreed.messages[0]?.compressed, true)
    agreed.watch.push(sent('plain', {}))
    assert.equal(agreed.messages[1]?.compressed, false)
    agreed.watch.push(sent('abc', { fin: false }))
    agreed.watch.push(sent('def', { opcode: 0, rsv1: true }))
    assert.equal(agreed.watch.malformed, 'a reserved bit')
  })

  it('tell how it closed', () => {
    for (const [bytes, code] of [
      ['88 00', 1005],
      ['88 02 03e8', 1000],
      ['88 04 0f a1 6f 6b', 4001],
    ] as const) {
      const { watch } = watching()
      watch.push(hex(bytes))
      assert.equal(watch.closeCode, code)
    }
  })

  for (const [why, bytes, from] of [
    ['a frame without a mask', '81 01 61', 'client'],
    ['a masked frame', '81 81 00000000 61', 'server'],
    ['an unknown opcode', '83 00', 'server'],
    ['an unknown opcode', '8b 00', 'server'],
    ['a reserved bit', 'c1 00', 'server'],
    ['a reserved bit', 'a1 00', 'server'],
    ['a reserved bit', '99 00', 'server'],
    ['a control frame in fragments', '09 00', 'server'],
    ['a control frame over 125 bytes', '89 7e 007e', 'server'],
    ['a fragment of nothing', '80 00', 'server'],
    ['a message inside a message', '01 01 61 81 01 61', 'server'],
    ['a length beyond all bounds', '82 7f ffffffffffffffff', 'server'],
    ['half a close code', '88 01 03', 'server'],
    ['a frame after Close', '88 00 81 01 61', 'server'],
  ] as const) {
    it(`end the watching at ${why} (${bytes})`, () => {
      const { watch, messages } = watching({ from })
      watch.push(hex(bytes))
      watch.push(Buffer.alloc(100, 0x81))
      assert.equal(watch.malformed, why)
      assert.equal(messages.length, 0)
    })
  }
})
