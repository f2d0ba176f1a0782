import assert from 'node:assert/strict'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import {
  CODING_LIMITS,
  ContentDecoder,
  contentCoding,
} from '../../src/http/content-coding.js'
import type { Coding, CodingLimits, DecodeEnd } from '../../src/http/content-coding.js'
import { noise } from '../support/noise.js'
import { cutAtOffsets, everySplit } from '../support/splits.js'

type Real = Exclude<Coding, 'identity'>

async function decode(
  coding: Real,
  chunks: readonly Uint8Array[],
  limits: Partial<CodingLimits> = {},
): Promise<{ end: DecodeEnd; bytes: Buffer }> {
  const pieces: Buffer[] = []
  const decoder = new ContentDecoder(coding, (piece) => pieces.push(piece), {
    ...CODING_LIMITS,
    ...limits,
  })
  for (const chunk of chunks) decoder.push(chunk)
  const end = await decoder.end()
  return { end, bytes: Buffer.concat(pieces) }
}

const TEXT = Buffer.from('data: {"x":"é😀"}\n\n'.repeat(20))
/** Text that does not shrink: coded it is larger than what is decoded in place. */
const LARGE = Buffer.from(noise(40_000).toString('base64'))
const ENCODERS: readonly [string, Real, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['zlib deflate', 'deflate', deflateSync],
  ['raw deflate', 'deflate', deflateRawSync],
  ['brotli', 'br', brotliCompressSync],
]

describe('ContentDecoder', () => {
  for (const [title, coding, encode] of ENCODERS) {
    it(`YORI takes ${title} off at every split`, async () => {
      for (const chunks of everySplit(encode(TEXT)))
        assert.deepEqual(await decode(coding, chunks), { end: 'whole', bytes: TEXT })
    })

    it(`YORI takes ${title} off a large body on the thread pool`, async () => {
      const coded = encode(LARGE)
      const chunks = cutAtOffsets(coded, [1, 2, 100, 17_000, 17_001, 30_000])
      assert.deepEqual(await decode(coding, chunks), { end: 'whole', bytes: LARGE })
    })

    it(`YORI gives what a ${title} body that broke off still holds`, async () => {
      for (const [text, limit] of [
        [TEXT, 1],
        [LARGE, 20_000],
      ] as const) {
        const coded = encode(text)
        const read = await decode(coding, [coded.subarray(0, coded.length - limit)])
        assert.equal(read.end, 'truncated')
        assert.ok(text.subarray(0, read.bytes.length).equals(read.bytes))
      }
    })

    it(`YORI says that bytes are no ${title}`, async () => {
      const junk = Buffer.alloc(100, 0xff)
      assert.equal((await decode(coding, [junk])).end, 'corrupt')
      // 0xff tells brotli of a window that is not undone at all.
      const large = Buffer.alloc(20_000, coding === 'br' ? 0xfb : 0xff)
      assert.equal((await decode(coding, [large])).end, 'corrupt')
    })

    it(`YORI stops a ${title} bomb`, async () => {
      const bomb = encode(Buffer.alloc(16 * 1024 * 1024))
      const limits = { maxOutputBytes: 1024 * 1024 }
      const read = await decode(coding, [bomb], limits)
      assert.equal(read.end, 'too-large')
      assert.ok(read.bytes.length <= limits.maxOutputBytes)
      assert.equal((await decode(coding, [bomb])).end, 'too-large')
    })

    it(`YORI finds nothing in an empty ${title} body`, async () => {
      assert.deepEqual(await decode(coding, []), { end: 'whole', bytes: Buffer.alloc(0) })
    })
  }

  it('YORI gives up when more comes than can wait', async () => {
    const coded = gzipSync(LARGE)
    const chunks = [coded.subarray(0, 17_000), coded.subarray(17_000)]
    const read = await decode('gzip', chunks, { maxQueuedBytes: 20_000 })
    assert.equal(read.end, 'overloaded')
  })

  it('YORI decodes a body above its in-place text limit on the thread pool', async () => {
    const text = Buffer.from('{"a":1}\n'.repeat(10_000))
    const read = await decode('gzip', [gzipSync(text)], { inPlaceOutputBytes: 1024 })
    assert.deepEqual(read, { end: 'whole', bytes: text })
  })

  it('YORI lets go of a body that nobody waits for', async () => {
    const pieces: Buffer[] = []
    const decoder = new ContentDecoder('gzip', (piece) => pieces.push(piece))
    decoder.push(gzipSync(LARGE))
    decoder.abort()
    decoder.push(Buffer.from('more'))
    assert.equal(await decoder.end(), 'truncated')
    assert.deepEqual(pieces, [])
  })
})

describe('contentCoding', () => {
  const cases: readonly [string | undefined, Coding | undefined][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['GZip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'br'],
    ['identity, br', 'br'],
    ['gzip, br', undefined],
    ['gzip, gzip', undefined],
    ['Zstd', 'zstd'],
    ['compress', undefined],
    ['dcb', undefined],
  ]
  for (const [header, coding] of cases) {
    it(`YORI reads the coding ${JSON.stringify(header)} as ${coding ?? 'undecodable'}`, () => {
      assert.equal(contentCoding(header), coding)
    })
  }
})
