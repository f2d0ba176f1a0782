/** Whether our clock is right, by the `Date` (RFC 9110 §6.6.1) and `Age` of answers. */
import assert from 'node:assert/strict'
import { MAX_HOSTS, ProviderClocks } from '../../src/net/provider-clocks.js'
import { ManualClock } from '../support/manual-clock.js'

const MINUTE_MS = 60_000
/** RFC 9110 §5.6.7, its own example. */
const NOW = Date.UTC(1994, 10, 6, 8, 49, 37)
const RIGHT = 'Sun, 06 Nov 1994 08:49:37 GMT'

function clocks(aheadMinutes: number): { clock: ManualClock; seen: ProviderClocks } {
  const clock = new ManualClock(NOW + aheadMinutes * MINUTE_MS)
  return { clock, seen: new ProviderClocks(clock) }
}

function told({ concern }: ProviderClocks): string | undefined {
  return concern?.kind
}

describe('what providers say of our clock', () => {
  it('is nothing as long as nobody has spoken, or nobody tells the time', () => {
    const { seen } = clocks(60)
    seen.saw('a.test', ['content-type', 'text/plain'])
    seen.saw('b.test', ['date', 'yesterday'])
    seen.saw('c.test', ['date', RIGHT, 'age', 'x'])
    assert.equal(told(seen), undefined)
  })

  for (const [minutes, says] of [
    [0, undefined],
    [10, undefined],
    [-10, undefined],
    [11, /11 minutes ahead of/],
    [-90, /90 minutes behind/],
  ] as const)
    it(`${minutes} minutes off is ${says === undefined ? 'no' : 'a'} concern`, () => {
      const { seen } = clocks(minutes)
      seen.saw('a.test', ['Date', RIGHT])
      if (says === undefined) assert.equal(told(seen), undefined)
      else assert.match(seen.concern?.says ?? '', says)
    })

  it('counts the time that an answer lay in a cache', () => {
    const { seen } = clocks(60)
    seen.saw('a.test', ['date', RIGHT, 'age', '3600'])
    assert.equal(told(seen), undefined)
  })

  it('is what most of them say', () => {
    const { seen } = clocks(60)
    seen.saw('a.test', ['date', RIGHT])
    const theirs = new Date(NOW + 60 * MINUTE_MS).toUTCString()
    seen.saw('b.test', ['date', theirs])
    assert.equal(told(seen), undefined, 'of two the one that agrees')
    seen.saw('c.test', ['date', RIGHT])
    assert.equal(told(seen), 'clock')
    seen.saw('d.test', ['date', theirs])
    seen.saw('e.test', ['date', theirs])
    assert.equal(told(seen), undefined)
  })

  it('is heard again later, and forgotten in time', () => {
    const { clock, seen } = clocks(60)
    seen.saw('a.test', ['date', RIGHT])
    clock.advance(10_000)
    seen.saw('a.test', ['date', new Date(clock.now()).toUTCString()])
    assert.equal(told(seen), undefined)
    seen.saw('b.test', ['date', RIGHT])
    seen.saw('c.test', ['date', RIGHT])
    assert.equal(told(seen), 'clock')
    clock.advance(7 * 3_600_000)
    assert.equal(told(seen), undefined)
  })

  it('is kept of a bounded number of hosts', () => {
    const { clock, seen } = clocks(60)
    for (let n = 0; n < MAX_HOSTS; n += 1) seen.saw(`old${n}.test`, ['date', RIGHT])
    const theirs = new Date(clock.now()).toUTCString()
    for (let n = 0; n < MAX_HOSTS; n += 1) seen.saw(`new${n}.test`, ['date', theirs])
    assert.equal(told(seen), undefined)
  })
})
