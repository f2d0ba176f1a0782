/** What is kept of answers, and what goes when there is no room: pure, on a clock that is advanced. */
import assert from 'node:assert/strict'
import { AnswerCache } from '../../src/pools/answer-cache.js'
import type { AnswerCacheLimits } from '../../src/pools/answer-cache.js'
import { ManualClock } from '../support/manual-clock.js'

const LIMITS: AnswerCacheLimits = {
  entries: 3,
  bytes: 10_000,
  answerBytes: 4000,
  requestBytes: 65_536,
  ttlMs: 60_000,
}

function made(limits: Partial<AnswerCacheLimits> = {}) {
  const clock = new ManualClock(1_000_000)
  const cache = new AnswerCache({ ...LIMITS, ...limits }, () => clock.monotonic())
  const keep = (key: string, ...pieces: string[]): void => {
    const keeping = cache.begin(key)
    keeping.head('OK', ['content-type', 'text/plain'])
    for (const piece of pieces) keeping.data(Buffer.from(piece))
    keeping.keep()
  }
  return { cache, clock, keep }
}

describe('a cache of answers', () => {
  it('gives back what came, in the pieces in which it came', () => {
    const { cache, keep } = made()
    keep('a', 'one', 'two and', ' three')
    const found = cache.find('a')
    assert.equal(found?.body.toString(), 'onetwo and three')
    assert.deepEqual(found.ends, [3, 10, 16])
    assert.deepEqual(found.rawHeaders, ['content-type', 'text/plain'])
    assert.equal(cache.find('b'), undefined)
    assert.deepEqual(
      { ...cache.counts },
      { hits: 1, misses: 1, kept: 1, evicted: 0, tooLarge: 0 },
    )
  })

  it('keeps nothing that nobody said to keep', () => {
    const { cache } = made()
    const dropped = cache.begin('a')
    dropped.head('OK', [])
    dropped.data(Buffer.from('x'))
    assert.ok(cache.bytes > 0)
    dropped.drop()
    dropped.keep()
    const headless = cache.begin('b')
    headless.data(Buffer.from('x'))
    headless.keep()
    headless.drop()
    assert.equal(cache.find('a') ?? cache.find('b'), undefined)
    assert.equal(cache.bytes, 0)
  })

  it('forgets what is too old', () => {
    const { cache, clock, keep } = made()
    keep('a', 'x')
    clock.advance(59_999)
    assert.ok(cache.find('a'))
    clock.advance(1)
    assert.equal(cache.find('a'), undefined)
    assert.equal(cache.bytes, 0)
  })

  it('lets go what was used longest ago, by number', () => {
    const { cache, keep } = made()
    for (const key of ['a', 'b', 'c']) keep(key, 'x')
    cache.find('a')
    keep('d', 'x')
    const kept = ['a', 'b', 'c', 'd'].filter((key) => cache.find(key))
    assert.deepEqual(kept, ['a', 'c', 'd'])
    assert.equal(cache.counts.evicted, 1)
  })

  it('lets go what was used longest ago, by bytes, what is being kept among them', () => {
    const { cache, keep } = made({ entries: 1000 })
    const text = 'x'.repeat(3000)
    for (const key of ['a', 'b']) keep(key, text)
    const open = cache.begin('c')
    open.head('OK', [])
    open.data(Buffer.from(text))
    assert.ok(cache.bytes <= LIMITS.bytes)
    open.data(Buffer.from('more of it'))
    assert.ok(cache.bytes <= LIMITS.bytes)
    open.keep()
    keep('d', text)
    assert.equal(cache.find('a'), undefined)
    assert.ok(cache.bytes <= LIMITS.bytes)
    assert.ok(cache.find('d'))
  })

  it('keeps none that is longer than one may be, and gives its room back', () => {
    const { cache, keep } = made()
    keep('a', 'x'.repeat(2000), 'x'.repeat(2000))
    assert.equal(cache.find('a'), undefined)
    assert.equal(cache.bytes, 0)
    assert.equal(cache.counts.tooLarge, 1)
    // As many small pieces cost what they take.
    keep('b', ...Array.from({ length: 1000 }, () => 'x'))
    assert.equal(cache.find('b'), undefined)
  })

  it('has the newest of one key', () => {
    const { cache, keep } = made()
    keep('a', 'old')
    const { bytes } = cache
    keep('a', 'new')
    assert.equal(cache.find('a')?.body.toString(), 'new')
    assert.equal(cache.bytes, bytes)
    assert.equal(cache.size, 1)
  })
})
