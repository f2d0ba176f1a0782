/** Content codings and permessage-deflate at their bounds: coded by zlib, cut at every offset. */
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib'
import { CODING_LIMITS, ContentDecoder } from '../../src/http/content-coding.js'
import type { Coding, CodingLimits } from '../../src/http/content-coding.js'
import { MessageInflater } from '../../src/http/websocket-deflate.js'
import { FrameWatch } from '../../src/http/websocket-frames.js'
import { boundTable } from '../support/bound-table.js'
import type { BoundRow } from '../support/bound-table.js'

type Real = Exclude<Coding, 'identity'>

const ENCODERS: readonly [string, Real, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['zlib deflate', 'deflate', deflateSync],
  ['raw deflate', 'deflate', deflateRawSync],
  ['brotli', 'br', brotliCompressSync],
]

/** How it ended, and how many decoded bytes were given out. */
function decoded(coding: Real, limits: Partial<CodingLimits>): BoundRow['read'] {
  return async (pieces) => {
    let bytes = 0
    const decoder = new ContentDecoder(coding, (piece) => (bytes += piece.length), {
      ...CODING_LIMITS,
      ...limits,
    })
    for (const piece of pieces) {
      decoder.push(piece)
      // As pieces of a connection come: what was there is decoded meanwhile.
      if (pieces.length === 2) await new Promise(setImmediate)
    }
    return [await decoder.end(), bytes]
  }
}

/** Shrinks well, and to about the same size whatever its length. */
const text = (length: number): Buffer => Buffer.alloc(length, 'an easy text. ')
const STREAMED = { inPlaceBytes: 0 }

function rowsOf([, coding, encode]: (typeof ENCODERS)[number]): BoundRow[] {
  const most = { maxOutputBytes: 40_000 }
  const bytes = (over: number): Buffer => encode(text(40_000 + over))
  const gives = [
    ['whole', 39_999],
    ['whole', 40_000],
    ['too-large', 40_000],
  ] as const
  const { length, ratio } = evenText(encode)
  return [
    { bound: 'maxOutputBytes in place', bytes, read: decoded(coding, most), gives },
    {
      bound: 'maxOutputBytes on the thread pool',
      bytes,
      read: decoded(coding, { ...most, ...STREAMED }),
      gives,
    },
    {
      bound: 'inPlaceBytes',
      bytes: (over) => encode(text(20_000 + over)),
      read: decoded(coding, { inPlaceBytes: encode(text(20_000)).length }),
      gives: [
        ['whole', 19_999],
        ['whole', 20_000],
        ['whole', 20_001],
      ],
    },
    {
      bound: 'inPlaceOutputBytes',
      bytes: (over) => encode(text(20_000 + over)),
      read: decoded(coding, { inPlaceOutputBytes: 20_000 }),
      gives: [
        ['whole', 19_999],
        ['whole', 20_000],
        ['whole', 20_001],
      ],
    },
    ...[{}, STREAMED].map((where) => ({
      bound: `ratioFromBytes ${where === STREAMED ? 'on the thread pool' : 'in place'}`,
      bytes: (over: number) => encode(text(3_000 + over)),
      read: decoded(coding, { ratioFromBytes: 3_000, maxRatio: 1, ...where }),
      gives: [
        ['whole', 2_999],
        ['whole', 3_000],
        ['too-large', 3_000],
      ] as const,
    })),
    ...[{}, STREAMED].map((where) => ({
      bound: `maxRatio ${where === STREAMED ? 'on the thread pool' : 'in place'}`,
      bytes: (over: number) => encode(text(length + over)),
      read: decoded(coding, { ratioFromBytes: 0, maxRatio: ratio, ...where }),
      gives: [
        ['whole', length - 1],
        ['whole', length],
        ['too-large', length],
      ] as const,
    })),
  ]
}

/** A text that is so many times as long as what it is coded to, as are its neighbours. */
function evenText(encode: (bytes: Buffer) => Buffer): { length: number; ratio: number } {
  for (let length = 3_000; length < 10_000; length++) {
    const size = encode(text(length)).length
    const isEven = [-1, 1].every((over) => encode(text(length + over)).length === size)
    if (isEven && length % size === 0) return { length, ratio: length / size }
  }
  throw new Error('no such text')
}

/** A server's message as it goes over the wire, RFC 7692 §7.2.1. */
function compressed(length: number): Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH }
  const payload = deflateRawSync(text(length), options).subarray(0, -4)
  const { length: size } = payload
  const head = size < 126 ? [size] : [126, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(0xc1, ...head), payload])
}

function inflated(maxBytes: number): BoundRow['read'] {
  return async (pieces) => {
    const found: (number | undefined)[] = []
    const inflater = new MessageInflater(false, maxBytes)
    const texts: ReturnType<MessageInflater['inflate']>[] = []
    const watch = new FrameWatch({
      from: 'server',
      deflate: true,
      maxMessageBytes: 1024,
      onMessage: ({ payload }) => payload && texts.push(inflater.inflate(payload)),
    })
    for (const piece of pieces) watch.push(Buffer.from(piece))
    for (const one of texts) found.push((await one)?.length)
    return found
  }
}

/** What is inflated in place, and what on the thread pool: 128 KiB of text. */
const DEFLATE: readonly BoundRow[] = [20_000, 128 * 1024, 140_000].map((most) => ({
  bound: `${most} bytes of text`,
  bytes: (over) => Buffer.concat([compressed(most + over), compressed(10)]),
  read: inflated(most),
  gives: [
    [most - 1, 10],
    [most, 10],
    [undefined, 10],
  ],
}))

boundTable({
  ...Object.fromEntries(
    ENCODERS.map((encoder) => [`${encoder[0]} bodies`, rowsOf(encoder)]),
  ),
  'permessage-deflate': DEFLATE,
})
