/** Many small bodies that unfold to far more, at once: few are undone at a time, and all in turn. */
import assert from 'node:assert/strict'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { ContentDecoder } from '../../src/http/content-coding.js'
import {
  brotliWindow,
  MAX_UNFOLDING,
  MAX_WAITING_BYTES,
  MAX_WINDOWS_BYTES,
  unfolding,
  waitingBytes,
  windows,
} from '../../src/http/unfolding.js'
import type { Coding } from '../../src/http/content-coding.js'

/** Over what is undone in place, under what the ratio allows. */
const TEXT = Buffer.alloc(900 * 1024, 'some words ')

const MIB = 1024 * 1024

/** Bytes that no coding makes shorter, the same each time. */
function randomLike(): Buffer {
  let state = 1
  return Buffer.from(
    Array.from(
      { length: 20_000 },
      () => (state = (state * 48_271) % 2_147_483_647) & 0xff,
    ),
  )
}

const windowed = (text: Buffer, bits: number): Buffer =>
  brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_LGWIN]: bits,
      [constants.BROTLI_PARAM_QUALITY]: 5,
    },
  })

describe('a brotli window', () => {
  // RFC 7932 section 9.1: the bits of the stream, its first one last.
  const TABLE: Readonly<Record<number, string>> = {
    ...{ 10: '0100001', 11: '0110001', 12: '1000001', 13: '1010001', 14: '1100001' },
    ...{ 15: '1110001', 16: '0', 17: '0000001', 18: '0011', 19: '0101', 20: '0111' },
    ...{ 21: '1001', 22: '1011', 23: '1101', 24: '1111' },
  }
  for (const [bits, pattern] of Object.entries(TABLE))
    it(`of ${bits} bits is told by the first bits of its stream`, () => {
      const mask = 2 ** pattern.length - 1
      // Whatever stands behind.
      for (const behind of [0, 0xff])
        assert.equal(
          brotliWindow((behind & ~mask & 0xff) | parseInt(pattern, 2)),
          2 ** Number(bits),
        )
    })

  it('is told as the encoder made it', () => {
    for (const bits of [10, 16, 18, 20, 22, 24])
      assert.equal(
        brotliWindow(windowed(Buffer.alloc(17 * MIB), bits)[0] ?? 0),
        2 ** bits,
      )
  })
})

describe('bodies that unfold to far more', () => {
  for (const [coding, encode] of [
    ['br', brotliCompressSync],
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const satisfies readonly (readonly [Coding, (text: Buffer) => Buffer])[])
    it(`are undone few at a time, and each to its end: ${coding}`, async () => {
      const coded = encode(TEXT)
      assert.ok(coded.length < 16 * 1024)
      const open = new Set<number>()
      let most = 0
      const ends = Array.from({ length: 20 }, async (_, i) => {
        let bytes = 0
        const decoder = new ContentDecoder(coding, (piece) => {
          bytes += piece.length
          open.add(i)
          most = Math.max(most, open.size)
        })
        decoder.push(coded)
        // Nobody waits for some of them any more.
        if (i % 5 === 4) setImmediate(() => decoder.abort())
        const end = await decoder.end()
        open.delete(i)
        return i % 5 === 4 ? 'let go' : `${end} ${bytes}`
      })
      const expected = Array.from({ length: 20 }, (_, i) =>
        i % 5 === 4 ? 'let go' : `whole ${TEXT.length}`,
      )
      assert.deepEqual(await Promise.all(ends), expected)
      assert.ok(most > 0 && most <= MAX_UNFOLDING, `${most} at once`)
    })

  it('are not undone where their windows are wider than those of servers', async () => {
    for (const start of [Buffer.alloc(0), randomLike()]) {
      const coded = windowed(Buffer.concat([start, Buffer.alloc(17 * MIB)]), 24)
      assert.equal(coded.length > 16 * 1024, start.length > 0)
      let bytes = 0
      const decoder = new ContentDecoder('br', (piece) => (bytes += piece.length))
      decoder.push(coded)
      assert.deepEqual([await decoder.end(), bytes], ['too-large', 0])
    }
    // One that is small is undone in place, whatever its window.
    const small = new ContentDecoder('br', () => undefined)
    small.push(windowed(Buffer.from('some words'), 24))
    assert.equal(await small.end(), 'whole')
  })
})

/** Over what is undone in place, with a window of 4 MiB, and no more than the ratio allows. */
const STREAMED = windowed(Buffer.concat([randomLike(), Buffer.alloc(4 * MIB)]), 22)

/** Of RFC 8878: one block as it is, in a frame that asks for so wide a window. */
function zstdFrame(windowLog: number, text: Buffer): Buffer {
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3]
  const block = (text.length << 3) | 1
  return Buffer.concat([
    Buffer.from([...head, block & 0xff, (block >> 8) & 0xff, block >> 16]),
    text,
  ])
}

interface Live {
  readonly decoder: ContentDecoder
  readonly got: () => number
}

function live(coding: 'br' | 'zstd', bytes: Buffer, look = (): void => undefined): Live {
  let got = 0
  const decoder = new ContentDecoder(coding, (piece) => {
    got += piece.length
    look()
  })
  decoder.push(bytes)
  return { decoder, got: () => got }
}

describe('bodies that are undone as they come', () => {
  afterEach(() => {
    const left = [windows.taken, waitingBytes.taken, unfolding.taken]
    assert.deepEqual(left, [0, 0, 0], 'all is given back')
  })

  it('share the room for their windows; who has none is undone at its end', async () => {
    assert.equal(brotliWindow(STREAMED[0] ?? 0), 4 * MIB)
    const fit = MAX_WINDOWS_BYTES / (4 * MIB)
    let most = 0
    const look = (): void => {
      most = Math.max(most, windows.taken + unfolding.taken * 8 * MIB)
    }
    const before = windows.waits
    const all = Array.from({ length: 50 }, () => live('br', STREAMED, look))
    assert.equal(windows.taken, MAX_WINDOWS_BYTES)
    assert.equal(windows.waits - before, 50 - fit)
    // Those that have room keep it as long as they last; the others come to their end all the same.
    const late = await Promise.all(all.slice(fit).map(({ decoder }) => decoder.end()))
    assert.deepEqual([...new Set(late)], ['whole'])
    assert.equal(windows.taken, MAX_WINDOWS_BYTES)
    const first = await Promise.all(all.slice(0, fit).map(({ decoder }) => decoder.end()))
    assert.deepEqual([...new Set(first)], ['whole'])
    for (const { got } of all) assert.equal(got(), 20_000 + 4 * MIB)
    assert.ok(most <= 48 * MIB, `${most / MIB} MiB`)
    await closed()
  })

  it('go on when others have gone, and hold no more than may wait', async () => {
    const fit = MAX_WINDOWS_BYTES / (4 * MIB)
    const busy = Array.from({ length: fit }, () => live('br', STREAMED))
    const waits = live('br', STREAMED)
    assert.ok(waitingBytes.taken > 0)
    const gone = busy.splice(0, 1).map(({ decoder }) => decoder)
    gone.forEach((decoder) => decoder.abort())
    while (waits.got() === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(waitingBytes.taken, 0)
    const more = Buffer.alloc(MIB - STREAMED.length)
    const others = Array.from({ length: 20 }, () => live('br', STREAMED))
    for (const { decoder } of others) {
      decoder.push(more)
      assert.ok(waitingBytes.taken <= MAX_WAITING_BYTES)
    }
    const over = await Promise.race(others.map(({ decoder }) => decoder.end()))
    assert.equal(over, 'overloaded')
    for (const { decoder } of [...busy, ...others, waits]) decoder.abort()
    await closed()
  })

  it('in zstd may ask for a wider window later, where there is room for it', async () => {
    const text = randomLike()
    const both = Buffer.concat([zstdFrame(20, text), zstdFrame(23, text)])
    const alone = live('zstd', both)
    assert.equal(await alone.decoder.end(), 'whole')
    const busy = Array.from({ length: 7 }, () => live('br', STREAMED))
    const crowded = live('zstd', both)
    assert.equal(await crowded.decoder.end(), 'too-large')
    for (const { decoder } of busy) decoder.abort()
    await closed()
  })
})

/** What a decoder took is free when it has closed. */
async function closed(): Promise<void> {
  while (windows.taken + unfolding.taken > 0)
    await new Promise((resolve) => setImmediate(resolve))
}
