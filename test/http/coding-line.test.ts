/** Many small bodies that unfold to far more, at once: few are undone at a time, and all in turn. */
import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { ContentDecoder, MAX_UNFOLDING } from '../../src/http/content-coding.js'
import type { Coding } from '../../src/http/content-coding.js'

/** Over what is undone in place, under what the ratio allows. */
const TEXT = Buffer.alloc(900 * 1024, 'some words ')

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
})
