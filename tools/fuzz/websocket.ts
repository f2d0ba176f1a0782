/**
 * The frames of a WebSocket and the compression of its messages: never throwing, the same
 * however the bytes are cut, and with everything given back that was taken.
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { agreedDeflate, MessageInflater } from '../../src/http/websocket-deflate.js'
import { FrameWatch } from '../../src/http/websocket-frames.js'
import type { SocketMessage } from '../../src/http/websocket-frames.js'
import type { FuzzTarget } from './target.js'

const { Sender } = createRequire(import.meta.url)('ws') as {
  Sender: { frame(data: Buffer, options: object): Buffer[] }
}

const LIMIT = 1_000

export const websocketTarget: FuzzTarget = {
  name: 'websocket',
  about: 'frames of WebSockets, and their compressed messages',
  seeds,
  check,
}

function seeds(): Buffer[] {
  const frame = (text: string, options: object): Buffer => {
    const all = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false }
    return Buffer.concat(Sender.frame(Buffer.from(text), { ...all, ...options }))
  }
  return [false, true].map((mask) =>
    Buffer.concat([
      frame('{"type":"response.create"}', { mask }),
      frame('a'.repeat(130), { mask, fin: false, opcode: 2 }),
      frame('ping', { mask, opcode: 9 }),
      frame('b'.repeat(700), { mask, opcode: 0 }),
      frame('c'.repeat(66_000), { mask }),
      frame('\xf2\x48\xcd\xc9\xc9\x07\x00', { mask, rsv1: true }),
      frame('\x03\xe8bye', { mask, opcode: 8 }),
    ]),
  )
}

interface Watched {
  readonly messages: SocketMessage[]
  readonly told: unknown
}

function watch(
  pieces: readonly Buffer[],
  options: { from: 'client' | 'server'; deflate: boolean },
): Watched {
  const messages: SocketMessage[] = []
  let taken = 0
  const frames = new FrameWatch({
    ...options,
    maxMessageBytes: LIMIT,
    onMessage: (message) => messages.push(message),
    room: (bytes) => {
      taken += bytes
      return true
    },
    unroom: (bytes) => (taken -= bytes),
  })
  for (const piece of pieces) frames.push(piece)
  const kept = messages.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0)
  assert.ok(messages.every(({ payload }) => (payload?.length ?? 0) <= LIMIT))
  // What is still held is a message under way, and never over the limit.
  assert.ok(taken - kept >= 0 && taken - kept <= LIMIT, `${taken} taken, ${kept} kept`)
  const { frames: count, pings, pongs, closeCode, malformed, atBoundary } = frames
  return { messages, told: { count, pings, pongs, closeCode, malformed, atBoundary } }
}

function check(input: Buffer, random: () => number): void {
  const from = (input[1] ?? 0) >= 0x80 ? 'client' : 'server'
  const options = { from, deflate: random() < 0.5 } as const
  const before = Buffer.from(input)
  const whole = watch([input], options)
  assert.deepEqual(input, before, 'the bytes were changed')
  const step = 1 + Math.floor(random() * (random() < 0.5 ? 3 : 700))
  const pieces: Buffer[] = []
  for (let at = 0; at < input.length; at += step)
    pieces.push(input.subarray(at, at + step))
  assert.deepEqual(watch(pieces, options), whole)
  agreedDeflate(input.toString('latin1', 0, 300))
  const inflater = new MessageInflater(random() < 0.5, LIMIT)
  for (const { payload } of whole.messages) {
    const text = payload === undefined ? undefined : inflater.inflate(payload)
    if (!(text instanceof Promise)) assert.ok((text?.length ?? 0) <= LIMIT)
  }
}
