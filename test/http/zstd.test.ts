/**
 * Bodies in Zstandard: frames that its own program (v1.5.4) has made, at every split, with every
 * byte changed, broken off, and made to unfold to far more than they are.
 */
import assert from 'node:assert/strict'
import { CODING_LIMITS, ContentDecoder } from '../../src/http/content-coding.js'
import type { CodingLimits, DecodeEnd } from '../../src/http/content-coding.js'
import { MAX_WINDOW_BYTES, ZstdFrames } from '../../src/http/zstd-frames.js'
import { needs } from '../support/needs.js'
import { noise } from '../support/noise.js'
import { runProgram } from '../support/programs.js'
import { everySplit } from '../support/splits.js'

async function decode(
  chunks: readonly Uint8Array[],
  limits: Partial<CodingLimits> = {},
): Promise<{ end: DecodeEnd; bytes: Buffer }> {
  const pieces: Buffer[] = []
  const options = { ...CODING_LIMITS, maxQueuedBytes: 64 * 1024 * 1024, ...limits }
  const decoder = new ContentDecoder('zstd', (piece) => pieces.push(piece), options)
  for (const chunk of chunks) decoder.push(chunk)
  const end = await decoder.end()
  return { end, bytes: Buffer.concat(pieces) }
}

async function zstd(input: Buffer, ...args: string[]): Promise<Buffer> {
  const { stdout, stderr } = await runProgram('zstd', ['-q', '-c', ...args], { input })
  assert.equal(stderr, '')
  return stdout
}

const hello = Buffer.from('KLUv/QRYWQAAaGVsbG8sIHpzdGR4liE8', 'base64')
const nothing = Buffer.from('KLUv/SQAAQAAmenYUQ==', 'base64')
/** 300,000 times the same letter. */
const letters = Buffer.from('KLUv/QRoTAAACGEBAPz/ORACAgAQYQOfBGGNXwSm', 'base64')
const unchecked = Buffer.from('KLUv/QBYKQAAaGVsbG8=', 'base64')
/** RFC 8878 §3.1.2: four bytes of no concern to anybody. */
const skippable = Buffer.from('5a2a4d1804000000deadbeef', 'hex')

const whole = (text: string) => ({ end: 'whole', bytes: Buffer.from(text) })

describe('a body in Zstandard', () => {
  it('is undone at every split, also in several frames', async () => {
    for (const [frame, text] of [
      [hello, 'hello, zstd'],
      [nothing, ''],
      [unchecked, 'hello'],
      [Buffer.concat([skippable, hello, unchecked, skippable]), 'hello, zstdhello'],
    ] as const)
      for (const chunks of everySplit(frame))
        assert.deepEqual(await decode(chunks), whole(text))
    for (const chunks of everySplit(letters))
      assert.deepEqual(await decode(chunks), whole('a'.repeat(300_000)))
  })

  it('says that it broke off, wherever it did', async () => {
    for (const frame of [hello, letters, Buffer.concat([unchecked, hello])])
      for (let end = 1; end < frame.length; end++) {
        const isEnd = frame.length > hello.length + 5 && end === unchecked.length
        const read = await decode([frame.subarray(0, end)])
        const expected = isEnd && frame !== letters ? 'whole' : 'truncated'
        assert.equal(read.end, expected, `${end} of ${frame.length}`)
      }
  })

  it('has a verdict whatever byte of it is another', async () => {
    for (const frame of [hello, letters])
      for (let at = 0; at < frame.length; at++)
        for (const bits of [1, 0x80, 0xff]) {
          const changed = Buffer.from(frame)
          changed[at] = (changed[at] as number) ^ bits
          const { end, bytes } = await decode([changed])
          assert.ok(['whole', 'truncated', 'corrupt'].includes(end), end)
          assert.ok(bytes.length <= CODING_LIMITS.maxOutputBytes)
        }
    assert.equal((await decode([noise(1000)])).end, 'corrupt')
  })

  it('makes no room for a window over the limit, nor for a dictionary', () => {
    const frame = (descriptor: string, ...rest: string[]): ZstdFrames => {
      const frames = new ZstdFrames()
      frames.push(Buffer.from(`28b52ffd${descriptor}${rest.join('')}010000`, 'hex'))
      frames.next()
      return frames
    }
    // RFC 8878 §3.1.1.1.2: 2^(10 + 13) is 8 MiB, and an eighth more.
    assert.equal(MAX_WINDOW_BYTES, 8 * 1024 * 1024)
    assert.equal(frame('00', '68').isWhole, true)
    assert.equal(frame('00', '69').isCorrupt, true)
    assert.equal(frame('00', 'ff').isCorrupt, true)
    // One segment: its window is its size.
    assert.equal(frame('e0', '0000800000000000').isWhole, true)
    assert.equal(frame('e0', '0100800000000000').isCorrupt, true)
    assert.equal(frame('e0', 'ffffffffffffffff').isCorrupt, true)
    assert.equal(frame('01', '40', '07').isCorrupt, true)
    assert.equal(frame('01', '40', '00').isWhole, true)
    // Bits and types that are reserved.
    assert.equal(frame('08', '40').isCorrupt, true)
    const blocks = new ZstdFrames()
    blocks.push(Buffer.from('28b52ffd0040070000', 'hex'))
    assert.equal(blocks.next(), undefined)
    assert.equal(blocks.isCorrupt, true)
  })

  it('of some megabytes is that of the program, at each of its levels', async function () {
    needs(this, 'zstd')
    const text = Buffer.from(
      Array.from(
        { length: 30_000 },
        (_, i) => `${i}: {"role":"user"} é😀 ${i * i}\n`,
      ).join(''),
    )
    for (const args of [['-1'], ['-3', '--no-check'], ['-12']]) {
      const coded = await zstd(text, ...args)
      const { end, bytes } = await decode([coded])
      assert.equal(end, 'whole', args.join(' '))
      assert.ok(bytes.equals(text))
    }
    // Its window is 128 MiB.
    assert.equal((await decode([await zstd(text, '--long=27')])).end, 'corrupt')
    const random = noise(1_000_000)
    assert.ok((await decode([await zstd(random)])).bytes.equals(random))
  })

  it('that unfolds to 256 MiB gives no more than its limits', async function () {
    needs(this, 'zstd')
    const bomb = await zstd(Buffer.alloc(256 * 1024 * 1024), '-1')
    assert.ok(bomb.length < 64 * 1024, `${bomb.length} bytes`)
    const byRatio = await decode([bomb])
    assert.equal(byRatio.end, 'too-large')
    assert.ok(byRatio.bytes.length <= bomb.length * CODING_LIMITS.maxRatio)
    const bySize = await decode([bomb], { maxRatio: 1_000_000 })
    assert.equal(bySize.end, 'too-large')
    assert.equal(bySize.bytes.length, CODING_LIMITS.maxOutputBytes)
  })
})
